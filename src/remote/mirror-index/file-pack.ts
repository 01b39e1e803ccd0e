/**
 * Packs of small file objects on a mirror: a client that lacks many neighbours in a tree asks for a run of them at once.
 *
 *     extensions/hacktree/mirror-packs/
 *         current        small text, replaced: names the packs, their sizes and numbers of objects; `summary -u` writes it
 *         HEX32.pack     immutable; HEX32 = the first 32 hex digits of the SHA-256 of its table
 *
 * A pack, all numbers little-endian, n objects:
 *
 *     0     the table: magic `HTMF`, u32 version 1, u32 n, then n entries of 36 bytes, in the order of the objects:
 *             0 checksum (32), 32 u32 length of the `.filez`
 *     E     the `.filez` of all objects, one after the other; E = 12 + 36 n
 *
 * Objects are in the order of the trees they were packed for, so that what is missing together lies together. Every object is on
 * the mirror by itself too; whatever is wrong with a pack, objects are fetched one by one.
 */
import { CHECKSUM_BYTES, type Checksum, HacktreeError } from '../../core/index.ts';

export const PACKS_DIR = 'extensions/hacktree/mirror-packs';
const PACK_MAGIC = Buffer.from('HTMF\x01\0\0\0', 'latin1');
/** Where a pack's entries begin. */
const ENTRIES_OFFSET = 12;
const ENTRY_BYTES = CHECKSUM_BYTES + 4;
/** Larger `.filez` are not packed: one request each costs little beside their bytes. */
export const MAX_PACKED_BYTES = 1 << 16;
/** A pack has at most so many objects and bytes, so that its table can be read in one go and its file kept by any cache. */
export const MAX_PACK_OBJECTS = 1 << 16;
export const MAX_PACK_BYTES = 1 << 27;
const MAX_PACKS = 1000;

/** A line of the file `current`. */
export interface PackName {
  /** `HEX32.pack`. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly count: number;
}

export interface PackEntry {
  readonly checksum: Checksum;
  /** Of the `.filez` in the pack's file. */
  readonly start: number;
  readonly end: number;
}

export const packPath = (file: string): string => `${PACKS_DIR}/${file}`;
export const tableBytes = (count: number): number => ENTRIES_OFFSET + count * ENTRY_BYTES;

export function printPacks(packs: readonly PackName[]): Buffer {
  const lines = packs.map(({ file, sizeBytes, count }) => `pack ${file} ${sizeBytes} ${count}\n`);
  return Buffer.from(`hacktree-mirror-packs 1\n${lines.join('')}`);
}

/** Reads `current`; empty for a version that is not known. Errors: `index-corrupt`. */
export function parsePacks(bytes: Buffer): PackName[] {
  const [first, ...lines] = bytes.toString('latin1').split('\n');
  if (first !== undefined && /^hacktree-mirror-packs (?!1$)\d+$/.test(first)) return [];
  if (first !== 'hacktree-mirror-packs 1' || lines.pop() !== '') throw corrupt('current', first?.slice(0, 80) ?? '');
  if (lines.length > MAX_PACKS) throw corrupt('current', `${lines.length} packs`);
  return lines.map((line) => {
    const [, file = '', sizeBytes, count] = /^pack ([0-9a-f]{32}\.pack) (\d{1,12}) (\d{1,7})$/.exec(line) ?? [];
    const pack = { file, sizeBytes: Number(sizeBytes), count: Number(count) };
    if (file !== '' && pack.count <= MAX_PACK_OBJECTS && tableBytes(pack.count) <= pack.sizeBytes) return pack;
    throw corrupt('current', line.slice(0, 80));
  });
}

/** Writes the table of a pack. */
export function encodeTable(objects: readonly { readonly checksum: Checksum; readonly archivedBytes: number }[]): Buffer {
  const table = Buffer.alloc(tableBytes(objects.length));
  PACK_MAGIC.copy(table);
  table.writeUInt32LE(objects.length, PACK_MAGIC.length);
  objects.forEach(({ checksum, archivedBytes }, i) => {
    const at = tableBytes(i);
    table.write(checksum, at, CHECKSUM_BYTES, 'hex');
    table.writeUInt32LE(archivedBytes, at + CHECKSUM_BYTES);
  });
  return table;
}

/** Takes the table of a pack apart. Errors: `index-corrupt` unless it is what `current` says. */
export function decodeTable(table: Buffer, { file, count, sizeBytes }: PackName): PackEntry[] {
  const isWhole = table.length === tableBytes(count) && table.subarray(0, PACK_MAGIC.length).equals(PACK_MAGIC);
  if (!isWhole || table.readUInt32LE(PACK_MAGIC.length) !== count) throw corrupt(file, 'another beginning');
  const entries: PackEntry[] = [];
  let start = table.length;
  for (let at = ENTRIES_OFFSET; at < table.length; at += ENTRY_BYTES) {
    const end = start + table.readUInt32LE(at + CHECKSUM_BYTES);
    entries.push({ checksum: table.toString('hex', at, at + CHECKSUM_BYTES) as Checksum, start, end });
    start = end;
  }
  if (start !== sizeBytes) throw corrupt(file, `objects that end at ${start} of ${sizeBytes} bytes`);
  return entries;
}

function corrupt(file: string, found: string): HacktreeError {
  return new HacktreeError('index-corrupt', `Invalid ${packPath(file)} of the mirror: ${found}`, { details: { found } });
}
