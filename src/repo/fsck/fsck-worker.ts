/** Worker of fsck: verifies a batch of file objects. */
import type { Checksum } from '../../core/index.ts';
import type { WorkerFunction } from '../../sys/index.ts';
import { checksumsOf } from '../object-batches.ts';
import { openRepo } from '../repo.ts';
import { FileVerifier, type Verdict } from './verify-object.ts';

export interface FsckBatchResult {
  readonly objects: number;
  /** Bytes of content that were hashed. */
  readonly bytes: number;
  readonly bad: readonly { readonly checksum: Checksum; readonly verdict: Verdict }[];
}

export function createWorker(repoPath: string): WorkerFunction<Uint8Array, FsckBatchResult> {
  const verifier = new FileVerifier(openRepo(repoPath));
  return async (batch) => {
    const bad: { checksum: Checksum; verdict: Verdict }[] = [];
    let objects = 0;
    let bytes = 0;
    for (const checksum of checksumsOf(batch)) {
      const { verdict, sizeBytes } = await verifier.verify(checksum);
      if (verdict !== undefined) bad.push({ checksum, verdict });
      objects++;
      bytes += sizeBytes;
    }
    return { objects, bytes, bad };
  };
}
