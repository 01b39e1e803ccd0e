/**
 * Calls on names relative to an open directory, none of which follows a symlink in the last component.
 *
 * Whoever holds the descriptor of a directory keeps working in it even when somebody swaps a directory above it for a
 * symlink: this is what keeps a checkout inside its destination. Names may have several components where nobody else can
 * write (a private directory). Descriptors from here are closed with closeFd, not by Node, which keeps books of its own in
 * worker threads.
 *
 * Source: open(2), utimensat(2), flock(2); constants of asm-generic, equal on x86-64 and arm64 but for
 * O_DIRECTORY and O_NOFOLLOW.
 */
import { chmodSync, constants } from 'node:fs';
import { errnoOf } from '../core/index.ts';
import { callNative, callNativeUnless, lastFailure, nativeCalls } from './natives.ts';
import {
  AT_SYMLINK_NOFOLLOW,
  STATX_BASIC,
  statx,
  statxDevMajor,
  statxDevMinor,
  statxExactInode,
  statxGid,
  statxMode,
  statxRdev,
  statxSize,
  statxUid,
} from './statx.ts';

const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** What statAt tells. */
export interface EntryStat {
  /** With file type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** Of a device: major * 2^32 + minor. */
  readonly rdev: number;
}

/** Describes a name; undefined when there is none. An empty name describes the directory itself. */
export function statAt(dir: number, name: string): EntryStat | undefined {
  const flags = name === '' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  if (callNativeUnless(['ENOENT'], 'statx', name, dir, name, flags, STATX_BASIC, statx) === undefined) return undefined;
  return { mode: statxMode(), uid: statxUid(), gid: statxGid(), sizeBytes: statxSize(), rdev: statxRdev() };
}

/** What linkUnlessEmptyAt did. */
export type LinkOutcome = 'linked' | 'missing' | 'empty' | 'special' | 'taken';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/**
 * Makes a hard link to a file or symlink, unless it is an empty regular file or something special (directory, device, pipe,
 * socket). Tells when there is nothing of the old name, or the new one is taken. Written for tens of thousands of calls.
 */
export function linkUnlessEmptyAt(oldDir: number, oldName: string, newDir: number, newName: string): LinkOutcome {
  const calls = nativeCalls();
  if (calls.statx(oldDir, oldName, AT_SYMLINK_NOFOLLOW, STATX_BASIC, statx) < 0) {
    const failure = lastFailure('statx', oldName);
    if (failure.code === 'ENOENT') return 'missing';
    throw failure;
  }
  const type = statxMode() & S_IFMT;
  if (type === S_IFREG) {
    if (statxSize() === 0) return 'empty';
  } else if (type !== S_IFLNK) {
    return 'special';
  }
  if (calls.linkat(oldDir, oldName, newDir, newName, 0) >= 0) return 'linked';
  const failure = lastFailure('linkat', newName);
  if (failure.code === 'EEXIST') return 'taken';
  throw failure;
}

/** Names the inode behind a name as `device:inode`; undefined when there is none. */
export function identityAt(dir: number, name: string): string | undefined {
  if (statAt(dir, name) === undefined) return undefined;
  return `${statxDevMajor()}:${statxDevMinor()}:${statxExactInode()}`;
}

/** Names the device that holds a name as `major:minor`; undefined when there is no such name. */
export function deviceAt(dir: number, name: string): string | undefined {
  if (statAt(dir, name) === undefined) return undefined;
  return `${statxDevMajor()}:${statxDevMinor()}`;
}

/** Opens a directory; undefined when there is none. Errors: ENOTDIR or ELOOP for anything else, symlinks among it. */
export function openDirAt(dir: number, name: string): number | undefined {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  return callNativeUnless(['ENOENT'], 'openat', name, dir, name, flags, 0);
}

