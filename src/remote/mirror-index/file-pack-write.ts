/**
 * Packing the small file objects of a mirror's refs; caller holds the repository's lock.
 *
 * A pack that is there stays as long as at least half of its bytes are what refs name. What no pack has gets a new one, once there is
 * enough of it, which takes in packs that are not much larger, so that they number about the logarithm of the objects. Packs are
 * complete and durable before `current` names them; those that it named before stay for readers that are in the middle of them.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, errnoOf, HacktreeError, isHacktreeError, sha256, wrapSystemError } from '../../core/index.ts';
import {
  hasObject,
  listAllRefs,
  loadCommit,
  objectPath,
  type Repo,
  readPart,
  rootOf,
  type TreeNode,
  walkTree,
} from '../../repo/index.ts';
import { DurableFile, ensureDir, writeFileDurable } from '../../sys/index.ts';
import {
  decodeTable,
  encodeTable,
  MAX_PACK_BYTES,
  MAX_PACK_OBJECTS,
  MAX_PACKED_BYTES,
  PACKS_DIR,
  type PackName,
  parsePacks,
  printPacks,
  tableBytes,
} from './file-pack.ts';

/** So few objects are fetched one by one rather than packed. */
const FEW_OBJECTS = 64;
/** A new pack takes in older ones that are at most so many times as large as what came together so far. */
const MERGE_RATIO = 2;

interface SmallObject {
  readonly checksum: Checksum;
  readonly archivedBytes: number;
}

interface KeptPack extends PackName {
  /** Those of its objects that refs name and no other pack has. */
  readonly live: readonly Checksum[];
}

/** Brings the packs up to date. Errors: `no-space`, system errors; the packs are then as they were. */
export function writeFilePacks(repo: Repo): void {
  try {
    updatePacks(repo);
  } catch (error) {
    const told = wrapSystemError(error, 'Packing the small files of', repo.path);
    if (!isHacktreeError(told) || told.code !== 'no-space') throw error;
    throw new HacktreeError(told.code, told.message, {
      details: { ...told.details, path: join(repo.path, PACKS_DIR) },
      hints: ['packs take about a quarter of the room of all objects; `hacktree config set archive.packs false` does without'],
      cause: error,
    });
  }
}

function updatePacks(repo: Repo): void {
  const dir = join(repo.path, PACKS_DIR);
  const before = namedBefore(dir);
  const named = namedFiles(repo);
  const unpacked = new Set(named);
  const kept = packsToKeep(dir, before, unpacked);
  const fresh = smallOnes(repo, unpacked);
  let packs: readonly PackName[] = kept;
  if (fresh.length >= FEW_OBJECTS) {
    const { merged, others } = packsToMerge(kept, fresh);
    const again = smallOnes(
      repo,
      merged.flatMap(({ live }) => live),
    );
    const chosen = new Map([...fresh, ...again].map((object) => [object.checksum, object]));
    const inOrder = [...named].flatMap((checksum) => chosen.get(checksum) ?? []);
    packs = [...others, ...writePacks(repo, dir, inOrder)];
  }
  publish(repo, dir, packs, before);
}

/** Removes all packs. Errors: system errors. */
export function removeFilePacks(repo: Repo): void {
  const dir = join(repo.path, PACKS_DIR);
  fs.rmSync(join(dir, 'current'), { force: true });
  fs.rmSync(dir, { recursive: true, force: true });
}

