/**
 * The metadata `ostree.sizes` of a commit: how many bytes each object it needs takes, so that a client can tell the
 * size of a pull beforehand.
 *
 * An `aay`, one entry per object, sorted by checksum: 32 bytes checksum, varint archived size (bytes of the loose
 * object in an archive repository), varint unpacked size (content bytes; for metadata the archived size), 1 byte type.
 *
 * Source: ostree-format 5.4.
 */
import { CHECKSUM_BYTES, type Checksum, checksumFromBytes, checksumToBytes, HacktreeError } from '../core/index.ts';
import type { Dict, Variant } from './gvariant.ts';
import { lookup } from './gvariant.ts';
import { OBJECT_TYPE_NUMBER, type ObjectType, objectTypeFromNumber } from './objects.ts';
import { decodeVarint, encodeVarint } from './varint.ts';

export const SIZES_KEY = 'ostree.sizes';

export interface ObjectSize {
  readonly checksum: Checksum;
  /** Undefined in commits of very old writers. */
  readonly type: ObjectType | undefined;
  readonly archivedBytes: number;
  readonly unpackedBytes: number;
}

/** Encodes sizes, which must be sorted by checksum, as the value of `ostree.sizes`. */
export function encodeSizes(sizes: readonly ObjectSize[]): Variant {
  const value = sizes.map(({ checksum, type, archivedBytes, unpackedBytes }) =>
    Buffer.concat([
      checksumToBytes(checksum),
      encodeVarint(archivedBytes),
      encodeVarint(unpackedBytes),
      Buffer.from(type === undefined ? [] : [OBJECT_TYPE_NUMBER[type]]),
    ]),
  );
  return { type: 'aay', value };
}

/** Decodes the value of `ostree.sizes`. Errors: `format-invalid`. */
export function decodeSizes({ type, value }: Variant): ObjectSize[] {
  if (type !== 'aay') throw invalid(`type ${type}, expected aay`);
  return (value as Uint8Array[]).map(decodeEntry);
}

/** Reads the sizes of a commit's metadata; undefined when it has none. Errors: `format-invalid`. */
export function sizesOf(metadata: Dict): ObjectSize[] | undefined {
  const variant = lookup(metadata, SIZES_KEY);
  return variant === undefined ? undefined : decodeSizes(variant);
}

function decodeEntry(entry: Uint8Array): ObjectSize {
  if (entry.length < CHECKSUM_BYTES + 2) throw invalid(`entry of ${entry.length} bytes`);
  const checksum = checksumFromBytes(entry.subarray(0, CHECKSUM_BYTES));
  const archived = decodeVarint(entry, CHECKSUM_BYTES);
  const unpacked = decodeVarint(entry, archived.end);
  const rest = entry.subarray(unpacked.end);
  const type = objectTypeFromNumber(rest[0] ?? 0);
  if (rest.length > 1 || (rest.length === 1 && type === undefined)) throw invalid(`entry of ${checksum} has a wrong end`);
  return { checksum, type, archivedBytes: archived.value, unpackedBytes: unpacked.value };
}

const invalid = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid ${SIZES_KEY}: ${why}`);
