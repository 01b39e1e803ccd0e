/**
 * Decides how a file object gets to its place: by hard link where the rules allow it, else as a copy.
 *
 * A bare repository's objects are linked as they are; in user mode those of bare-user and bare-user-only are, but no symlinks
 * and nothing that its owner could not read. Empty files are never linked. Of an archive in user mode, the inflated files
 * of its cache are linked.
 *
 * Source: ostree-format 6 (checkout by hard link, uncompressed cache).
 */
import type { Checksum } from '../core/index.ts';
import { isRegularMode, isSymlinkMode } from '../format/index.ts';
import { type FileObject, loadFile, missingObject, type RepoMode } from '../repo/index.ts';
import { linkUnlessEmptyAt, statAt } from '../sys/index.ts';
import type { PlaceContext } from './context.ts';
import { copyFile, PASSTHROUGH_PREFIX, placeDevice } from './copy-file.ts';
import { placeFirstEmpty, placeKnownEmpty } from './empty-file.ts';
import { fileInode } from './inode.ts';
import { linkFile, refuseLink } from './link-file.ts';
import { type FoundObject, findFile, looseName, type ObjectSource } from './sources.ts';
import type { Spot, Target } from './target.ts';
import { fillCache } from './uncompressed-cache.ts';

const OWNER_READ = 0o400;

/**
 * Places a file object as `name` in a directory; `path` is its path in the checkout.
 * Errors: `object-missing`, `object-corrupt`, `checkout-exists`, `repo-mode`, system errors.
 */
export function placeFile(
  context: PlaceContext,
  spot: Spot,
  name: string,
  path: string,
  checksum: Checksum,
): void | Promise<void> {
  const { settings, sources, tally } = context;
  tally.files++;
  const first = sources[0];
  const isPassthrough = settings.passthroughWhiteouts && name.startsWith(PASSTHROUGH_PREFIX, name.lastIndexOf('/') + 1);
  if (isPassthrough) return placePassthrough(context, { spot, name, path }, checksum);
  if (first?.cache !== undefined) return placeThroughCache(context, { spot, name, path }, checksum, first.cache);
  if (placeKnownEmpty(context, spot, name, path, checksum)) return;
  if (first?.canLink === true && first.repo.mode === 'bare' && linkBare(context, first, spot, name, path, checksum)) return;
  return placeFound(context, { spot, name, path }, checksum);
}

/** The common case, without a needless call or object; returns false when something else must be done. */
function linkBare(
  context: PlaceContext,
  { objects }: ObjectSource,
  spot: Spot,
  name: string,
  path: string,
  checksum: Checksum,
): boolean {
  const from = looseName(checksum);
  try {
    const outcome = linkUnlessEmptyAt(objects, from, spot.dir, name);
    if (outcome === 'linked') context.tally.linked++;
    else if (outcome === 'taken') return linkFile(context, { spot, name, path }, { dir: objects, name: from }, checksum);
    else if (outcome === 'empty') return placeFirstEmpty(context, { spot, name, path }, checksum);
    return outcome === 'linked';
  } catch (error) {
    return refuseLink(context, { spot, name, path }, { dir: objects, name: from }, error);
  }
}

function find({ repo, sources }: PlaceContext, checksum: Checksum): FoundObject {
  const found = findFile(sources, checksum);
  if (found === undefined) throw missingObject(repo, checksum, 'file');
  return found;
}

function loadFound(context: PlaceContext, checksum: Checksum): FileObject {
  return loadFile(find(context, checksum).source.repo, checksum);
}

/** Any object in any mode. */
function placeFound(context: PlaceContext, target: Target, checksum: Checksum): void | Promise<void> {
  const { source, name, stat } = find(context, checksum);
  const from = { dir: source.objects, name };
  const { mode } = source.repo;
  if (
    source.canLink &&
    mode !== 'bare-user' &&
    isLinkable(mode, stat.mode, stat.sizeBytes) &&
    linkFile(context, target, from, checksum)
  )
    return;
  const object = loadFile(source.repo, checksum);
  const isUserLink = source.canLink && mode === 'bare-user' && isLinkable(mode, object.header.mode, object.sizeBytes);
  if (isUserLink && linkFile(context, target, from, checksum)) return;
  return copyFile(context, target, object);
}

/** By the mode that the object has as a file (in bare-user repositories that of its header). */
function isLinkable(repoMode: RepoMode, mode: number, sizeBytes: number): boolean {
  if (isSymlinkMode(mode)) return repoMode === 'bare';
  return sizeBytes > 0 && (repoMode === 'bare' || (mode & OWNER_READ) !== 0);
}

function placePassthrough(context: PlaceContext, target: Target, checksum: Checksum): void | Promise<void> {
  const object = loadFound(context, checksum);
  if (isSymlinkMode(object.header.mode)) return placeFound(context, target, checksum);
  return placeDevice(context, target, object);
}

async function placeThroughCache(context: PlaceContext, target: Target, checksum: Checksum, cache: number): Promise<void> {
  const from = { dir: cache, name: looseName(checksum) };
  const cached = statAt(cache, from.name);
  if (cached !== undefined && isRegularMode(cached.mode) && linkFile(context, target, from, checksum)) return;
  const object = loadFound(context, checksum);
  if (!isSymlinkMode(object.header.mode) && isLinkable('bare-user', object.header.mode, object.sizeBytes)) {
    const inode = fileInode(object.header, context.settings, undefined);
    if ((await fillCache(context.repo, cache, from.name, object, inode)) && linkFile(context, target, from, checksum)) return;
  }
  return copyFile(context, target, object);
}