/** Opens an existing regular file for reading. Errors: ELOOP for a symlink. */
export function openFileAt(dir: number, name: string): number {
  return callNative('openat', name, dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
}

/** Makes a file with mode 0600 & ~umask and opens it for writing. Errors: EEXIST. */
export function createFileAt(dir: number, name: string): number {
  return callNative('openat', name, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600);
}

/** Closes a descriptor that came from this file. */
export function closeFd(fd: number): void {
  callNative('close', undefined, fd);
}

/** Makes a directory with mode & ~umask; returns false when the name is taken. */
export function mkdirAt(dir: number, name: string, mode: number): boolean {
  return callNativeUnless(['EEXIST'], 'mkdirat', name, dir, name, mode) !== undefined;
}

/** Makes a symlink; returns false when the name is taken. */
export function symlinkAt(target: string, dir: number, name: string): boolean {
  return callNativeUnless(['EEXIST'], 'symlinkat', name, target, dir, name) !== undefined;
}

/** Makes an empty regular file with mode & ~umask, in one call; returns false when the name is taken. */
export function emptyFileAt(dir: number, name: string, mode: number): boolean {
  return callNativeUnless(['EEXIST'], 'mknodat', name, dir, name, S_IFREG | mode, 0) !== undefined;
}

/** Makes a character device 0:0 with mode & ~umask; returns false when the name is taken. Errors: EPERM without privilege. */
export function whiteoutDeviceAt(dir: number, name: string, mode: number): boolean {
  return callNativeUnless(['EEXIST'], 'mknodat', name, dir, name, 0o020000 | mode, 0) !== undefined;
}

const PATH_MAX = 4096;
const target = Buffer.alloc(PATH_MAX);

/** Reads where a symlink points. */
export function readlinkAt(dir: number, name: string): string {
  const length = callNative('readlinkat', name, dir, name, target, PATH_MAX);
  return target.toString('utf8', 0, length);
}

/** Removes a name that is not a directory; returns false when there is none. Errors: EISDIR. */
export function unlinkAt(dir: number, name: string): boolean {
  return callNativeUnless(['ENOENT'], 'unlinkat', name, dir, name, 0) !== undefined;
}

/** Removes an empty directory; returns false when there is none. */
export function rmdirAt(dir: number, name: string): boolean {
  return callNativeUnless(['ENOENT'], 'unlinkat', name, dir, name, AT_REMOVEDIR) !== undefined;
}

/** Sets owner and group. */
export function chownAt(dir: number, name: string, uid: number, gid: number): void {
  callNative('fchownat', name, dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/** Sets the mode of a file or directory. Errors: EOPNOTSUPP for a symlink. */
export function chmodAt(dir: number, name: string, mode: number): void {
  const fd = callNative('openat', name, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeFd(fd);
  }
}

const UTIME_OMIT = 0x3ffffffe;
const mtimeZero = Buffer.alloc(32);
mtimeZero.writeBigInt64LE(BigInt(UTIME_OMIT), 8);

/** Sets the modification time to 1970-01-01 and leaves the access time alone. */
export function zeroMtimeAt(dir: number, name: string): void {
  callNative('utimensat', name, dir, name, mtimeZero, AT_SYMLINK_NOFOLLOW);
}

/** Renames, replacing what has the new name. */
export function renameAt(oldDir: number, oldName: string, newDir: number, newName: string): void {
  callNative('renameat2', newName, oldDir, oldName, newDir, newName, 0);
}

const RENAME_NOREPLACE = 1;

/**
 * Renames; returns false when the new name is taken. Where the file system cannot promise that (EINVAL: NFS, FAT) the new
 * name is looked up first, and one that appears in between is replaced.
 */
export function renameNoReplaceAt(oldDir: number, oldName: string, newDir: number, newName: string): boolean {
  try {
    const flags = RENAME_NOREPLACE;
    return callNativeUnless(['EEXIST'], 'renameat2', newName, oldDir, oldName, newDir, newName, flags) !== undefined;
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error;
  }
  if (statAt(newDir, newName) !== undefined) return false;
  renameAt(oldDir, oldName, newDir, newName);
  return true;
}

const LOCK_EX_NB = 2 | 4;

/** Takes the exclusive flock(2) of a descriptor, which may be a directory's; false when another holds it. */
export function tryLockExclusive(fd: number): boolean {
  return callNativeUnless(['EAGAIN'], 'flock', undefined, fd, LOCK_EX_NB) !== undefined;
}
