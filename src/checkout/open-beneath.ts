/** Opening a directory inside the destination, step by step and never through a symlink. */
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { S_IFLNK, S_IFMT } from '../format/index.ts';
import { closeFd, openDirAt, statAt } from '../sys/index.ts';

/**
 * Opens `path` (components joined by slashes, empty for the directory itself) below an open directory. The caller closes it.
 * Errors: `path-unsafe` for a symlink, `checkout-exists` for another file, system errors.
 */
export function openBeneath(root: number, path: string): number {
  let fd = openStep(root, '.', path);
  for (const name of path === '' ? [] : path.split('/')) {
    try {
      const next = openStep(fd, name, path);
      closeFd(fd);
      fd = next;
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }
  return fd;
}

function openStep(dir: number, name: string, path: string): number {
  try {
    const fd = openDirAt(dir, name);
    if (fd !== undefined) return fd;
    throw new HacktreeError('path-not-found', `Directory ${path} vanished during the checkout`, { details: { path } });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTDIR' || errno === 'ELOOP') throw notADirectory(dir, name, path);
    throw wrapSystemError(error, 'Opening directory', path);
  }
}

/** Error for something else where a directory is to be: a symlink there might lead anywhere. */
export function notADirectory(dir: number, name: string, path: string): HacktreeError {
  const mode = statAt(dir, name)?.mode ?? 0;
  if ((mode & S_IFMT) === S_IFLNK) {
    return new HacktreeError('path-unsafe', `Cannot check out into ${path}: it is a symlink, expected a directory`, {
      details: { path, expected: 'a directory', found: 'a symlink' },
      hints: ['a checkout never follows symlinks below its destination; replace it by a directory'],
    });
  }
  return new HacktreeError('checkout-exists', `Cannot check out into ${path}: Not a directory`, {
    details: { path, expected: 'a directory', found: 'a file', errno: 'ENOTDIR' },
  });
}
