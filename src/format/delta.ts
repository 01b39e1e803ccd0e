/**
 * The superblock of a static delta: which commit it leads to, its parts, and the objects to fetch one by one instead.
 *
 * `(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))`: metadata, time, from, to, the complete target commit, nothing,
 * parts, fallbacks. The time is big-endian; versions and sizes are in the byte order of the machine that made the delta,
 * named by the metadata `ostree.endianness` and guessed when that is missing.
 * A signed delta wraps the superblock: `(taya{sv})`, magic `OSTSGNDT`, superblock, signatures.
 * Payloads of parts are in delta-part.ts.
 *
 * Source: ostree-format 10.2, 10.3, 1.2.
 */
import {
  asBuffer,
  CHECKSUM_BYTES,
  type Checksum,
  checksumFromBytes,
  checksumToBytes,
  EMPTY_BYTES,
  HacktreeError,
  swap32,
  swap64,
} from '../core/index.ts';
import { COMMIT_TYPE, type Commit, commitFromValue, commitToValue } from './commit.ts';
import { deltaDirectory } from './delta-names.ts';
import { decodePartFile, type PartFile } from './delta-part.ts';
import { type Dict, encodeVariant, type GValue, lookup } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';
import { OBJECT_TYPE_NUMBER, type ObjectName, type ObjectType, objectTypeFromNumber } from './objects.ts';

const SUPERBLOCK_TYPE = `(a{sv}tayay${COMMIT_TYPE}aya(uayttay)a(yaytt))`;
const SIGNED_TYPE = '(taya{sv})';
const SIGNED_MAGIC = Buffer.from('OSTSGNDT', 'latin1');
const OBJECT_ENTRY_BYTES = 1 + CHECKSUM_BYTES;
const ENDIANNESS_KEY = 'ostree.endianness';

export type ByteOrder = 'little' | 'big';

export interface DeltaPart {
  readonly version: number;
  /** SHA-256 of the part file, its first byte (compression) included. */
  readonly checksum: Checksum;
  /** Size of the part file. */
  readonly sizeBytes: bigint;
  /** Uncompressed size of the objects. */
  readonly unpackedBytes: bigint;
  /** What the part makes, in this order. */
  readonly objects: readonly ObjectName[];
}

/** An object that is fetched as an ordinary loose object. */
export interface DeltaFallback {
  readonly object: ObjectName;
  readonly compressedBytes: bigint;
  readonly unpackedBytes: bigint;
}

export interface Superblock {
  /** Everything but `ostree.endianness` may be there: keys of the user, inline parts, detached metadata. */
  readonly metadata: Dict;
  /** Time made, seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  /** The complete target commit; encodeCommit gives its exact bytes. */
  readonly commit: Commit;
  readonly parts: readonly DeltaPart[];
  readonly fallbacks: readonly DeltaFallback[];
  /** Order of versions and sizes in the bytes. */
  readonly byteOrder: ByteOrder;
}

type RawPart = [number, Uint8Array, bigint, bigint, Uint8Array];
type RawFallback = [number, Uint8Array, bigint, bigint];

/** Encodes a superblock. Its metadata must say its byte order (see endiannessEntry) for readers not to guess. */
export function encodeSuperblock(block: Superblock): Buffer {
  const big = block.byteOrder === 'big';
  const u = (value: number) => (big ? swap32(value) : value);
  const t = (value: bigint) => (big ? swap64(value) : value);
  return encodeVariant(SUPERBLOCK_TYPE, [
    block.metadata,
    swap64(block.timestampSec),
    block.from === undefined ? EMPTY_BYTES : checksumToBytes(block.from),
    checksumToBytes(block.to),
    commitToValue(block.commit),
    EMPTY_BYTES,
    block.parts.map((part) => [
      u(part.version),
      checksumToBytes(part.checksum),
      t(part.sizeBytes),
      t(part.unpackedBytes),
      encodeObjects(part.objects),
    ]),
    block.fallbacks.map(({ object, compressedBytes, unpackedBytes }) => [
      OBJECT_TYPE_NUMBER[object.type],
      checksumToBytes(object.checksum),
      t(compressedBytes),
      t(unpackedBytes),
    ]),
  ]);
}

/** Decodes a superblock (not a signed one, see decodeSignedDelta). Errors: `format-invalid`. */
export function decodeSuperblock(bytes: Uint8Array): Superblock {
  const [metadata, timestamp, from, to, commit, prerequisites, parts, fallbacks] = decodeVariant(SUPERBLOCK_TYPE, bytes) as [
    Dict,
    bigint,
    Uint8Array,
    Uint8Array,
    GValue,
    Uint8Array,
    RawPart[],
    RawFallback[],
  ];
  if (prerequisites.length > 0) throw invalid('it needs other deltas first');
  const byteOrder = byteOrderOf(metadata, parts);
  const big = byteOrder === 'big';
  const t = (value: bigint) => (big ? swap64(value) : value);
  return {
    metadata,
    timestampSec: swap64(timestamp),
    from: from.length === 0 ? undefined : checksumFromBytes(from),
    to: checksumFromBytes(to),
    commit: commitFromValue(commit),
    parts: parts.map(([version, checksum, size, unpacked, objects]) => ({
      version: big ? swap32(version) : version,
      checksum: checksumFromBytes(checksum),
      sizeBytes: t(size),
      unpackedBytes: t(unpacked),
      objects: decodeObjects(objects),
    })),
    fallbacks: fallbacks.map(([type, checksum, compressed, unpacked]) => ({
      object: { type: deltaObjectType(type), checksum: checksumFromBytes(checksum) },
      compressedBytes: t(compressed),
      unpackedBytes: t(unpacked),
    })),
    byteOrder,
  };
}

