/**
 * What the inode of a checked-out file or directory is to look like: the object's own owner, mode and xattrs, or in user
 * mode only its permission bits; with a SELinux label where a policy is given.
 *
 * Owner, xattrs and mode are set in this order: chown drops capabilities and set-id bits, and a mode without owner-write
 * keeps an ordinary user from setting xattrs.
 *
 * Source: ostree-format 6; ostree-cli A.1 (checkout).
 */
import * as fs from 'node:fs';
import { describeErrno, errnoOf, HacktreeError } from '../core/index.ts';
import { type FileHeader, type InodeMeta, NO_XATTRS, sortXattrs, type Xattrs } from '../format/index.ts';
import { writeXattrs } from '../repo/index.ts';
import { chownAt } from '../sys/index.ts';
import type { Settings } from './settings.ts';

/** Gives the SELinux label of a path in the checkout, mode with file type bits; undefined for none. */
export type LabelFor = (path: string, mode: number) => string | undefined;

export interface Inode {
  /** undefined: whoever runs the checkout. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Permission bits. */
  readonly mode: number;
  readonly xattrs: Xattrs;
}

/** The owner that new files and directories get by themselves, where they also get any mode within 0755. */
export interface PlainOwner {
  readonly uid: number;
  readonly gid: number;
}

const PLAIN_MODE = 0o755;
const SETID = 0o6000;
const OWNER_READ = 0o400;
const SELINUX_XATTR = 'security.selinux';

/** The inode of a regular file or symlink. In user mode its owner can always read it. */
export function fileInode(header: FileHeader, settings: Settings, label: string | undefined): Inode {
  if (settings.userMode) {
    return { owner: undefined, mode: (header.mode & 0o7777 & ~SETID) | OWNER_READ, xattrs: NO_XATTRS };
  }
  return { owner: header, mode: header.mode & 0o7777, xattrs: withLabel(header.xattrs, label) };
}

/** The inode of a directory. */
export function dirInode(meta: InodeMeta, settings: Settings, label: string | undefined): Inode {
  const mode = meta.mode & settings.dirModeMask;
  if (settings.userMode) return { owner: undefined, mode, xattrs: NO_XATTRS };
  return { owner: meta, mode, xattrs: withLabel(meta.xattrs, label) };
}

function withLabel(xattrs: Xattrs, label: string | undefined): Xattrs {
  if (label === undefined) return xattrs;
  const others = xattrs.filter(({ name }) => name.toString('latin1') !== SELINUX_XATTR);
  return sortXattrs([...others, { name: Buffer.from(SELINUX_XATTR), value: Buffer.from(label) }]);
}

/** Tells whether something looks so from the moment it is made with its mode. */
export function isPlainInode({ owner, mode, xattrs }: Inode, plainOwner: PlainOwner | undefined): boolean {
  if (plainOwner === undefined || xattrs.length > 0 || (mode & ~PLAIN_MODE) !== 0) return false;
  return owner === undefined || (owner.uid === plainOwner.uid && owner.gid === plainOwner.gid);
}

/** Makes an open file or directory look so. */
export function applyInode(fd: number, { owner, mode, xattrs }: Inode): void {
  if (owner !== undefined) giveTo(owner, () => fs.fchownSync(fd, owner.uid, owner.gid));
  writeXattrs(fd, xattrs);
  fs.fchmodSync(fd, mode);
}

/** Gives a symlink or device, which cannot be opened, its owner and xattrs. */
export function applyOwnerAt(dir: number, name: string, { owner, xattrs }: Inode): void {
  if (owner !== undefined) giveTo(owner, () => chownAt(dir, name, owner.uid, owner.gid));
  if (xattrs.length > 0) writeXattrs(`/proc/self/fd/${dir}/${name}`, xattrs);
}

function giveTo({ uid, gid }: { uid: number; gid: number }, chown: () => void): void {
  try {
    chown();
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    throw new HacktreeError('permission', `Cannot give a file to uid ${uid}, gid ${gid}: ${describeErrno('EPERM')}`, {
      details: { uid, gid, errno: 'EPERM' },
      hints: ['a checkout with the original owners needs root; -U (--user-mode) leaves owners and xattrs alone'],
      cause: error,
    });
  }
}