function namedBefore(dir: string): PackName[] {
  try {
    return parsePacks(fs.readFileSync(join(dir, 'current')));
  } catch (error) {
    if (isHacktreeError(error) || errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Finds what the commits of refs name, as far as it is here, in the order of the trees. */
function namedFiles(repo: Repo): Set<Checksum> {
  const files = new Set<Checksum>();
  const seen = new Set<Checksum>();
  const skip = (node: TreeNode): boolean =>
    node.kind === 'dir' && (seen.has(node.tree) || !hasObject(repo, node.tree, 'dirtree'));
  for (const { checksum } of listAllRefs(repo)) {
    if (!hasObject(repo, checksum, 'commit')) continue;
    for (const node of walkTree(repo, rootOf(loadCommit(repo, checksum)), { skip })) {
      if (node.kind === 'file') files.add(node.checksum);
      else seen.add(node.tree);
    }
  }
  return files;
}

/** Those of the objects that are here and small. */
function smallOnes(repo: Repo, checksums: Iterable<Checksum>): SmallObject[] {
  const found: SmallObject[] = [];
  for (const checksum of checksums) {
    const archivedBytes = fs.lstatSync(objectPath(repo, checksum, 'file'), { throwIfNoEntry: false })?.size;
    if (archivedBytes !== undefined && archivedBytes <= MAX_PACKED_BYTES) found.push({ checksum, archivedBytes });
  }
  return found;
}

/** Chooses among the packs that are there, and takes what they have out of `unpacked`. */
function packsToKeep(dir: string, before: readonly PackName[], unpacked: Set<Checksum>): KeptPack[] {
  return before.flatMap((pack): KeptPack[] => {
    const live = readTable(dir, pack).filter(({ checksum }) => unpacked.has(checksum));
    const liveBytes = live.reduce((sum, { start, end }) => sum + end - start, 0);
    if (live.length === 0 || liveBytes * 2 < pack.sizeBytes - tableBytes(pack.count)) return [];
    for (const { checksum } of live) unpacked.delete(checksum);
    return [{ ...pack, live: live.map(({ checksum }) => checksum) }];
  });
}

/** Reads the table of a pack that is here; empty for one that is gone or damaged. */
function readTable(dir: string, pack: PackName): ReturnType<typeof decodeTable> {
  try {
    const path = join(dir, pack.file);
    if (fs.statSync(path).size !== pack.sizeBytes) return [];
    const table = readPart(path, 0, tableBytes(pack.count));
    return pack.file.startsWith(sha256(table).toString('hex', 0, 16)) ? decodeTable(table, pack) : [];
  } catch (error) {
    if (isHacktreeError(error) || errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function packsToMerge(
  kept: readonly KeptPack[],
  fresh: readonly SmallObject[],
): { readonly merged: KeptPack[]; readonly others: KeptPack[] } {
  let bytes = fresh.reduce((sum, { archivedBytes }) => sum + archivedBytes, 0);
  const merged: KeptPack[] = [];
  const others: KeptPack[] = [];
  for (const pack of kept.toSorted((a, b) => a.sizeBytes - b.sizeBytes)) {
    const isTaken = pack.sizeBytes <= bytes * MERGE_RATIO && pack.sizeBytes < MAX_PACK_BYTES / 2;
    (isTaken ? merged : others).push(pack);
    if (isTaken) bytes += pack.sizeBytes;
  }
  return { merged, others };
}

/** Writes objects into as many packs as they need. */
function writePacks(repo: Repo, dir: string, objects: readonly SmallObject[]): PackName[] {
  ensureDir(dir);
  const packs: PackName[] = [];
  let group: SmallObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (group.length === MAX_PACK_OBJECTS || bytes + object.archivedBytes > MAX_PACK_BYTES) {
      packs.push(writePack(repo, dir, group));
      group = [];
      bytes = 0;
    }
    group.push(object);
    bytes += object.archivedBytes;
  }
  if (group.length > 0) packs.push(writePack(repo, dir, group));
  return packs;
}

function writePack(repo: Repo, dir: string, objects: readonly SmallObject[]): PackName {
  const table = encodeTable(objects);
  const file = `${sha256(table).toString('hex', 0, 16)}.pack`;
  const sizeBytes = objects.reduce((sum, { archivedBytes }) => sum + archivedBytes, table.length);
  const pack = { file, sizeBytes, count: objects.length };
  if (fs.statSync(join(dir, file), { throwIfNoEntry: false })?.size === sizeBytes) return pack;
  const target = new DurableFile(join(dir, file), { sync: repo.config.fsync });
  try {
    target.write(table);
    for (const chunk of contents(repo, objects)) target.write(chunk);
  } catch (error) {
    target.abort();
    throw error;
  }
  target.commit();
  return pack;
}

const CHUNK_BYTES = 1 << 20;

/** The `.filez` of objects, many in one buffer, which is used again. Errors: `object-corrupt` for one of another size. */
function* contents(repo: Repo, objects: readonly SmallObject[]): Generator<Buffer> {
  const room = Buffer.allocUnsafe(CHUNK_BYTES);
  let used = 0;
  for (const { checksum, archivedBytes } of objects) {
    if (used + archivedBytes + 1 > room.length) {
      yield room.subarray(0, used);
      used = 0;
    }
    const path = objectPath(repo, checksum, 'file');
    const fd = fs.openSync(path, 'r');
    try {
      const found = fs.readSync(fd, room, used, archivedBytes + 1, 0);
      if (found !== archivedBytes) throw anotherSize(path, archivedBytes, found);
    } finally {
      fs.closeSync(fd);
    }
    used += archivedBytes;
  }
  yield room.subarray(0, used);
}

function anotherSize(path: string, expected: number, found: number): HacktreeError {
  return new HacktreeError('object-corrupt', `${path} has another size than before`, {
    details: { path, expected, found },
    hints: ['hacktree fsck finds damaged objects'],
  });
}

/** Names the packs, and removes what neither this nor the update before named. */
function publish(repo: Repo, dir: string, packs: readonly PackName[], before: readonly PackName[]): void {
  if (packs.length === 0 && before.length === 0) return;
  ensureDir(dir);
  const named = printPacks(packs);
  if (!named.equals(printPacks(before))) writeFileDurable(join(dir, 'current'), named, { sync: repo.config.fsync });
  const used = new Set(['current', ...[...packs, ...before].map(({ file }) => file)]);
  for (const name of fs.readdirSync(dir)) if (!used.has(name)) fs.rmSync(join(dir, name), { force: true });
}
