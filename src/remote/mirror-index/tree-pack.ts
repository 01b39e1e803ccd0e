/**
 * All directories of a commit in one file of a mirror, so that a client that has none of them asks once instead of thousands of times,
 * level by level.
 *
 *     extensions/hacktree/mirror-trees/COMMIT     immutable: its name says what is in it
 *
 *     0     magic `HTMT`, u32 version 1, u32 n; numbers are little-endian
 *     12    n objects, each once, a directory before those in it:
 *             u8 type as in ostree-format 2 (2 dirtree, 3 dirmeta), u32 length, the object's bytes
 *
 * No checksums: an object's name follows from its bytes. A client takes only what the commit names; whatever is wrong with the
 * file, objects are fetched one by one.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, checksumOf, HacktreeError } from '../../core/index.ts';
import { decodeDirtree, OBJECT_TYPE_NUMBER, printObjectName } from '../../format/index.ts';
import { hasObject, listAllRefs, loadCommit, type Repo, readMetadata } from '../../repo/index.ts';
import { ensureDir, writeFileDurable } from '../../sys/index.ts';
import type { RemoteAccess } from '../access.ts';
import { orNothing } from './read.ts';

export type PackedType = 'dirtree' | 'dirmeta';

const DIR = 'extensions/hacktree/mirror-trees';
const MAGIC = Buffer.from('HTMT\x01\0\0\0', 'latin1');
const FIXED_BYTES = 12;
const ENTRY_BYTES = 5;
/** A tree whose directories weigh more has no pack. */
const MAX_PACK_BYTES = 1 << 26;

/** The objects of a pack. */
export class TreePack {
  readonly #objects: ReadonlyMap<string, Buffer>;

  constructor(objects: ReadonlyMap<string, Buffer>) {
    this.#objects = objects;
  }

  /** Bytes of an object, which have this checksum; undefined when the pack does not have it. */
  get(checksum: Checksum, type: PackedType): Buffer | undefined {
    return this.#objects.get(printObjectName({ checksum, type }));
  }
}

/** Fetches the pack of a commit; undefined when the mirror has none that can be used. */
export function fetchTreePack(access: RemoteAccess, commit: Checksum): Promise<TreePack | undefined> {
  return orNothing(async () => {
    const found = await access.file(`${DIR}/${commit}`, { limitBytes: MAX_PACK_BYTES, retry: false });
    return found === undefined ? undefined : parsePack(found.bytes);
  });
}

/** Errors: `index-corrupt`. */
function parsePack(bytes: Buffer): TreePack {
  if (bytes.length < FIXED_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('another beginning');
  const objects = new Map<string, Buffer>();
  let at = FIXED_BYTES;
  for (let left = bytes.readUInt32LE(MAGIC.length); left > 0; left--) {
    const start = at + ENTRY_BYTES;
    const end = start > bytes.length ? start : start + bytes.readUInt32LE(at + 1);
    if (end > bytes.length) throw corrupt(`an object that ends at ${end} of ${bytes.length} bytes`);
    const object = bytes.subarray(start, end);
    const type = bytes[at] === OBJECT_TYPE_NUMBER.dirtree ? 'dirtree' : 'dirmeta';
    objects.set(printObjectName({ checksum: checksumOf(object), type }), object);
    at = end;
  }
  return new TreePack(objects);
}

function corrupt(found: string): HacktreeError {
  return new HacktreeError('index-corrupt', `Invalid pack of directories: ${found}`, { details: { found } });
}

/** Writes the packs of all refs' commits and removes others. Errors: `no-space`, system errors. */
export function writeTreePacks(repo: Repo): void {
  const dir = join(repo.path, DIR);
  const tips = new Set(listAllRefs(repo).map(({ checksum }) => checksum));
  ensureDir(dir);
  for (const commit of tips) {
    const path = join(dir, commit);
    if (fs.existsSync(path)) continue;
    const bytes = buildPack(repo, commit);
    if (bytes !== undefined) writeFileDurable(path, bytes, { sync: repo.config.fsync });
  }
  for (const name of fs.readdirSync(dir)) if (!tips.has(name as Checksum)) fs.rmSync(join(dir, name), { force: true });
}

/** Undefined where objects are missing (a commit that is here in part) or weigh too much. */
function buildPack(repo: Repo, commit: Checksum): Buffer | undefined {
  if (!hasObject(repo, commit, 'commit')) return undefined;
  const { rootTree, rootMeta } = loadCommit(repo, commit);
  const parts: Buffer[] = [];
  const seen = new Set<string>();
  let sizeBytes = FIXED_BYTES;
  let isWhole = true;
  /** Returns the bytes of an object that was not in the pack. */
  const add = (checksum: Checksum, type: PackedType): Buffer | undefined => {
    const name = printObjectName({ checksum, type });
    if (!isWhole || seen.has(name)) return undefined;
    isWhole = hasObject(repo, checksum, type);
    if (!isWhole) return undefined;
    seen.add(name);
    const bytes = readMetadata(repo, checksum, type);
    const head = Buffer.alloc(ENTRY_BYTES);
    head[0] = OBJECT_TYPE_NUMBER[type];
    head.writeUInt32LE(bytes.length, 1);
    parts.push(head, bytes);
    sizeBytes += ENTRY_BYTES + bytes.length;
    isWhole = sizeBytes <= MAX_PACK_BYTES;
    return bytes;
  };
  const waiting = [{ tree: rootTree, meta: rootMeta }];
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    add(dir.meta, 'dirmeta');
    const dirtree = add(dir.tree, 'dirtree');
    if (isWhole && dirtree !== undefined) waiting.push(...decodeDirtree(dirtree).dirs.toReversed());
  }
  if (!isWhole) return undefined;
  const fixed = Buffer.alloc(FIXED_BYTES);
  MAGIC.copy(fixed);
  fixed.writeUInt32LE(seen.size, MAGIC.length);
  return Buffer.concat([fixed, ...parts]);
}
