/**
 * System calls that Node lacks, through koffi (which only the natives files import), loaded on first use (8 ms).
 *
 * Calls are synchronous and thin. Each fails as Node's fs does: an Error with `code` (errno name), `syscall`, `path`.
 * Constants are those of Linux on x86-64 and arm64 (little-endian, LP64), from the kernel's uapi headers.
 */
import { HacktreeError } from '../core/index.ts';
import { loadKoffi } from './natives-koffi.ts';
import { AT_FDCWD } from './statx.ts';

// biome-ignore lint/suspicious/noExplicitAny: foreign functions have no static types
type Native = (...args: any[]) => number;

interface Library {
  readonly call: Record<NativeName, Native>;
  readonly errno: () => number;
  readonly names: Map<number, string>;
}

const PROTOTYPES = {
  llistxattr: 'long llistxattr(const char *path, _Out_ uint8_t *list, size_t size)',
  lgetxattr: 'long lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)',
  lsetxattr: 'int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)',
  lremovexattr: 'int lremovexattr(const char *path, const char *name)',
  fremovexattr: 'int fremovexattr(int fd, const char *name)',
  flistxattr: 'long flistxattr(int fd, _Out_ uint8_t *list, size_t size)',
  fgetxattr: 'long fgetxattr(int fd, const char *name, _Out_ uint8_t *value, size_t size)',
  fsetxattr: 'int fsetxattr(int fd, const char *name, const uint8_t *value, size_t size, int flags)',
  linkat: 'int linkat(int olddir, const char *oldpath, int newdir, const char *newpath, int flags)',
  renameat2: 'int renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned int flags)',
  syncfs: 'int syncfs(int fd)',
  ioctl_int: 'int ioctl(int fd, unsigned long request, int argument)',
  ioctl_long: 'int ioctl(int fd, unsigned long request, _Inout_ long *argument)',
  copy_file_range:
    'long copy_file_range(int in, _Inout_ int64_t *inoff, int out, _Inout_ int64_t *outoff, size_t length, unsigned int flags)',
  fcntl: 'int fcntl(int fd, int command, const uint8_t *lock)',
  mknod: 'int mknod(const char *path, unsigned int mode, unsigned long dev)',
  _exit: 'void _exit(int status)',
  openat: 'int openat(int dir, const char *path, int flags, unsigned int mode)',
  close: 'int close(int fd)',
  statx: 'int statx(int dir, const char *path, int flags, unsigned int mask, _Out_ uint8_t *stat)',
  mkdirat: 'int mkdirat(int dir, const char *path, unsigned int mode)',
  mknodat: 'int mknodat(int dir, const char *path, unsigned int mode, unsigned long dev)',
  symlinkat: 'int symlinkat(const char *target, int dir, const char *path)',
  readlinkat: 'long readlinkat(int dir, const char *path, _Out_ uint8_t *target, size_t size)',
  unlinkat: 'int unlinkat(int dir, const char *path, int flags)',
  fchownat: 'int fchownat(int dir, const char *path, unsigned int uid, unsigned int gid, int flags)',
  utimensat: 'int utimensat(int dir, const char *path, const uint8_t *times, int flags)',
  flock: 'int flock(int fd, int operation)',
  getdents64: 'long getdents64(int fd, _Out_ uint8_t *entries, size_t size)',
} as const;

type NativeName = keyof typeof PROTOTYPES;

/** Other names of EAGAIN and EDEADLK. */
const SECOND_NAMES = ['EWOULDBLOCK', 'EDEADLOCK'];

let library: Library | undefined;

function load(): Library {
  if (library !== undefined) return library;
  let koffi: typeof import('koffi');
  try {
    koffi = loadKoffi();
  } catch (cause) {
    throw new HacktreeError('not-supported', `Cannot load the system call library for ${process.platform}-${process.arch}`, {
      hints: ['hacktree runs on Linux x86-64 and arm64; reinstall it with its optional dependencies (npm ci)'],
      cause,
    });
  }
  const libc = koffi.load(null);
  const call = {} as Record<NativeName, Native>;
  for (const [name, prototype] of Object.entries(PROTOTYPES) as [NativeName, string][]) {
    call[name] = (...args) => {
      const bound = libc.func(prototype) as unknown as Native;
      call[name] = bound;
      return bound(...args);
    };
  }
  const names = new Map(
    Object.entries(koffi.os.errno)
      .filter(([name]) => !SECOND_NAMES.includes(name))
      .map(([name, number]) => [number as number, name]),
  );
  library = { call, errno: () => koffi.errno(), names };
  return library;
}