/** The metadata entry that names a byte order. */
export function endiannessEntry(byteOrder: ByteOrder): Dict[number] {
  return [ENDIANNESS_KEY, { type: 'y', value: byteOrder === 'little' ? 0x6c : 0x42 }];
}

function byteOrderOf(metadata: Dict, parts: readonly RawPart[]): ByteOrder {
  const entry = lookup(metadata, ENDIANNESS_KEY);
  if (entry !== undefined) {
    if (entry.type === 'y' && entry.value === 0x6c) return 'little';
    if (entry.type === 'y' && entry.value === 0x42) return 'big';
    throw invalid(`byte order '${String(entry.value)}' of type ${entry.type}`);
  }
  return looksSwapped(parts) ? 'big' : 'little';
}

/** Compression that adds more than a fifth, or objects of more than 4 GiB on average, tell that numbers are swapped. */
function looksSwapped(parts: readonly RawPart[]): boolean {
  let objects = 0n;
  let total = 0n;
  for (const [, , size, unpacked, list] of parts) {
    if (size > unpacked + unpacked / 5n) return true;
    objects += BigInt(Math.floor(list.length / OBJECT_ENTRY_BYTES));
    total += unpacked;
  }
  return objects > 0n && total / objects > 0xffffffffn;
}

/** Types that may be in a delta: files, dirtrees, dirmetas and commits. */
function deltaObjectType(number: number): ObjectType {
  const type = number <= 4 ? objectTypeFromNumber(number) : undefined;
  if (type === undefined) throw invalid(`object of type ${number}`);
  return type;
}

function encodeObjects(objects: readonly ObjectName[]): Buffer {
  return Buffer.concat(
    objects.flatMap(({ type, checksum }) => [Buffer.from([OBJECT_TYPE_NUMBER[type]]), checksumToBytes(checksum)]),
  );
}

function decodeObjects(bytes: Uint8Array): ObjectName[] {
  if (bytes.length % OBJECT_ENTRY_BYTES !== 0) throw invalid(`object list of ${bytes.length} bytes`);
  const objects: ObjectName[] = [];
  for (let at = 0; at < bytes.length; at += OBJECT_ENTRY_BYTES) {
    const type = deltaObjectType(bytes[at] ?? 0);
    objects.push({ type, checksum: checksumFromBytes(bytes.subarray(at + 1, at + OBJECT_ENTRY_BYTES)) });
  }
  return objects;
}

/** Key under which the metadata may hold the part of this number. */
export function inlinePartKey(block: Pick<Superblock, 'from' | 'to'>, index: number): string {
  return `${deltaDirectory(block)}/${index}`;
}

/** Returns a part that the superblock carries itself; undefined when it is a file. Errors: `format-invalid`. */
export function inlinePart(block: Superblock, index: number): PartFile | undefined {
  const entry = lookup(block.metadata, inlinePartKey(block, index));
  if (entry === undefined) return undefined;
  if (entry.type !== '(yay)') throw invalid(`inline part ${index} has type ${entry.type}, expected (yay)`);
  const [compression, bytes] = entry.value as [number, Uint8Array];
  return decodePartFile(Buffer.concat([Buffer.from([compression]), bytes]));
}

/** Returns the detached metadata of the target commit that the superblock carries. Errors: `format-invalid`. */
export function deltaCommitmeta(block: Superblock): Dict | undefined {
  const entry = lookup(block.metadata, deltaCommitmetaKey(block));
  if (entry !== undefined && entry.type !== 'a{sv}') throw invalid(`detached metadata has type ${entry.type}, expected a{sv}`);
  return entry?.value as Dict | undefined;
}

/** Key under which the metadata may hold the detached metadata of the target commit. */
export function deltaCommitmetaKey(block: Pick<Superblock, 'from' | 'to'>): string {
  return `${deltaDirectory(block)}/commitmeta`;
}

export interface SignedDelta {
  /** The bytes that are signed. */
  readonly superblock: Buffer;
  /** `ostree.sign.<type>`: aay. */
  readonly signatures: Dict;
}

/** Tells whether a superblock file is a signed one. */
export function isSignedDelta(bytes: Uint8Array): boolean {
  return asBuffer(bytes.subarray(0, SIGNED_MAGIC.length)).equals(SIGNED_MAGIC);
}

export function encodeSignedDelta({ superblock, signatures }: SignedDelta): Buffer {
  return encodeVariant(SIGNED_TYPE, [SIGNED_MAGIC.readBigUInt64LE(), superblock, signatures]);
}

/** Decodes a signed superblock file. Errors: `format-invalid`. */
export function decodeSignedDelta(bytes: Uint8Array): SignedDelta {
  if (!isSignedDelta(bytes)) throw invalid('no signature around it');
  const [, superblock, signatures] = decodeVariant(SIGNED_TYPE, bytes) as [bigint, Uint8Array, Dict];
  return { superblock: asBuffer(superblock), signatures };
}

const invalid = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid static delta: ${why}`);
