/** Worker entry: hashes the kernel files of a commit, each once for all that is asked about it. */
import { type Checksum, type ContentDigest, createSha256, HacktreeError, type Sha256 } from '../core/index.ts';
import { encodeFileHeader } from '../format/index.ts';
import { plainChunks } from '../repo/index.ts';
import type { KernelHashes, KernelObject, KernelPair } from './hash-kernel.ts';

export function createWorker(): (files: KernelPair<KernelObject>) => KernelHashes {
  return ([kernel, initrd]) => {
    const boot = createSha256();
    const digests = [hashFile(kernel, boot), hashFile(initrd, boot)] as const;
    return { digests, bootChecksum: boot.digest().toString('hex') as Checksum };
  };
}

function hashFile({ name, checksum, header, path }: KernelObject, boot: Sha256): ContentDigest {
  const digest = createSha256();
  const whole = createSha256().update(encodeFileHeader(header));
  for (const chunk of plainChunks(path)) for (const hash of [digest, whole, boot]) hash.update(chunk);
  const actual = whole.digest().toString('hex');
  if (actual !== checksum) {
    throw new HacktreeError('object-corrupt', `Corrupted file object ${checksum}, which is ${name}`, {
      details: { path, expected: checksum, found: actual },
      hints: ['see what else is damaged, and mend it, with: hacktree fsck'],
    });
  }
  return digest.digest().toString('hex') as ContentDigest;
}
