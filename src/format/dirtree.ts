/**
 * Dirtree `(a(say)a(sayay))`: one directory's files (name, file checksum) and subdirectories (name, dirtree and
 * dirmeta checksums), each list sorted bytewise by name.
 *
 * A tree of 35,000 files has thousands of these, so they have a codec of their own instead of the general one.
 * Decoding accepts normal form, sorted unique names and 32-byte checksums only.
 *
 * Source: ostree-format 5.2.
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum, fileNameProblem, HacktreeError, tryUtf8 } from '../core/index.ts';

export interface FileEntry {
  readonly name: string;
  readonly checksum: Checksum;
}

export interface DirEntry {
  readonly name: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

export type Subdir = Pick<DirEntry, 'name' | 'tree'>;

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
  const { split, body } = membersOf(bytes);
  const files: FileEntry[] = [];
  decodeArray(bytes, 0, split, 1, (name, at) => files.push({ name, checksum: checksumAt(bytes, at) }));
  const dirs: DirEntry[] = [];
  decodeArray(bytes, split, body, 2, (name, at) =>
    dirs.push({ name, tree: checksumAt(bytes, at), meta: checksumAt(bytes, at + CHECKSUM_BYTES) }),
  );
  checkDisjoint(files, dirs);
  return { files, dirs };
}

/** Decodes name and tree of the subdirectories; the files are passed over, unchecked. Errors: as decodeDirtree. */
export function decodeSubdirs(raw: Uint8Array): Subdir[] {
  const bytes = asBuffer(raw);
  const { split, body } = membersOf(bytes);
  const dirs: Subdir[] = [];
  decodeArray(bytes, split, body, 2, (name, at) => dirs.push({ name, tree: checksumAt(bytes, at) }));
  return dirs;
}

/** Where the files end, and the subdirectories. */
function membersOf(bytes: Buffer): { split: number; body: number } {
  const width = widthOf(bytes.length);
  if (bytes.length < width) throw bad('empty');
  const body = bytes.length - width;
  const split = readOffset(bytes, body, width);
  if (split > body || offsetWidth(body, 1) !== width) throw bad('framing offset out of range');
  return { split, body };
}

const widthOf = (length: number): number => (length <= 0xff ? 1 : length <= 0xffff ? 2 : 4);

function checksumAt(bytes: Buffer, at: number): Checksum {
  return bytes.toString('hex', at, at + CHECKSUM_BYTES) as Checksum;
}

/**
 * Decodes the array from `from` to `to`; `add` gets each name and where its first checksum is. Works on positions: a view of
 * each entry would cost more than all else.
 */
function decodeArray(bytes: Buffer, from: number, to: number, count: 1 | 2, add: (name: string, at: number) => void): void {
  const length = to - from;
  if (length === 0) return;
  const width = widthOf(length);
  const body = length < width ? -1 : readOffset(bytes, to - width, width);
  const entries = (length - body) / width;
  if (body < 0 || body > length - width || !Number.isInteger(entries)) throw bad('framing offset out of range');
  if (offsetWidth(body, entries) !== width) throw bad('framing offsets wider than needed');
  let start = 0;
  let previousStart = -1;
  let previousEnd = -1;
  for (let at = from + body; at < to; at += width) {
    const end = readOffset(bytes, at, width);
    if (end < start || end > body) throw bad('framing offsets go backwards');
    const nameEnd = checkEntry(bytes, from + start, from + end, count);
    const name = decodeName(bytes, from + start, nameEnd);
    if (previousStart >= 0 && bytes.compare(bytes, from + start, nameEnd, previousStart, previousEnd) >= 0) {
      throw bad(`names are not sorted or not unique at '${name}'`);
    }
    previousStart = from + start;
    previousEnd = nameEnd;
    add(name, nameEnd + 1);
    start = end;
  }
  if (start !== body) throw bad('bytes after the last entry');
}

/** Checks the framing of one entry and returns where its name ends. */
function checkEntry(bytes: Buffer, from: number, to: number, count: 1 | 2): number {
  const length = to - from;
  const width = length <= 0xff ? 1 : 2;
  const body = length - count * width;
  const nameEnd = body - count * CHECKSUM_BYTES;
  if (nameEnd < 1 || bytes[from + nameEnd - 1] !== 0) throw bad('entry without name or with a checksum of a wrong length');
  if (offsetWidth(body, count) !== width) throw bad('framing offsets wider than needed');
  for (let i = 0; i < count; i++) {
    if (readOffset(bytes, from + body + i * width, width) !== nameEnd + (count - 1 - i) * CHECKSUM_BYTES) {
      throw bad('entry with a checksum of a wrong length');
    }
  }
  return from + nameEnd - 1;
}

function decodeName(bytes: Buffer, from: number, to: number): string {
  const name = isAscii(bytes, from, to) ? bytes.toString('latin1', from, to) : tryUtf8(bytes.subarray(from, to));
  if (name === undefined) throw bad('name is not UTF-8');
  const problem = fileNameProblem(name);
  if (problem !== undefined) throw new HacktreeError('path-unsafe', problem, { details: { found: name } });
  return name;
}

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}

function checkDisjoint(files: readonly FileEntry[], dirs: readonly DirEntry[]): void {
  if (files.length === 0 || dirs.length === 0) return;
  const names = new Set(dirs.map((dir) => dir.name));
  const twice = files.find((file) => names.has(file.name));
  if (twice !== undefined) throw bad(`'${twice.name}' is both a file and a directory`);
}

const bad = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid directory tree: ${why}`);
