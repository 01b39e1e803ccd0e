/**
 * The two kinds of destination. A fresh one is built as `.NAME.hacktree-XXXXXXXX` beside its final name and renamed when it is
 * complete; until then only its owner can enter it. An existing one is filled in place, with a hidden working directory in
 * it for what is not complete.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeErrno, HacktreeError, wrapSystemError } from '../core/index.ts';
import { closeFd, mkdirAt, openDirAt, removeTreeAt, renameNoReplaceAt, rmdirAt, statAt, syncFileSystemOf } from '../sys/index.ts';
import { makeWorkDir, removeLeftovers, type WorkDir } from './leftovers.ts';
import type { Destination } from './place-dir.ts';

export interface OpenDestination extends Destination {
  readonly isFresh: boolean;
  /** Gives a fresh destination its name; in an existing one, clears the working directory away. With `sync`, durably. */
  finish(sync: boolean): void;
  /** Removes what is not complete. */
  discard(): void;
}

/** Longest part of the final name that the temporary one repeats. Bytes. */
const MAX_PREFIX_BYTES = 200;

/**
 * Opens a destination: an existing directory when `mayExist`, else a fresh one.
 * Errors: `checkout-exists`, `path-not-found` (its parent), system errors.
 */
export function openDestination(destination: string, mayExist: boolean): OpenDestination {
  const target = path.resolve(destination);
  const stat = mayExist ? fs.statSync(target, { throwIfNoEntry: false }) : fs.lstatSync(target, { throwIfNoEntry: false });
  try {
    if (stat === undefined) return openFresh(target);
    if (mayExist && stat.isDirectory()) return openExisting(target);
  } catch (error) {
    throw wrapSystemError(error, 'Opening destination', target);
  }
  throw exists(target, mayExist ? 'ENOTDIR' : 'EEXIST');
}

function exists(target: string, errno: string): HacktreeError {
  return new HacktreeError('checkout-exists', `Cannot check out to ${target}: ${describeErrno(errno)}`, {
    details: {
      path: target,
      expected: errno === 'EEXIST' ? 'nothing there' : 'a directory',
      found: 'a file or directory',
      errno,
    },
    hints: errno === 'EEXIST' ? ['--union, --union-add and --union-identical check out into an existing directory'] : [],
  });
}

// ---- fresh ----

function openFresh(target: string): OpenDestination {
  const parent = openParent(path.dirname(target));
  const prefix = `.${shorten(path.basename(target))}`;
  let work: WorkDir;
  try {
    removeLeftovers(parent, prefix);
    work = makeWorkDir(parent, prefix);
  } catch (error) {
    closeFd(parent);
    throw error;
  }
  const close = (): void => {
    closeFd(work.fd);
    closeFd(parent);
  };
  return {
    isFresh: true,
    root: work.fd,
    staging: undefined,
    plainOwner: probeOwner(work.fd),
    finish(sync) {
      if (sync) syncFileSystemOf(work.fd);
      if (!renameNoReplaceAt(parent, work.name, parent, path.basename(target))) throw exists(target, 'EEXIST');
      if (sync) fs.fsyncSync(parent);
      close();
    },
    discard() {
      removeTreeAt(parent, work.name);
      close();
    },
  };
}

function openParent(dir: string): number {
  const fd = openDirAt(-1, `${dir}/.`);
  if (fd !== undefined) return fd;
  throw new HacktreeError('path-not-found', `Directory ${dir}, where the destination is to be: ${describeErrno('ENOENT')}`, {
    details: { path: dir, errno: 'ENOENT' },
  });
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_PREFIX_BYTES) return name;
  return Buffer.from(name)
    .toString('latin1', 0, MAX_PREFIX_BYTES)
    .replace(/[^ -~]/g, '_');
}

/** Finds out what mkdir gives here: umask, set-group-id and default ACLs may change modes and groups. */
function probeOwner(dir: number): Destination['plainOwner'] {
  mkdirAt(dir, 'probe', 0o755);
  const stat = statAt(dir, 'probe');
  rmdirAt(dir, 'probe');
  if (stat === undefined || (stat.mode & 0o7777) !== 0o755) return undefined;
  return { uid: stat.uid, gid: stat.gid };
}

// ---- existing ----

function openExisting(target: string): OpenDestination {
  const root = openDirAt(-1, `${target}/.`);
  if (root === undefined) throw Object.assign(new Error(`ENOENT: ${target}`), { code: 'ENOENT' });
  let work: WorkDir;
  try {
    removeLeftovers(root, '');
    work = makeWorkDir(root, '');
    if (process.getegid !== undefined) fs.fchownSync(work.fd, -1, process.getegid());
    fs.fchmodSync(work.fd, 0o700); // without a set-group-id bit from above
  } catch (error) {
    closeFd(root);
    throw error;
  }
  const close = (): void => {
    removeTreeAt(root, work.name);
    closeFd(work.fd);
    closeFd(root);
  };
  return {
    isFresh: false,
    root,
    staging: work.fd,
    plainOwner: undefined,
    finish(sync) {
      if (sync) syncFileSystemOf(root);
      close();
    },
    discard: close,
  };
}
