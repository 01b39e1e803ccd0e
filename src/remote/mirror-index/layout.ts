/**
 * The mirror's content index: object checksum -> content digest, header, sizes; made to be read by Range requests.
 *
 *     extensions/hacktree/mirror-index/
 *         current        small text, replaced: names the index file and its numbers; `summary -u` writes it
 *         HEX32.idx      immutable; HEX32 = the first 32 hex digits of the SHA-256 of the file
 *
 * An index file, all numbers little-endian, n records, 2^b buckets:
 *
 *     0                 magic `HTMI`, u32 version 1, u32 b, u32 n
 *     16                u32 x (2^b + 1): entry i = number of records whose first b bits are below i
 *     R                 n records of 84 bytes, sorted by checksum:
 *                         0 object checksum (32), 32 content digest (32; zeros for a symlink),
 *                         64 u32 offset and 68 u32 length of the header in the headers, 72 u48 content bytes, 78 u48 bytes of the `.filez`
 *     H                 headers, each once: as hashed before the content (ostree-format 4), with prefix
 *
 * Buckets hold about eight records, so an object is found with one small request once the fan-out is known.
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum, type ContentDigest, HacktreeError } from '../../core/index.ts';

export const INDEX_DIR = 'extensions/hacktree/mirror-index';
export const MAGIC = Buffer.from('HTMI\x01\0\0\0', 'latin1');
export const FIXED_BYTES = 16;
export const RECORD_BYTES = 84;
/** Where in a record its fields are. */
export const RECORD_AT = {
  checksum: 0,
  digest: 32,
  headerOffset: 64,
  headerLength: 68,
  contentBytes: 72,
  archivedBytes: 78,
} as const;
const BUCKET_RECORDS = 8;
const MAX_BITS = 16;

/** Numbers from which every position in an index file follows. */
export interface IndexShape {
  readonly bits: number;
  readonly count: number;
}

/** The file `current`. */
export interface IndexPointer extends IndexShape {
  readonly file: string;
  readonly sizeBytes: number;
}

export interface IndexRecord {
  readonly checksum: Checksum;
  /** Undefined for a symlink. */
  readonly digest: ContentDigest | undefined;
  readonly headerOffset: number;
  readonly headerLength: number;
  readonly contentBytes: number;
  readonly archivedBytes: number;
}

/** Chooses the number of buckets for n records, as bits. */
export function bitsFor(count: number): number {
  return Math.min(MAX_BITS, Math.max(0, Math.ceil(Math.log2(Math.max(1, count / BUCKET_RECORDS)))));
}

export const fanoutBytes = (bits: number): number => 4 * (2 ** bits + 1);
export const recordsOffset = ({ bits }: IndexShape): number => FIXED_BYTES + fanoutBytes(bits);
export const headersOffset = (shape: IndexShape): number => recordsOffset(shape) + shape.count * RECORD_BYTES;

/** The bucket of a checksum. */
export function bucketOf(checksum: Checksum, bits: number): number {
  return Math.floor(Number.parseInt(checksum.slice(0, 8), 16) / 2 ** (32 - bits));
}

/** Writes a record into a buffer. */
export function writeRecord(buffer: Buffer, at: number, record: IndexRecord): void {
  buffer.write(record.checksum, at + RECORD_AT.checksum, CHECKSUM_BYTES, 'hex');
  if (record.digest === undefined) buffer.fill(0, at + RECORD_AT.digest, at + RECORD_AT.headerOffset);
  else buffer.write(record.digest, at + RECORD_AT.digest, CHECKSUM_BYTES, 'hex');
  buffer.writeUInt32LE(record.headerOffset, at + RECORD_AT.headerOffset);
  buffer.writeUInt32LE(record.headerLength, at + RECORD_AT.headerLength);
  buffer.writeUIntLE(record.contentBytes, at + RECORD_AT.contentBytes, 6);
  buffer.writeUIntLE(record.archivedBytes, at + RECORD_AT.archivedBytes, 6);
}

export function printPointer({ file, sizeBytes, bits, count }: IndexPointer): Buffer {
  return Buffer.from(`hacktree-mirror-index 1\nfile ${file}\nsize ${sizeBytes}\nbits ${bits}\nrecords ${count}\n`);
}

/** Reads `current`; undefined for a version that is not known. Errors: `index-corrupt`. */
export function parsePointer(bytes: Uint8Array): IndexPointer | undefined {
  const text = asBuffer(bytes).toString('latin1');
  if (/^hacktree-mirror-index (?!1\n)\d+\n/.test(text)) return undefined;
  const match = /^hacktree-mirror-index 1\nfile ([0-9a-f]{32}\.idx)\nsize (\d{1,12})\nbits (\d{1,2})\nrecords (\d{1,9})\n$/.exec(
    text,
  );
  const [, file = '', size, bits, count] = match ?? [];
  const pointer = { file, sizeBytes: Number(size), bits: Number(bits), count: Number(count) };
  if (match !== null && pointer.bits <= MAX_BITS && headersOffset(pointer) <= pointer.sizeBytes) return pointer;
  throw new HacktreeError('index-corrupt', `Invalid ${INDEX_DIR}/current of the mirror`, {
    details: { found: text.slice(0, 80) },
  });
}
