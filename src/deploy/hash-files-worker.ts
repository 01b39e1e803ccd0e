/** Worker entry: hashes files, each read once. Loads little: a deployment waits for it. */
import { type Checksum, type ContentDigest, createSha256, type Sha256 } from '../core/index.ts';
import { readChunks } from '../sys/index.ts';
import type { FileToHash, HashedFile } from './hash-files.ts';

export function createWorker(): (files: readonly FileToHash[]) => HashedFile[] {
  return (files) => files.map(hashFile);
}

function hashFile({ path, header }: FileToHash): HashedFile {
  const digest = createSha256();
  const object = header === undefined ? undefined : createSha256().update(header);
  for (const chunk of readChunks(path)) {
    digest.update(chunk);
    object?.update(chunk);
  }
  return { digest: hexOf<ContentDigest>(digest), object: object && hexOf<Checksum>(object) };
}

const hexOf = <T extends string>(hash: Sha256): T => hash.digest().toString('hex') as T;
