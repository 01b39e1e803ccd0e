/**
 * Placing a file object by hard link, and what happens when its name is taken: the file there stays when it cannot be told
 * from the object, else it is replaced by rename or refused, as the caller wished.
 *
 * Source: ostree-format 6 (checkout by hard link); ostree-cli A.1 (checkout --union...).
 */
import { type Checksum, errnoOf, wrapSystemError } from '../core/index.ts';
import { loadFile } from '../repo/index.ts';
import { linkAt, renameAt, statAt, unlinkAt } from '../sys/index.ts';
import type { PlaceContext } from './context.ts';
import { isSameAsCopy, isSameInode, type NamedFile } from './existing.ts';
import { fileInode } from './inode.ts';
import { refuseDirectory, type Target, taken } from './target.ts';
import { temporaryName } from './temporary-name.ts';

/** A link that these stop becomes a copy: too many links, another mount, links to others' files not allowed. */
const CANNOT_LINK = ['EMLINK', 'EXDEV', 'EPERM'];

/** Links a file; returns false when a copy must do. Errors: `checkout-exists`, with -H also what stopped the link. */
export function linkFile(context: PlaceContext, target: Target, from: NamedFile, checksum: Checksum): boolean {
  try {
    if (!tryLink(from, target.spot.dir, target.name)) linkOver(context, target, from, checksum);
    context.tally.linked++;
    return true;
  } catch (error) {
    return refuseLink(context, target, from, error);
  }
}

/** Returns false when a copy must do instead of a link that failed; else throws. */
export function refuseLink(context: PlaceContext, target: Target, from: NamedFile, error: unknown): boolean {
  if (!CANNOT_LINK.includes(errnoOf(error) ?? '')) throw wrapSystemError(error, `Hardlinking ${from.name} to`, target.path);
  if (!context.settings.requireHardlinks) return false;
  throw wrapSystemError(error, `Hardlinking (required by -H) ${from.name} to`, target.path);
}

/** Links; returns false when the name is taken. */
function tryLink(from: NamedFile, dir: number, name: string): boolean {
  try {
    linkAt(from.dir, from.name, dir, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Deals with a name that is taken. */
function linkOver(context: PlaceContext, target: Target, from: NamedFile, checksum: Checksum): void {
  const { conflict } = context.settings;
  const { spot, name } = target;
  if (spot.staging === undefined || conflict === 'fail') throw taken(target);
  if (conflict === 'add' || mayStay(context, { dir: spot.dir, name }, from, checksum)) return;
  if (conflict === 'identical') throw taken(target);
  refuseDirectory(target);
  const temporary = temporaryName();
  linkAt(from.dir, from.name, spot.staging, temporary);
  try {
    renameAt(spot.staging, temporary, spot.dir, name);
  } finally {
    unlinkAt(spot.staging, temporary); // still there after an error
  }
}

/** Tells whether an existing file is the linked one, or has its permissions and is as the object says. */
function mayStay({ repo, settings }: PlaceContext, existing: NamedFile, from: NamedFile, checksum: Checksum): boolean {
  if (isSameInode(existing, from)) return true;
  if (statAt(existing.dir, existing.name)?.mode !== statAt(from.dir, from.name)?.mode) return false;
  const object = loadFile(repo, checksum);
  const userMode = repo.mode === 'bare-user-only';
  return isSameAsCopy(existing, object, fileInode(object.header, { ...settings, userMode }, undefined));
}
