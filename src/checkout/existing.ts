/**
 * Is what has a name already the same as what would be put there? Type, owner, permissions, xattrs and content count;
 * times do not. Nothing is followed, and a name that vanishes meanwhile is not the same.
 */
import { isSymlinkMode, S_IFCHR, S_IFMT, type Xattrs } from '../format/index.ts';
import { type FileObject, readXattrs } from '../repo/index.ts';
import { closeFd, type EntryStat, identityAt, openFileAt, readlinkAt, statAt } from '../sys/index.ts';
import { hasContent } from './content.ts';
import type { Inode } from './inode.ts';

const PERMISSIONS = 0o7777;

/** A file named relative to an open directory. */
export interface NamedFile {
  readonly dir: number;
  readonly name: string;
}

/** Tells whether two names are one inode. */
export function isSameInode(a: NamedFile, b: NamedFile): boolean {
  return identityAt(a.dir, a.name) === identityAt(b.dir, b.name);
}

/** Tells whether a name holds what a copy of an object with this inode would be. */
export function isSameAsCopy(file: NamedFile, object: FileObject, inode: Inode): boolean {
  const { mode, target } = object.header;
  const stat = statAt(file.dir, file.name);
  if (stat === undefined || (stat.mode & S_IFMT) !== (mode & S_IFMT) || !isOwnedAlike(file, stat, inode)) return false;
  if (isSymlinkMode(mode)) return readlinkAt(file.dir, file.name) === target;
  return (stat.mode & PERMISSIONS) === inode.mode && withOpen(file, (fd) => hasContent(fd, object));
}

/** Tells whether a name holds a whiteout device with this inode. */
export function isSameAsDevice(file: NamedFile, inode: Inode): boolean {
  const stat = statAt(file.dir, file.name);
  if (stat === undefined || stat.mode !== (S_IFCHR | inode.mode) || stat.rdev !== 0) return false;
  return isOwnedAlike(file, stat, inode);
}

/** In user mode (no owner) neither owner nor xattrs are looked at. */
function isOwnedAlike(file: NamedFile, stat: EntryStat, { owner, xattrs }: Inode): boolean {
  if (owner === undefined) return true;
  return stat.uid === owner.uid && stat.gid === owner.gid && equalXattrs(xattrsAt(file), xattrs);
}

function xattrsAt({ dir, name }: NamedFile): Xattrs {
  return readXattrs(`/proc/self/fd/${dir}/${name}`);
}

function equalXattrs(a: Xattrs, b: Xattrs): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, value }, i) => b[i]?.name.equals(name) === true && Buffer.compare(b[i].value, value) === 0)
  );
}

function withOpen<T>({ dir, name }: NamedFile, use: (fd: number) => T): T {
  const fd = openFileAt(dir, name);
  try {
    return use(fd);
  } finally {
    closeFd(fd);
  }
}
