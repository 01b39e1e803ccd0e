/**
 * Directories that hold an unfinished checkout: named `PREFIX.hacktree-XXXXXXXX`, locked with flock(2) as long as the checkout
 * runs. One whose lock is free was left by a checkout that was killed, and goes with the next run.
 */
import * as fs from 'node:fs';
import { errnoOf, randomHex } from '../core/index.ts';
import { closeFd, identityAt, mkdirAt, openDirAt, removeTreeAt, tryLockExclusive } from '../sys/index.ts';

/** An open, locked, private directory. */
export interface WorkDir {
  readonly name: string;
  readonly fd: number;
}

const MARK = '.hacktree-';
const RANDOM_HEX = 8;

/** Makes a working directory (mode 0700) called `prefix` and a random end, below an open directory. */
export function makeWorkDir(parent: number, prefix: string): WorkDir {
  for (;;) {
    const name = `${prefix}${MARK}${randomHex(RANDOM_HEX / 2)}`;
    if (!mkdirAt(parent, name, 0o700)) continue;
    const fd = openDirAt(parent, name);
    if (fd === undefined) continue;
    // Whoever cleans up may have taken the lock, or the directory, before this process could.
    if (tryLockExclusive(fd) && identityAt(parent, name) === identityAt(fd, '')) return { name, fd };
    closeFd(fd);
  }
}

/** Removes working directories of this prefix that nobody works in any more. */
export function removeLeftovers(parent: number, prefix: string): void {
  const pattern = `${prefix}${MARK}`;
  for (const name of fs.readdirSync(`/proc/self/fd/${parent}`)) {
    if (name.startsWith(pattern) && name.length === pattern.length + RANDOM_HEX) removeIfIdle(parent, name);
  }
}

/** Somebody else's directory, or anything that is not one, stays. */
function removeIfIdle(parent: number, name: string): void {
  let fd: number | undefined;
  try {
    fd = openDirAt(parent, name);
    if (fd === undefined || fs.fstatSync(fd).uid !== process.geteuid?.()) return;
    if (tryLockExclusive(fd)) removeTreeAt(parent, name);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    if (fd !== undefined) closeFd(fd);
  }
}
