/**
 * The cache of an archive's inflated files: `uncompressed-objects-cache/XX/REST.file` in the repository, from which user mode
 * checkouts link. A file in it belongs to whoever made it, has the object's permissions without set-id bits, and was on the
 * device before it got its name.
 *
 * Source: ostree-format 6 (uncompressed cache).
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../core/index.ts';
import { type FileObject, type Repo, tmpDir } from '../repo/index.ts';
import { closeFd, createFileAt, mkdirAt, renameNoReplaceAt, unlinkAt } from '../sys/index.ts';
import { writeContent } from './content.ts';
import { applyInode, type Inode } from './inode.ts';
import { temporaryName } from './temporary-name.ts';

export const CACHE_DIR = 'uncompressed-objects-cache';

/** Any absolute path goes with this. */
const NO_DIR = -1;
/** The cache is a convenience: where it cannot be written, files are copied. */
const CANNOT_CACHE = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT'];

/** Puts an inflated file into the cache as `XX/REST.file`; returns false where that is not possible. Errors: `object-corrupt`, system errors. */
export async function fillCache(repo: Repo, cache: number, name: string, object: FileObject, inode: Inode): Promise<boolean> {
  const temporary = join(tmpDir(repo.path), temporaryName());
  try {
    const fd = createFileAt(NO_DIR, temporary);
    try {
      await writeContent(object, fd);
      applyInode(fd, inode);
      if (repo.config.fsync) fs.fsyncSync(fd);
    } finally {
      closeFd(fd);
    }
    mkdirAt(cache, dirname(name), 0o777);
    renameNoReplaceAt(NO_DIR, temporary, cache, name);
    return true;
  } catch (error) {
    if (CANNOT_CACHE.includes(errnoOf(error) ?? '')) return false;
    throw error;
  } finally {
    unlinkAt(NO_DIR, temporary);
  }
}
