/**
 * Placing a file object as a new file: a copy with the inode it should have, a symlink, or a whiteout device. In an existing
 * destination it gets its name by rename when it is complete.
 *
 * Source: ostree-format 6; ostree-cli A.1 (checkout).
 */
import { checkFileName, wrapSystemError } from '../core/index.ts';
import { isSymlinkMode } from '../format/index.ts';
import type { FileObject } from '../repo/index.ts';
import {
  chmodAt,
  closeFd,
  createFileAt,
  renameAt,
  renameNoReplaceAt,
  statAt,
  symlinkAt,
  unlinkAt,
  whiteoutDeviceAt,
} from '../sys/index.ts';
import { writeContent } from './content.ts';
import type { PlaceContext } from './context.ts';
import { isSameAsCopy, isSameAsDevice } from './existing.ts';
import { applyInode, applyOwnerAt, fileInode, type Inode } from './inode.ts';
import type { Settings } from './settings.ts';
import { refuseDirectory, type Target, taken } from './target.ts';
import { temporaryName } from './temporary-name.ts';

type Creation = (dir: number, name: string) => void | Promise<void>;

export const PASSTHROUGH_PREFIX = '.ostree-wh.';

/** Copies an object. Errors: `checkout-exists`, `object-corrupt`, `no-space`, `permission`, system errors. */
export function copyFile(context: PlaceContext, target: Target, object: FileObject): void | Promise<void> {
  const { settings, labelFor, tally } = context;
  const { header } = object;
  const inode = fileInode(header, settings, labelFor?.(target.path, header.mode));
  tally.copiedBytes += object.sizeBytes;
  const isSame = (): boolean => isSameAsCopy({ dir: target.spot.dir, name: target.name }, object, inode);
  if (!isSymlinkMode(header.mode)) return put(settings, target, isSame, (dir, name) => writeCopy(object, inode, dir, name));
  return put(settings, target, isSame, (dir, name) => {
    if (!symlinkAt(header.target, dir, name)) throw taken(target);
    applyOwnerAt(dir, name, inode);
  });
}

function writeCopy(object: FileObject, inode: Inode, dir: number, name: string): void | Promise<void> {
  const fd = createFileAt(dir, name);
  let writing: void | Promise<void>;
  try {
    writing = writeContent(object, fd);
    if (writing === undefined) applyInode(fd, inode);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  if (writing !== undefined) return writing.then(() => applyInode(fd, inode)).finally(() => closeFd(fd));
  closeFd(fd);
}

/** Makes the device 0:0 that a file `.ostree-wh.NAME` stands for. Errors: as copyFile; `path-unsafe` for a NAME that is none. */
export function placeDevice(context: PlaceContext, target: Target, object: FileObject): void | Promise<void> {
  const place = { ...target, name: withoutPrefix(target.name), path: withoutPrefix(target.path) };
  checkFileName(place.name.slice(place.name.lastIndexOf('/') + 1));
  const { settings, labelFor } = context;
  const inode = fileInode(object.header, settings, labelFor?.(place.path, object.header.mode));
  const isSame = (): boolean => isSameAsDevice({ dir: place.spot.dir, name: place.name }, inode);
  return put(settings, place, isSame, (dir, name) => {
    if (!whiteoutDeviceAt(dir, name, inode.mode)) throw taken(place);
    applyOwnerAt(dir, name, inode);
    if (inode.owner !== undefined) chmodAt(dir, name, inode.mode); // the umask had its say in user mode only
  });
}

function withoutPrefix(path: string): string {
  const at = path.lastIndexOf('/') + 1;
  return path.slice(0, at) + path.slice(at + PASSTHROUGH_PREFIX.length);
}

// ---- giving names ----

/** Makes something and gives it its name, minding what has that name already. */
function put(settings: Settings, target: Target, isSame: () => boolean, create: Creation): void | Promise<void> {
  const { spot, name, path } = target;
  const fail = (error: unknown): never => {
    throw wrapSystemError(error, 'Writing', path);
  };
  try {
    if (spot.staging === undefined) return create(spot.dir, name)?.catch(fail);
    if (isSettled(settings, target, isSame)) return;
    return putStaged(settings, target, spot.staging, create).catch(fail);
  } catch (error) {
    return fail(error);
  }
}

/** Tells whether what has the name may stay. Errors: `checkout-exists`. */
function isSettled({ conflict }: Settings, target: Target, isSame: () => boolean): boolean {
  if (statAt(target.spot.dir, target.name) === undefined) return false;
  if (conflict === 'add' || (conflict === 'identical' && isSame())) return true;
  if (conflict !== 'replace') throw taken(target);
  refuseDirectory(target);
  return false;
}

async function putStaged({ conflict }: Settings, target: Target, staging: number, create: Creation): Promise<void> {
  const { spot, name } = target;
  const temporary = temporaryName();
  try {
    await create(staging, temporary);
    if (conflict === 'replace') renameAt(staging, temporary, spot.dir, name);
    else if (!renameNoReplaceAt(staging, temporary, spot.dir, name) && conflict !== 'add') throw taken(target);
  } finally {
    unlinkAt(staging, temporary);
  }
}
