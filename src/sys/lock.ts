/**
 * File locks that end with the process: open-file-description locks on a whole file, polled up to a time limit.
 *
 * Source: ostree-format 11 (`.lock`), fcntl_locking(2).
 */
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from './natives.ts';

export type LockKind = 'shared' | 'exclusive';

export interface FileLock {
  readonly fd: number;
  /** Drops the lock; a second call does nothing. */
  release(): void;
}

export interface LockOptions {
  readonly kind: LockKind;
  /** How long to wait: 0 fails at once, undefined waits for ever. */
  readonly timeoutMs: number | undefined;
  /** Called once when the lock is not free at once. */
  readonly onWait?: () => void;
  /** Permission bits of a lock file that has to be made. Default 0660. */
  readonly mode?: number;
}

const POLL_MS = 50;

/** Takes a lock, making the file when needed; undefined when the time is over. */
export async function acquireLock(file: string, options: LockOptions): Promise<FileLock | undefined> {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  const fd = fs.openSync(file, flags, options.mode ?? 0o660);
  const end = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.timeoutMs;
  try {
    for (let first = true; !tryLock(fd, options.kind); first = false) {
      if (first) options.onWait?.();
      if (Date.now() >= end) {
        fs.closeSync(fd);
        return undefined;
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return lockOn(fd);
}

/** Takes a lock if it is free this very moment, making the file (0660) when needed; undefined when it is not. */
export function tryAcquireLock(file: string, kind: LockKind): FileLock | undefined {
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o660);
  try {
    if (tryLock(fd, kind)) return lockOn(fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return undefined;
}

function lockOn(fd: number): FileLock {
  let open = true;
  const release = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  return { fd, release };
}
