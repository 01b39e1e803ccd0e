/**
 * Writing the mirror's content index beside the objects, from what is in the repository; the packs of directories and of small files go along.
 *
 * Records of the index that was there are taken over, digests come from the repository's own content index, and only what
 * neither knows is read. The new file is complete and durable before `current` names it; the one before stays for readers
 * that are in the middle of it, older ones go.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, type ContentDigest, HacktreeError, sha256, wrapSystemError } from '../../core/index.ts';
import { encodeFileHeader, isSymlinkMode } from '../../format/index.ts';
import { indexObjects, listObjects, loadFile, openContentIndex, type Repo } from '../../repo/index.ts';
import { ensureDir, writeFileDurable } from '../../sys/index.ts';
import { removeFilePacks, writeFilePacks } from './file-pack-write.ts';
import {
  bitsFor,
  bucketOf,
  FIXED_BYTES,
  headersOffset,
  INDEX_DIR,
  type IndexRecord,
  MAGIC,
  parsePointer,
  printPointer,
  RECORD_BYTES,
  recordsOffset,
  writeRecord,
} from './layout.ts';
import { IndexRecords } from './records.ts';
import { writeTreePacks } from './tree-pack.ts';

export interface MirrorIndexReport {
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** Objects whose content had to be read. */
  readonly hashedCount: number;
}

/** Writes the index. Errors: `repo-mode` unless the repository is an archive, `no-space`, system errors. */
export async function writeMirrorIndex(repo: Repo, options: { threads?: number } = {}): Promise<MirrorIndexReport> {
  if (repo.mode !== 'archive') {
    throw new HacktreeError('repo-mode', `${repo.path} is not an archive repository; only those are served`, {
      details: { path: repo.path },
    });
  }
  const own = { ...repo, parent: undefined };
  try {
    const old = readOwnIndex(repo);
    const objects = [...listObjects(own)]
      .filter(({ type }) => type === 'file')
      .map(({ checksum }) => checksum)
      .sort();
    const unknown = objects.filter((checksum) => !old.has(checksum));
    const { digests, hashedCount } = await digestsOf(own, unknown, options.threads);
    const bytes = buildIndex(own, objects, old, digests);
    writeTreePacks(own);
    if (repo.config.hasFilePacks) writeFilePacks(own);
    else removeFilePacks(own);
    return { ...publish(repo, bytes, objects.length), hashedCount };
  } catch (error) {
    throw wrapSystemError(error, 'Writing the content index of', repo.path);
  }
}

interface KnownRecord extends IndexRecord {
  readonly header: Buffer;
}

/** What the index that is there says. A damaged one says nothing. */
function readOwnIndex(repo: Repo): Map<Checksum, KnownRecord> {
  const known = new Map<Checksum, KnownRecord>();
  try {
    const pointer = parsePointer(fs.readFileSync(join(repo.path, INDEX_DIR, 'current')));
    if (pointer === undefined) return known;
    const bytes = fs.readFileSync(join(repo.path, INDEX_DIR, pointer.file));
    if (!pointer.file.startsWith(sha256(bytes).toString('hex', 0, 16))) return known;
    const headers = headersOffset(pointer);
    const records = new IndexRecords(bytes.subarray(recordsOffset(pointer), headers));
    for (let row = 0; row < records.count; row++) {
      const record = records.record(row);
      const start = headers + record.headerOffset;
      known.set(record.checksum, { ...record, header: bytes.subarray(start, start + record.headerLength) });
    }
  } catch {
    known.clear();
  }
  return known;
}

