/**
 * Hashes the kernel files of a commit: what is about to be booted must be what was committed.
 *
 * Source: ostree-cli B.6 (boot checksum).
 */
import { type Checksum, type ContentDigest, createSha256, HacktreeError } from '../core/index.ts';
import { encodeFileHeader, type FileHeader } from '../format/index.ts';
import { readChunks } from '../sys/index.ts';
import { type HashedFile, hashFiles } from './hash-files.ts';

/** A kernel file in a repository. */
export interface KernelObject {
  /** In the tree. */
  readonly name: string;
  readonly checksum: Checksum;
  readonly header: FileHeader;
  /** Object file that holds its bytes. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Kernel and initial RAM disk. */
export type KernelPair<T> = readonly [kernel: T, initrd: T];

/**
 * Hashes the bytes of kernel and initial RAM disk, before a checkout, which takes the thread over.
 * Errors: `object-corrupt`.
 */
export async function hashKernel(files: KernelPair<KernelObject>): Promise<KernelPair<ContentDigest>> {
  const hashed = await hashFiles(
    files.map(({ path, header }) => ({ path, header: encodeFileHeader(header) })),
    { leavesThread: true },
  );
  const digests = files.map((file, i) => {
    const { digest, object } = hashed[i] as HashedFile;
    if (object !== file.checksum) throw corrupt(file, object);
    return digest;
  });
  return digests as readonly ContentDigest[] as KernelPair<ContentDigest>;
}

/** SHA-256 of the kernel's bytes followed by those of the initial RAM disk. */
export function bootChecksumOf(files: KernelPair<KernelObject>): Checksum {
  const hash = createSha256();
  for (const { path } of files) for (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest().toString('hex') as Checksum;
}

function corrupt({ name, checksum, path }: KernelObject, found: Checksum | undefined): HacktreeError {
  return new HacktreeError('object-corrupt', `Corrupted file object ${checksum}, which is ${name}`, {
    details: { path, expected: checksum, found },
    hints: ['see what else is damaged, and mend it, with: hacktree fsck'],
  });
}
