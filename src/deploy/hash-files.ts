/** Hashes files: large ones in a thread of its own, so that the caller's goes on meanwhile. */
import * as fs from 'node:fs';
import type { Checksum, ContentDigest } from '../core/index.ts';
import { openPool } from '../sys/index.ts';

export interface FileToHash {
  readonly path: string;
  /** What an object's checksum covers before the content; without it there is no such checksum. */
  readonly header?: Uint8Array;
}

export interface HashedFile {
  /** SHA-256 of the file's bytes. */
  readonly digest: ContentDigest;
  /** SHA-256 of header and file. */
  readonly object: Checksum | undefined;
}

/** Less is hashed sooner than a thread has started. Bytes. */
const LARGE_BYTES = 16 << 20;

/** Hashes files; `leavesThread` when another pool opens soon. Errors: those of the system. */
export async function hashFiles(files: readonly FileToHash[], { leavesThread = false } = {}): Promise<HashedFile[]> {
  const sizeBytes = files.reduce((sum, { path }) => sum + fs.statSync(path).size, 0);
  const pool = openPool<undefined, readonly FileToHash[], HashedFile[]>({
    module: new URL('./hash-files-worker.js', import.meta.url),
    init: undefined,
    size: sizeBytes < LARGE_BYTES ? 0 : 1,
    leavesThreads: leavesThread,
  });
  try {
    return await pool.run(files);
  } finally {
    await pool.close();
  }
}
