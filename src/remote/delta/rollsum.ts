/**
 * Finds unchanged stretches of two files by cutting both where their content says so.
 *
 * A rolling sum over 64 bytes ends a chunk wherever its low 13 bits are all ones (every 8 KiB on average, 32 KiB at
 * most), so an insertion moves the cuts after it along and the chunks stay the same. Chunks are matched by CRC-32 and
 * then compared byte by byte. Far cheaper than bsdiff, and good for files of which large parts are equal.
 *
 * **Source:** ostree-format 10.4; bup's DESIGN document (the rolling sum after rsync's).
 */
import { crc32 } from 'node:zlib';
import { asBuffer } from '../../core/index.ts';

const WINDOW_BYTES = 64;
const CHUNK_BITS = 13;
const CHUNK_MASK = 2 ** CHUNK_BITS - 1;
const MAX_CHUNK_BYTES = 32 * 1024;
/** Added to each byte, so that runs of zeros do not look all alike. */
const CHARACTER_OFFSET = 31;

/** A stretch of the target that the source has too. */
export interface CopiedRange {
  readonly sourceOffset: number;
  readonly targetOffset: number;
  readonly sizeBytes: number;
}

export interface RollsumMatches {
  /** Sorted by target offset, without overlap; neighbours that continue each other in the source are one. */
  readonly ranges: readonly CopiedRange[];
  /** Bytes of the target that the ranges cover. */
  readonly matchedBytes: number;
}

/** Gives the ends of the chunks of a file, in order; the last is its size. */
export function chunkEnds(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  let start = 0;
  let sum = WINDOW_BYTES * CHARACTER_OFFSET;
  let weighted = WINDOW_BYTES * (WINDOW_BYTES - 1) * CHARACTER_OFFSET;
  for (let i = 0; i < bytes.length; i++) {
    const added = bytes[i] as number;
    const dropped = i - start >= WINDOW_BYTES ? (bytes[i - WINDOW_BYTES] as number) : 0;
    sum = (sum + added - dropped) | 0;
    weighted = (weighted + sum - WINDOW_BYTES * (dropped + CHARACTER_OFFSET)) | 0;
    if ((weighted & CHUNK_MASK) !== CHUNK_MASK && i + 1 - start < MAX_CHUNK_BYTES) continue;
    start = i + 1;
    ends.push(start);
    sum = WINDOW_BYTES * CHARACTER_OFFSET;
    weighted = WINDOW_BYTES * (WINDOW_BYTES - 1) * CHARACTER_OFFSET;
  }
  if (start < bytes.length) ends.push(bytes.length);
  return ends;
}

/** Finds the chunks of the target that are chunks of the source. */
export function matchChunks(source: Uint8Array, target: Uint8Array): RollsumMatches {
  const chunks = indexChunks(source);
  const ranges: { sourceOffset: number; targetOffset: number; sizeBytes: number }[] = [];
  let matchedBytes = 0;
  let start = 0;
  for (const end of chunkEnds(target)) {
    const chunk = asBuffer(target).subarray(start, end);
    const last = ranges.at(-1);
    const follows = last !== undefined && last.targetOffset + last.sizeBytes === start ? last.sourceOffset + last.sizeBytes : -1;
    const found = findChunk(chunks.get(crc32(chunk)), asBuffer(source), chunk, follows);
    if (found !== undefined) {
      if (last !== undefined && found === follows) last.sizeBytes += chunk.length;
      else ranges.push({ sourceOffset: found, targetOffset: start, sizeBytes: chunk.length });
      matchedBytes += chunk.length;
    }
    start = end;
  }
  return { ranges, matchedBytes };
}

/** Places of equal CRC that are remembered: a file full of one chunk must not cost the square of its size. */
const MAX_PLACES = 16;

function indexChunks(source: Uint8Array): Map<number, number[]> {
  const chunks = new Map<number, number[]>();
  let start = 0;
  for (const end of chunkEnds(source)) {
    const crc = crc32(source.subarray(start, end));
    const places = chunks.get(crc);
    if (places === undefined) chunks.set(crc, [start]);
    else if (places.length < MAX_PLACES) places.push(start);
    start = end;
  }
  return chunks;
}

/** Finds a place whose bytes are equal, the one that continues the range before if it is among them. */
function findChunk(places: readonly number[] | undefined, source: Buffer, chunk: Buffer, follows: number): number | undefined {
  const equals = (place: number): boolean => source.subarray(place, place + chunk.length).equals(chunk);
  if (follows >= 0 && equals(follows)) return follows;
  return places?.find(equals);
}
