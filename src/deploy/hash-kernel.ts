/**
 * Hashes the kernel files of a commit: what is about to be booted must be what was committed. Large ones in a thread of their
 * own, so that the plan of a deployment goes on meanwhile.
 *
 * Source: ostree-cli B.6 (boot checksum).
 */
import type { Checksum, ContentDigest } from '../core/index.ts';
import type { FileHeader } from '../format/index.ts';
import { openPool } from '../sys/index.ts';

/** A kernel file in a repository; plain data. */
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

export interface KernelHashes {
  /** SHA-256 of the kernel's bytes followed by those of the initial RAM disk. */
  readonly bootChecksum: Checksum;
  /** SHA-256 of each file's bytes. */
  readonly digests: KernelPair<ContentDigest>;
}

/** Less is hashed sooner than a thread has started. Bytes. */
const LARGE_BYTES = 16 << 20;

/** Hashes kernel and initial RAM disk. Errors: `object-corrupt`. */
export async function hashKernel(files: KernelPair<KernelObject>): Promise<KernelHashes> {
  const module = new URL('./hash-kernel-worker.js', import.meta.url);
  const pool = openPool<undefined, KernelPair<KernelObject>, KernelHashes>({
    module,
    init: undefined,
    size: files[0].sizeBytes + files[1].sizeBytes < LARGE_BYTES ? 0 : 1,
  });
  try {
    return await pool.run(files);
  } finally {
    await pool.close();
  }
}
