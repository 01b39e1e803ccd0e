/**
 * Applies bsdiff data: the target is the source with differences added, extra bytes inserted, and jumps.
 *
 * Format (mendsley/bsdiff without a file header), repeated: three 8-byte numbers, little-endian with the sign in the top
 * bit (diff length x, extra length y, seek z), x bytes to be added to as many of the source, y bytes as they are; then
 * the source position moves on by z. Output goes out in pieces; the source is read in pieces. Every length comes from a
 * server, so none is believed: no byte outside source, patch or the promised output is touched.
 *
 * **Source:** ostree-format 10.3.
 */
import { HacktreeError } from '../../core/index.ts';

export const CONTROL_BYTES = 24;

/** Bytes that can be read anywhere, in any order. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Gives exactly `length` bytes; the result may be overwritten by the next call. */
  read(offset: number, length: number): Uint8Array;
}

/** Takes bytes in order; they are the callee's only until it returns. */
export type ByteSink = (bytes: Uint8Array) => void;

export interface PatchJob {
  readonly source: ByteSource;
  readonly patch: Uint8Array;
  /** Exact size of the result. */
  readonly outputBytes: number;
  readonly write: ByteSink;
}

const PIECE_BYTES = 64 * 1024;

/** Makes a source of bytes in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Writes the target. Errors: `delta-invalid` when the patch does not fit the source or the promised size. */
export function applyBsdiff({ source, patch, outputBytes, write }: PatchJob): void {
  const control = new DataView(patch.buffer, patch.byteOffset, patch.byteLength);
  let at = 0;
  let sourceAt = 0;
  let written = 0;
  while (written < outputBytes) {
    if (at + CONTROL_BYTES > patch.length) throw invalid(`ends after ${written} of ${outputBytes} bytes of output`);
    const diff = readOffset(control, at);
    const extra = readOffset(control, at + 8);
    const seek = readOffset(control, at + 16);
    at += CONTROL_BYTES;
    if (diff < 0 || extra < 0) throw invalid(`negative length at byte ${at - CONTROL_BYTES}`);
    if (written + diff + extra > outputBytes) throw invalid(`makes more than the promised ${outputBytes} bytes`);
    if (at + diff + extra > patch.length) throw invalid('is cut');
    if (diff > 0 && (sourceAt < 0 || sourceAt + diff > source.sizeBytes)) {
      throw invalid(`reads outside the source, ${diff} bytes at ${sourceAt} of ${source.sizeBytes}`);
    }
    addPieces(source, sourceAt, patch.subarray(at, at + diff), write);
    if (extra > 0) write(patch.subarray(at + diff, at + diff + extra));
    at += diff + extra;
    written += diff + extra;
    sourceAt += diff + seek;
  }
  if (at !== patch.length) throw invalid(`goes on ${patch.length - at} bytes after the output is whole`);
}

function addPieces(source: ByteSource, sourceAt: number, diff: Uint8Array, write: ByteSink): void {
  for (let done = 0; done < diff.length; done += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, diff.length - done);
    const old = source.read(sourceAt + done, length);
    const piece = new Uint8Array(length);
    for (let i = 0; i < length; i++) piece[i] = (old[i] as number) + (diff[done + i] as number);
    write(piece);
  }
}

/** Reads a number of the control part; -0 is 0. Errors: `delta-invalid` beyond 2^53 - 1. */
function readOffset(control: DataView, at: number): number {
  const low = control.getUint32(at, true);
  const high = control.getUint32(at + 4, true);
  const magnitude = (high & 0x7fffffff) * 2 ** 32 + low;
  if (magnitude > Number.MAX_SAFE_INTEGER) throw invalid('holds a number that is too large');
  return high >>> 31 === 1 ? 0 - magnitude : magnitude;
}

/** Writes a number of the control part. */
export function writeOffset(control: DataView, at: number, value: number): void {
  const magnitude = Math.abs(value);
  control.setUint32(at, magnitude % 2 ** 32, true);
  control.setUint32(at + 4, (Math.floor(magnitude / 2 ** 32) | (value < 0 ? 0x80000000 : 0)) >>> 0, true);
}

const invalid = (why: string): HacktreeError => new HacktreeError('delta-invalid', `Invalid bsdiff data: it ${why}`);
