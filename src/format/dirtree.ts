/**
 * Dirtree `(a(say)a(sayay))`: one directory's files (name, file checksum) and subdirectories (name, dirtree and
 * dirmeta checksums), each list sorted bytewise by name.
 *
 * A tree of 35,000 files has thousands of these, so they have a codec of their own instead of the general one.
 * Decoding accepts normal form, sorted unique names and 32-byte checksums only.
 *
 * Source: ostree-format 5.2.
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum, compareBytes, fileNameProblem, HacktreeError, tryUtf8 } from '../core/index.ts';

export interface FileEntry {
  readonly name: string;
  readonly checksum: Checksum;
}

export interface DirEntry {
  readonly name: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

export interface Dirtree {
  readonly files: readonly FileEntry[];
  readonly dirs: readonly DirEntry[];
}

/** Encodes a directory. Names must be checked, sorted (compareUtf8) and unique. */
export function encodeDirtree({ files, dirs }: Dirtree): Buffer {
  const fileArray = encodeArray(files.map(({ name, checksum }) => encodeEntry(name, [checksum])));
  const dirArray = encodeArray(dirs.map(({ name, tree, meta }) => encodeEntry(name, [tree, meta])));
  const body = fileArray.length + dirArray.length;
  const width = offsetWidth(body, 1);
  const bytes = Buffer.allocUnsafe(body + width);
  fileArray.copy(bytes, 0);
  dirArray.copy(bytes, fileArray.length);
  writeOffset(bytes, fileArray.length, body, width);
  return bytes;
}

/** One `(say)` or `(sayay)`: name, NUL, checksums, then the ends of all but the last member, in reverse. */
function encodeEntry(name: string, checksums: readonly Checksum[]): Buffer {
  const nameEnd = Buffer.byteLength(name) + 1;
  const body = nameEnd + checksums.length * CHECKSUM_BYTES;
  const width = offsetWidth(body, checksums.length);
  const bytes = Buffer.allocUnsafe(body + checksums.length * width);
  bytes.write(name, 0, 'utf8');
  bytes[nameEnd - 1] = 0;
  for (const [i, checksum] of checksums.entries()) bytes.write(checksum, nameEnd + i * CHECKSUM_BYTES, 'hex');
  for (let i = 0; i < checksums.length; i++) {
    const end = nameEnd + (checksums.length - 1 - i) * CHECKSUM_BYTES;
    writeOffset(bytes, end, body + i * width, width);
  }
  return bytes;
}

function encodeArray(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return Buffer.alloc(0);
  const body = entries.reduce((sum, entry) => sum + entry.length, 0);
  const width = offsetWidth(body, entries.length);
  const bytes = Buffer.allocUnsafe(body + entries.length * width);
  let at = 0;
  entries.forEach((entry, i) => {
    entry.copy(bytes, at);
    at += entry.length;
    writeOffset(bytes, at, body + i * width, width);
  });
  return bytes;
}

function offsetWidth(body: number, count: number): number {
  return body + count <= 0xff ? 1 : body + 2 * count <= 0xffff ? 2 : 4;
}

function writeOffset(bytes: Buffer, value: number, at: number, width: number): void {
  if (width === 1) bytes[at] = value;
  else bytes.writeUIntLE(value, at, width);
}

function readOffset(bytes: Buffer, at: number, width: number): number {
  return width === 1 ? (bytes[at] ?? 0) : bytes.readUIntLE(at, width);
}

/** Decodes a directory. Errors: `format-invalid` (bytes), `path-unsafe` (a name that must not be in a tree). */
export function decodeDirtree(raw: Uint8Array): Dirtree {
  const bytes = asBuffer(raw);
  const width = bytes.length <= 0xff ? 1 : bytes.length <= 0xffff ? 2 : 4;
  if (bytes.length < width) throw bad('empty');
  const body = bytes.length - width;
  const split = readOffset(bytes, body, width);
  if (split > body || offsetWidth(body, 1) !== width) throw bad('framing offset out of range');
  const files: FileEntry[] = [];
  const dirs: DirEntry[] = [];
  decodeArray(bytes.subarray(0, split), 1, (name, [checksum]) => files.push({ name, checksum: checksum as Checksum }));
  decodeArray(bytes.subarray(split, body), 2, (name, [tree, meta]) =>
    dirs.push({ name, tree: tree as Checksum, meta: meta as Checksum }),
  );
  checkDisjoint(files, dirs);
  return { files, dirs };
}

function decodeArray(bytes: Buffer, count: 1 | 2, add: (name: string, checksums: Checksum[]) => void): void {
  if (bytes.length === 0) return;
  const width = bytes.length <= 0xff ? 1 : bytes.length <= 0xffff ? 2 : 4;
  const body = bytes.length < width ? -1 : readOffset(bytes, bytes.length - width, width);
  const entries = (bytes.length - body) / width;
  if (body < 0 || body > bytes.length - width || !Number.isInteger(entries)) throw bad('framing offset out of range');
  if (offsetWidth(body, entries) !== width) throw bad('framing offsets wider than needed');
  let start = 0;
  let previous: Buffer | undefined;
  for (let at = body; at < bytes.length; at += width) {
    const end = readOffset(bytes, at, width);
    if (end < start || end > body) throw bad('framing offsets go backwards');
    previous = decodeEntry(bytes.subarray(start, end), count, previous, add);
    start = end;
  }
  if (start !== body) throw bad('bytes after the last entry');
}

function decodeEntry(
  bytes: Buffer,
  count: 1 | 2,
  previous: Buffer | undefined,
  add: (name: string, checksums: Checksum[]) => void,
): Buffer {
  const width = bytes.length <= 0xff ? 1 : 2;
  const body = bytes.length - count * width;
  const nameEnd = body - count * CHECKSUM_BYTES;
  if (nameEnd < 1 || bytes[nameEnd - 1] !== 0) throw bad('entry without name or with a checksum of a wrong length');
  if (offsetWidth(body, count) !== width) throw bad('framing offsets wider than needed');
  for (let i = 0; i < count; i++) {
    if (readOffset(bytes, body + i * width, width) !== nameEnd + (count - 1 - i) * CHECKSUM_BYTES) {
      throw bad('entry with a checksum of a wrong length');
    }
  }
  const rawName = bytes.subarray(0, nameEnd - 1);
  const name = tryUtf8(rawName);
  if (name === undefined) throw bad('name is not UTF-8');
  const problem = fileNameProblem(name);
  if (problem !== undefined) throw new HacktreeError('path-unsafe', problem, { details: { found: name } });
  if (previous !== undefined && compareBytes(previous, rawName) >= 0)
    throw bad(`names are not sorted or not unique at '${name}'`);
  const checksums: Checksum[] = [];
  for (let i = 0; i < count; i++) {
    checksums.push(bytes.toString('hex', nameEnd + i * CHECKSUM_BYTES, nameEnd + (i + 1) * CHECKSUM_BYTES) as Checksum);
  }
  add(name, checksums);
  return rawName;
}

function checkDisjoint(files: readonly FileEntry[], dirs: readonly DirEntry[]): void {
  if (files.length === 0 || dirs.length === 0) return;
  const names = new Set(dirs.map((dir) => dir.name));
  const twice = files.find((file) => names.has(file.name));
  if (twice !== undefined) throw bad(`'${twice.name}' is both a file and a directory`);
}

const bad = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid directory tree: ${why}`);
