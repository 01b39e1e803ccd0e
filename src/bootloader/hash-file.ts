/** Hashes files of any size. */
import { createSha256 } from '../core/index.ts';
import { readChunks } from '../sys/index.ts';

/** SHA-256 of a file's bytes as hex. */
export function hashFile(path: string): string {
  const hash = createSha256();
  for (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest().toString('hex');
}
