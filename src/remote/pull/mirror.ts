/**
 * What a mirror that is pulled has besides objects and refs: a full copy must serve its clients as well as the original does.
 *
 * The summary is copied with its signature. The content index is made here from the objects: this mirror may have others than the
 * one that it came from.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HacktreeError } from '../../core/index.ts';
import { lockRepo, type Repo } from '../../repo/index.ts';
import { writeFileDurable } from '../../sys/index.ts';
import type { RemoteAccess } from '../access.ts';
import { MirrorIndex } from '../mirror-index/read.ts';
import { type MirrorIndexReport, writeMirrorIndex } from '../mirror-index/write.ts';
import type { RemoteSummary } from '../remote-summary.ts';

export interface MirrorIndexWish {
  /** The pull makes a mirror. */
  readonly mirror?: boolean;
  /** Whether to write the index. Default: where the source has one. */
  readonly contentIndex?: boolean | undefined;
  readonly onLockWait?: () => void;
}

/** Refuses to promise an index where there can be none. Errors: `repo-mode`. */
export function checkIndexWish({ mode, path }: Repo, { mirror, contentIndex }: MirrorIndexWish): void {
  if (contentIndex !== true || (mirror === true && mode === 'archive')) return;
  throw new HacktreeError('repo-mode', 'Only a mirror in an archive repository can have a content index for clients', {
    details: { path, expected: '--mirror into an archive repository', found: mode },
  });
}

/** Writes the index where it is wanted. Errors: `no-space`, `repo-locked`, system errors. */
export async function indexMirror(
  repo: Repo,
  access: RemoteAccess,
  { mirror, contentIndex, onLockWait }: MirrorIndexWish,
): Promise<MirrorIndexReport | undefined> {
  if (mirror !== true || repo.mode !== 'archive') return undefined;
  if (!(contentIndex ?? (await MirrorIndex.open(access)) !== undefined)) return undefined;
  const lock = await lockRepo(repo, 'exclusive', onLockWait);
  try {
    return await writeMirrorIndex(repo);
  } finally {
    lock.release();
  }
}

/** Puts the remote's summary and its signature into the repository. Errors: `no-space`, system errors. */
export function copySummary(repo: Repo, { bytes, signatureBytes }: RemoteSummary, sync: boolean): void {
  const signature = join(repo.path, 'summary.sig');
  if (signatureBytes === undefined) fs.rmSync(signature, { force: true });
  else writeFileDurable(signature, signatureBytes, { sync });
  writeFileDurable(join(repo.path, 'summary'), bytes, { sync });
}
