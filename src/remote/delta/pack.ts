/**
 * A part as a file: encoded and compressed; and back.
 *
 * **Source:** ostree-format 10.2, 10.3.
 */
import { type Checksum, checksumOf, HacktreeError } from '../../core/index.ts';
import {
  type DeltaPart,
  decodePartFile,
  decodePayload,
  encodePartFile,
  encodePayload,
  type PartFile,
  type PartPayload,
} from '../../format/index.ts';
import { compressXz, decompressXz, decompressXzSync } from '../../sys/index.ts';

export interface PackedPart {
  /** The part file, with its first byte. */
  readonly bytes: Uint8Array;
  /** SHA-256 of it. */
  readonly checksum: Checksum;
}

/**
 * Makes the file of a part. It is always xz, if need be an xz file without compression: ostree 2022.7 cannot read
 * uncompressed parts of more than 16 KiB (it maps the file at offset 1).
 */
export function packPart(payload: PartPayload): PackedPart {
  const plain = encodePayload(payload);
  const xz = Buffer.concat([...compressXz([plain], { inputBytes: plain.length })]);
  const bytes = encodePartFile({ compression: 'xz', bytes: xz });
  return { bytes, checksum: checksumOf(bytes) };
}

/**
 * Most bytes that the payload of an honest part has: what it makes, bsdiff's control data and sums of the same size again,
 * tables and program. A part that unpacks to more is a bomb.
 */
export function maxPayloadBytes({ unpackedBytes, objects }: Pick<DeltaPart, 'unpackedBytes' | 'objects'>): number {
  const bound = 2n * unpackedBytes + BigInt(objects.length) * 70_000n + 1_048_576n;
  if (bound > BigInt(MAX_PAYLOAD_BYTES)) return MAX_PAYLOAD_BYTES;
  return Number(bound);
}

/** A payload is held in memory; parts are made of 32 MB of data or of one object. */
const MAX_PAYLOAD_BYTES = 2 ** 31 - 1;

/** Checks a part file against its description. Errors: `delta-invalid`. */
export function checkPartFile(bytes: Uint8Array, part: DeltaPart): void {
  if (part.version !== 0) throw invalid(`version ${part.version}, expected 0`);
  const found = checksumOf(bytes);
  if (found !== part.checksum) throw invalid(`checksum ${found}, expected ${part.checksum}`);
}

/** Unpacks a part file; needs liblzma for compressed ones. Errors: `delta-invalid`, `not-supported`. */
export function unpackPartSync(file: PartFile, part: DeltaPart): PartPayload {
  if (file.compression === 'none') return decode(file.bytes);
  return decode(Buffer.concat([...decompressXzSync([file.bytes], xzLimits(part))]));
}

/** Unpacks a part file with or without liblzma. Errors: `delta-invalid`. */
export async function unpackPart(file: PartFile, part: DeltaPart): Promise<PartPayload> {
  if (file.compression === 'none') return decode(file.bytes);
  const pieces: Buffer[] = [];
  for await (const piece of decompressXz([file.bytes], xzLimits(part))) pieces.push(piece);
  return decode(Buffer.concat(pieces));
}

/** Splits and checks the bytes of a part file. Errors: `delta-invalid`. */
export function readPartFile(bytes: Uint8Array, part: DeltaPart): PartFile {
  checkPartFile(bytes, part);
  return asDelta(() => decodePartFile(bytes));
}

const xzLimits = (part: DeltaPart) => ({
  maxBytes: maxPayloadBytes(part),
  what: 'a part of a static delta',
  code: 'delta-invalid' as const,
});

const decode = (bytes: Uint8Array): PartPayload => asDelta(() => decodePayload(bytes));

function asDelta<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if ((cause as HacktreeError).code !== 'format-invalid') throw cause;
    throw new HacktreeError('delta-invalid', (cause as Error).message, { cause });
  }
}

const invalid = (why: string): HacktreeError => new HacktreeError('delta-invalid', `Invalid part of a static delta: ${why}`);
