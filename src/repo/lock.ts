/**
 * The repository lock: shared for transactions, exclusive for prune, summary and delta indexes.
 *
 * Source: ostree-format 11.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeErrno, HacktreeError } from '../core/index.ts';
import { acquireLock, type FileLock, type LockKind } from '../sys/index.ts';
import { lockFile } from './layout.ts';
import type { Repo } from './repo.ts';

/** Stands in where core.locking is false. */
const NO_LOCK: FileLock = { fd: -1, release() {} };

/** Takes the lock, waiting up to core.lock-timeout-secs. Errors: `repo-locked`. */
export async function lockRepo(repo: Repo, kind: LockKind, onWait?: () => void): Promise<FileLock> {
  if (!repo.config.locking) return NO_LOCK;
  const seconds = repo.config.lockTimeoutSec;
  const timeoutMs = seconds < 0 ? undefined : seconds * 1000;
  const lock = await acquireLock(lockFile(repo.path), { kind, timeoutMs, onWait, mode: 0o660 });
  if (lock !== undefined) return lock;
  throw new HacktreeError('repo-locked', `Locking repo ${kind} failed: ${describeErrno('EAGAIN')}`, {
    details: { path: lockFile(repo.path), timeoutSec: seconds },
    hints: ['another process uses this repository; wait for it, or raise core.lock-timeout-secs'],
  });
}

/** Makes the repository directory's mtime now: what watchers of refs look at. */
export function touchRepo(repo: Repo): void {
  const now = new Date();
  fs.utimesSync(path.resolve(repo.path), now, now);
}
