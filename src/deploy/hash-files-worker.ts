/** Worker entry: hashes files, each read once. Loads little: a deployment waits for it. */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, createSha256, type Sha256 } from '../core/index.ts';
import type { FileToHash, HashedFile } from './hash-files.ts';

/** Stays in the processor's second-level cache: larger ones take half as long again. */
const CHUNK_BYTES = 1 << 17;

export function createWorker(): (files: readonly FileToHash[]) => HashedFile[] {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  return (files) => files.map((file) => hashFile(file, buffer));
}

function hashFile({ path, header }: FileToHash, buffer: Buffer): HashedFile {
  const digest = createSha256();
  const object = header === undefined ? undefined : createSha256().update(header);
  const fd = fs.openSync(path, 'r');
  try {
    for (let length = fs.readSync(fd, buffer); length > 0; length = fs.readSync(fd, buffer)) {
      const chunk = buffer.subarray(0, length);
      digest.update(chunk);
      object?.update(chunk);
    }
  } finally {
    fs.closeSync(fd);
  }
  return { digest: hexOf<ContentDigest>(digest), object: object && hexOf<Checksum>(object) };
}

const hexOf = <T extends string>(hash: Sha256): T => hash.digest().toString('hex') as T;
