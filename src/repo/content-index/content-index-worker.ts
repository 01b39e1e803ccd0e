/** Worker of rebuild and check: hashes the content of a batch of file objects. */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, errnoOf, isHacktreeError, sha256 } from '../../core/index.ts';
import { isSymlinkMode } from '../../format/index.ts';
import type { WorkerFunction } from '../../sys/index.ts';
import { hashFileObject, WHOLE_BUFFER_BYTES } from '../content.ts';
import { checksumsOf } from '../object-batches.ts';
import { type FileObject, loadFile, readFully } from '../object-read.ts';
import { openRepo, type Repo } from '../repo.ts';

export interface DigestBatchResult {
  /** Objects of the batch with the digest of their content, undefined for symlinks and for what cannot be read. */
  readonly digests: readonly { readonly object: Checksum; readonly digest: ContentDigest | undefined }[];
  /** Objects that are there and could not be read. */
  readonly unreadable: readonly Checksum[];
  /** Bytes of content that were hashed. */
  readonly bytes: number;
}

/** Task: checksums of file objects of this repository, not of its parent. */
export function createWorker(repoPath: string): WorkerFunction<Uint8Array, DigestBatchResult> {
  const repo: Repo = { ...openRepo(repoPath), parent: undefined };
  const buffer = Buffer.allocUnsafeSlow(WHOLE_BUFFER_BYTES);
  return async (batch) => {
    const digests: { object: Checksum; digest: ContentDigest | undefined }[] = [];
    const unreadable: Checksum[] = [];
    let bytes = 0;
    for (const object of checksumsOf(batch)) {
      try {
        const file = loadFile(repo, object);
        digests.push({ object, digest: await digestOf(file, buffer) });
        bytes += file.sizeBytes;
      } catch (error) {
        if (!isDamage(error)) throw error;
        digests.push({ object, digest: undefined });
        if (!isMissing(error)) unreadable.push(object);
      }
    }
    return { digests, unreadable, bytes };
  };
}

async function digestOf(file: FileObject, buffer: Buffer): Promise<ContentDigest | undefined> {
  if (isSymlinkMode(file.header.mode)) return undefined;
  if (file.deflateOffset !== undefined || file.sizeBytes >= buffer.length) {
    return (await hashFileObject(file, { digest: true })).contentDigest;
  }
  const fd = fs.openSync(file.path, 'r');
  try {
    return sha256(buffer.subarray(0, readFully(fd, buffer, 0))).toString('hex') as ContentDigest;
  } finally {
    fs.closeSync(fd);
  }
}

const DAMAGE_ERRNOS = ['ENOENT', 'EIO', 'EBADMSG', 'EUCLEAN'];

function isDamage(error: unknown): boolean {
  const errno = errnoOf(error) ?? errnoOf((error as Error).cause);
  if (errno !== undefined) return DAMAGE_ERRNOS.includes(errno);
  return isHacktreeError(error) && ['object-missing', 'object-corrupt', 'format-invalid'].includes(error.code);
}

function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || (isHacktreeError(error) && error.code === 'object-missing');
}