async function digestsOf(
  repo: Repo,
  objects: readonly Checksum[],
  threads: number | undefined,
): Promise<{ digests: Map<Checksum, ContentDigest>; hashedCount: number }> {
  const digests = new Map<Checksum, ContentDigest>();
  if (objects.length === 0) return { digests, hashedCount: 0 };
  const wanted = new Set<Checksum>(objects);
  const index = openContentIndex(repo);
  for (const piece of index.records()) {
    for (let at = 0; at < piece.length; at += 64) {
      const object = piece.toString('hex', at + 32, at + 64) as Checksum;
      if (wanted.delete(object)) digests.set(object, piece.toString('hex', at, at + 32) as ContentDigest);
    }
  }
  index.close();
  const rest = [...wanted].filter((checksum) => !isSymlinkMode(loadFile(repo, checksum).header.mode));
  // What is not in the repository's own index is added there too.
  if (rest.length > 0) await indexObjects(repo, rest, { threads }, (object, digest) => void digests.set(object, digest));
  return { digests, hashedCount: rest.length };
}

function buildIndex(
  repo: Repo,
  objects: readonly Checksum[],
  old: ReadonlyMap<Checksum, KnownRecord>,
  digests: ReadonlyMap<Checksum, ContentDigest>,
): Buffer {
  const headers = new HeaderTable();
  const found = objects.flatMap((checksum): IndexRecord[] => {
    const known = old.get(checksum);
    if (known !== undefined) return [{ ...known, ...headers.add(known.header) }];
    const { header, sizeBytes, diskBytes } = loadFile(repo, checksum);
    const digest = digests.get(checksum);
    if (digest === undefined && !isSymlinkMode(header.mode)) return [];
    return [{ checksum, digest, ...headers.add(encodeFileHeader(header)), contentBytes: sizeBytes, archivedBytes: diskBytes }];
  });
  const shape = { bits: bitsFor(found.length), count: found.length };
  const bytes = Buffer.alloc(headersOffset(shape));
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(shape.bits, 8);
  bytes.writeUInt32LE(shape.count, 12);
  const buckets = new Uint32Array(2 ** shape.bits + 1);
  found.forEach((record, i) => {
    const next = bucketOf(record.checksum, shape.bits) + 1;
    buckets[next] = (buckets[next] ?? 0) + 1;
    writeRecord(bytes, recordsOffset(shape) + i * RECORD_BYTES, record);
  });
  let below = 0;
  buckets.forEach((count, i) => {
    below += count;
    bytes.writeUInt32LE(below, FIXED_BYTES + i * 4);
  });
  return Buffer.concat([bytes, headers.bytes()]);
}

/** Distinct headers, in order of first use. */
class HeaderTable {
  readonly #places = new Map<string, { headerOffset: number; headerLength: number }>();
  readonly #parts: Buffer[] = [];
  #length = 0;

  add(header: Buffer): { headerOffset: number; headerLength: number } {
    const key = header.toString('latin1');
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { headerOffset: this.#length, headerLength: header.length };
      this.#places.set(key, place);
      this.#parts.push(header);
      this.#length += header.length;
    }
    return place;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function publish(repo: Repo, bytes: Buffer, count: number): { recordCount: number; sizeBytes: number } {
  const dir = join(repo.path, INDEX_DIR);
  const sync = repo.config.fsync;
  ensureDir(dir);
  const file = `${sha256(bytes).toString('hex', 0, 16)}.idx`;
  const pointerPath = join(dir, 'current');
  const before = fs.existsSync(pointerPath) ? parsePointer(fs.readFileSync(pointerPath))?.file : undefined;
  if (!fs.existsSync(join(dir, file))) writeFileDurable(join(dir, file), bytes, { sync });
  const pointer = { file, sizeBytes: bytes.length, bits: bytes.readUInt32LE(8), count: bytes.readUInt32LE(12) };
  writeFileDurable(pointerPath, printPointer(pointer), { sync });
  for (const name of fs.readdirSync(dir)) {
    if (/^[0-9a-f]{32}\.idx$/.test(name) && name !== file && name !== before) fs.rmSync(join(dir, name), { force: true });
  }
  return { recordCount: Math.min(count, pointer.count), sizeBytes: bytes.length };
}