function failure(syscall: string, path: string | undefined, errno: number): Error & { code: string } {
  const code = library?.names.get(errno) ?? `E${errno}`;
  const where = path === undefined ? '' : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${syscall}${where}`), {
    code,
    errno: -errno,
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}

/** All calls by name; each returns a negative number on failure. For the few places where a check per call is too dear. */
export function nativeCalls(): Readonly<Record<NativeName, Native>> {
  return load().call;
}

/** Makes the error of the call that failed last in this thread. */
export function lastFailure(syscall: NativeName, path: string): Error & { readonly code: string } {
  return failure(syscall, path, load().errno());
}

/** Calls and throws on a negative result. For the files of sys/ only. */
export function callNative(name: NativeName, path: string | undefined, ...args: unknown[]): number {
  const { call, errno } = load();
  const result = call[name](...args);
  if (result < 0) throw failure(name, path, errno());
  return result;
}

/** Calls and returns undefined when the errno is one of those named. For the files of sys/ only. */
export function callNativeUnless(
  allowed: readonly string[],
  name: NativeName,
  path: string | undefined,
  ...args: unknown[]
): number | undefined {
  const { call, errno, names } = load();
  const result = call[name](...args);
  if (result >= 0) return result;
  const number = errno();
  if (allowed.includes(names.get(number) ?? '')) return undefined;
  throw failure(name, path, number);
}

// ---- extended attributes ----

const XATTR_MAX_BYTES = 65536;
const scratch = Buffer.allocUnsafe(XATTR_MAX_BYTES);
const NO_XATTR_SUPPORT = ['ENOTSUP', 'EOPNOTSUPP'];

/** Lists names, unsorted, without NULs. A file system without xattrs has none. Does not follow symlinks. */
export function listXattrNames(target: string | number): Buffer[] {
  // Most files have none, and asking for the size alone costs a quarter.
  const some =
    typeof target === 'number'
      ? callNativeUnless(NO_XATTR_SUPPORT, 'flistxattr', undefined, target, null, 0)
      : callNativeUnless(NO_XATTR_SUPPORT, 'llistxattr', target, target, null, 0);
  if (some === undefined || some === 0) return [];
  const length =
    typeof target === 'number'
      ? callNativeUnless(NO_XATTR_SUPPORT, 'flistxattr', undefined, target, scratch, XATTR_MAX_BYTES)
      : callNativeUnless(NO_XATTR_SUPPORT, 'llistxattr', target, target, scratch, XATTR_MAX_BYTES);
  if (length === undefined || length === 0) return [];
  const names: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < length; at++) {
    if (scratch[at] !== 0) continue;
    names.push(Buffer.from(scratch.subarray(start, at)));
    start = at + 1;
  }
  return names;
}

/** Reads one value; undefined when it is not set. */
export function getXattr(target: string | number, name: string): Buffer | undefined {
  const missing = ['ENODATA', ...NO_XATTR_SUPPORT];
  const length =
    typeof target === 'number'
      ? callNativeUnless(missing, 'fgetxattr', undefined, target, name, scratch, XATTR_MAX_BYTES)
      : callNativeUnless(missing, 'lgetxattr', target, target, name, scratch, XATTR_MAX_BYTES);
  return length === undefined ? undefined : Buffer.from(scratch.subarray(0, length));
}

/** Sets one value, replacing. Does not follow symlinks. Errors: ENOTSUP, EPERM (security.* without privilege). */
export function setXattr(target: string | number, name: string, value: Uint8Array): void {
  if (typeof target === 'number') callNative('fsetxattr', undefined, target, name, value, value.length, 0);
  else callNative('lsetxattr', target, target, name, value, value.length, 0);
}

/** Removes one value; a missing one is fine. Does not follow symlinks. */
export function removeXattr(target: string | number, name: string): void {
  if (typeof target === 'number') callNativeUnless(['ENODATA'], 'fremovexattr', undefined, target, name);
  else callNativeUnless(['ENODATA'], 'lremovexattr', target, target, name);
}

// ---- links and renames ----

const AT_SYMLINK_FOLLOW = 0x400;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

/** Makes a hard link; relative paths are relative to the directory descriptors. Symlinks are linked, not followed. */
export function linkAt(oldDir: number | undefined, oldPath: string, newDir: number | undefined, newPath: string): void {
  const failed = nativeCalls().linkat(oldDir ?? AT_FDCWD, oldPath, newDir ?? AT_FDCWD, newPath, 0) < 0;
  if (failed) throw lastFailure('linkat', newPath);
}

/** Gives an open (possibly nameless) file a name. */
export function linkDescriptor(fd: number, newPath: string): void {
  callNative('linkat', newPath, AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, newPath, AT_SYMLINK_FOLLOW);
}

/** Renames unless the new name exists; returns false when it does. Falls back to link + unlink where unsupported. */
export function renameNoReplace(oldPath: string, newPath: string): boolean {
  return callNativeUnless(['EEXIST'], 'renameat2', newPath, AT_FDCWD, oldPath, AT_FDCWD, newPath, RENAME_NOREPLACE) !== undefined;
}

/** Swaps two names in one step. Errors: EINVAL where the file system cannot. */
export function renameExchange(a: string, b: string): void {
  callNative('renameat2', b, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

/** Makes a character device 0:0, an overlayfs whiteout. Errors: EPERM without privilege. */
export function makeWhiteoutDevice(path: string): void {
  callNative('mknod', path, path, 0o020000, 0);
}

// ---- whole file systems ----

/** Writes everything of the file system that holds the descriptor to the device. */
export function syncFileSystemOf(fd: number): void {
  callNative('syncfs', undefined, fd);
}

const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;

/** Freezes a file system: its journal is emptied, writers block until thawed. Errors: EOPNOTSUPP, EPERM, EBUSY. */
export function freezeFileSystem(fd: number): void {
  callNative('ioctl_int', undefined, fd, FIFREEZE, 0);
}

/** Thaws a frozen file system. */
export function thawFileSystem(fd: number): void {
  callNative('ioctl_int', undefined, fd, FITHAW, 0);
}

// ---- copying ----

const FICLONE = 0x40049409;
const CANNOT_CLONE = ['EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM', 'EISDIR', 'ETXTBSY'];

/** Shares the content of one file with another (reflink); false where the file system cannot. */
export function cloneFile(from: number, to: number): boolean {
  return callNativeUnless(CANNOT_CLONE, 'ioctl_int', undefined, to, FICLONE, from) !== undefined;
}

/** Copies bytes inside the kernel; returns the number copied (0 at the end), undefined where unsupported. */
export function copyRange(from: number, to: number, offset: number, length: number): number | undefined {
  return callNativeUnless(CANNOT_CLONE, 'copy_file_range', undefined, from, [offset], to, [offset], length, 0);
}

// ---- immutable flag ----

const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IMMUTABLE_FL = 0x10;

/** Sets or clears the immutable flag (chattr +i). Returns false where the file system has no such flag. */
export function setImmutable(fd: number, immutable: boolean): boolean {
  const flags = [0];
  const unsupported = ['ENOTTY', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSYS'];
  if (callNativeUnless(unsupported, 'ioctl_long', undefined, fd, FS_IOC_GETFLAGS, flags) === undefined) return false;
  const now = flags[0] ?? 0;
  const wanted = immutable ? now | FS_IMMUTABLE_FL : now & ~FS_IMMUTABLE_FL;
  if (wanted === now) return true;
  return callNativeUnless(unsupported, 'ioctl_long', undefined, fd, FS_IOC_SETFLAGS, [wanted]) !== undefined;
}

// ---- locks ----

const F_OFD_SETLK = 37;
const LOCK_TYPE = { shared: 0, exclusive: 1, none: 2 } as const;

/**
 * Takes, changes or drops an open-file-description lock on a whole file without waiting; false when another holds it.
 * struct flock: type and whence (int16), start and length (int64), pid (int32).
 */
export function tryLock(fd: number, kind: keyof typeof LOCK_TYPE): boolean {
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(LOCK_TYPE[kind], 0);
  return callNativeUnless(['EAGAIN', 'EACCES'], 'fcntl', undefined, fd, F_OFD_SETLK, lock) !== undefined;
}

// ---- the end of the process ----

/**
 * Ends the process at once. After a failed foreign call koffi's exit handler was seen to wait for ever on a lock of its
 * own (3.3.4, about one failed syncfs in ten under load), so when it is loaded the handlers are passed over by
 * _exit(2). Standard output and error must have been written: on Linux they are synchronous.
 */
export function endProcess(status: number): never {
  if (library !== undefined) library.call._exit(status);
  return process.exit(status);
}
