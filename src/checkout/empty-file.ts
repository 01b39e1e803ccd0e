/**
 * Empty files, which are never linked. A tree has thousands of them but few kinds (owner, mode, xattrs), hence few objects: each
 * is read once, and those that need nothing but a mode are then made by one call.
 *
 * Only in a fresh destination: in an existing one, what is there has to be looked at first.
 */
import { type Checksum, wrapSystemError } from '../core/index.ts';
import { loadFile } from '../repo/index.ts';
import { emptyFileAt } from '../sys/index.ts';
import type { PlaceContext } from './context.ts';
import { fileInode, isPlainInode } from './inode.ts';
import { type Spot, type Target, taken } from './target.ts';

/** Places an empty file met before; returns false when it is not known to be one. Errors: `checkout-exists`, system errors. */
export function placeKnownEmpty(context: PlaceContext, spot: Spot, name: string, path: string, checksum: Checksum): boolean {
  const mode = context.emptyFiles.get(checksum);
  if (mode === undefined) return false;
  make({ spot, name, path }, mode);
  return true;
}

/** Places an empty file of the first source; returns false when it needs more than a mode. Errors: as placeKnownEmpty. */
export function placeFirstEmpty(context: PlaceContext, target: Target, checksum: Checksum): boolean {
  const { emptyFiles, labelFor, plainOwner, repo, settings } = context;
  if (target.spot.staging !== undefined || labelFor !== undefined) return false;
  const inode = fileInode(loadFile(repo, checksum).header, settings, undefined);
  if (!isPlainInode(inode, plainOwner)) return false;
  emptyFiles.set(checksum, inode.mode);
  make(target, inode.mode);
  return true;
}

function make(target: Target, mode: number): void {
  try {
    if (!emptyFileAt(target.spot.dir, target.name, mode)) throw taken(target);
  } catch (error) {
    throw wrapSystemError(error, 'Writing', target.path);
  }
}
