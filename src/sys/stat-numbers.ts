/**
 * What statx(2) tells of a file, as numbers in an array: no objects, for tens of thousands of files.
 *
 * The numbers are those of Node's `fs.Stats`: device by makedev(3), times as milliseconds in a double (under 1 us).
 */
import { lastFailure, nativeCalls } from './natives.ts';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  STATX_BASIC,
  statx,
  statxCtimeMs,
  statxDevMajor,
  statxDevMinor,
  statxGid,
  statxInode,
  statxMode,
  statxMtimeMs,
  statxSize,
  statxUid,
} from './statx.ts';

/** Numbers per file, in this order: device, inode, size, mtime (ms), ctime (ms), mode, uid, gid. */
export const STAT_NUMBERS = 8;

/** Writes the n-th file's numbers; false when there is no such file. Does not follow a symlink. Errors: system errors. */
export function statNumbers(path: string, into: Float64Array, index: number): boolean {
  if (nativeCalls().statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC, statx) < 0) {
    const failure = lastFailure('statx', path);
    if (failure.code === 'ENOENT') return false;
    throw failure;
  }
  const at = index * STAT_NUMBERS;
  into[at] = device(statxDevMajor(), statxDevMinor());
  into[at + 1] = statxInode();
  into[at + 2] = statxSize();
  into[at + 3] = statxMtimeMs();
  into[at + 4] = statxCtimeMs();
  into[at + 5] = statxMode();
  into[at + 6] = statxUid();
  into[at + 7] = statxGid();
  return true;
}

/** As makedev(3). */
function device(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >>> 8) * 2 ** 20 + (major >>> 12) * 2 ** 44;
}
