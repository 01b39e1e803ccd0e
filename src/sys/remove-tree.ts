/**
 * Removes a whole tree without ever leaving it: every directory is opened without following symlinks and its entries are
 * removed relative to it, so that nobody can lead the removal elsewhere. What is mounted inside the tree is left alone.
 */
import * as fs from 'node:fs';
import { errnoOf } from '../core/index.ts';
import { chmodAt, closeFd, deviceAt, openDirAt, rmdirAt, unlinkAt } from './at.ts';

/** Removes a name, directories with all they hold; a missing one is fine. Errors: EBUSY for a mount point. */
export function removeTreeAt(dir: number, name: string): void {
  removeEntry(dir, name, deviceAt(dir, ''));
}

/** Removes everything in an open directory, but not the directory. */
export function emptyDirectory(fd: number): void {
  emptyDir(fd, deviceAt(fd, ''));
}

function removeEntry(dir: number, name: string, device: string | undefined): void {
  try {
    unlinkAt(dir, name);
    return;
  } catch (error) {
    if (errnoOf(error) !== 'EISDIR') throw error;
  }
  const inner = openForRemoval(dir, name);
  if (inner === undefined) return;
  try {
    if (deviceAt(inner, '') !== device) throw Object.assign(new Error(`EBUSY: ${name} is a mount point`), { code: 'EBUSY' });
    emptyDir(inner, device);
  } finally {
    closeFd(inner);
  }
  rmdirAt(dir, name);
}

/** Opens a directory, giving it its owner's permissions where they are missing. */
function openForRemoval(dir: number, name: string): number | undefined {
  try {
    return openDirAt(dir, name);
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error;
  }
  chmodAt(dir, name, 0o700);
  return openDirAt(dir, name);
}

function emptyDir(fd: number, device: string | undefined): void {
  let unlocked = false;
  for (const name of fs.readdirSync(`/proc/self/fd/${fd}`)) {
    try {
      removeEntry(fd, name, device);
    } catch (error) {
      if (errnoOf(error) !== 'EACCES' || unlocked) throw error;
      unlocked = true;
      fs.fchmodSync(fd, 0o700);
      removeEntry(fd, name, device);
    }
  }
}
