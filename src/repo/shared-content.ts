/**
 * Sharing storage with content that the repository already has under other metadata: found by the content index, shared
 * by reflink, and compared byte for byte first, since the index is only a hint.
 *
 * Only on file systems that can reflink (btrfs, XFS) and in the bare modes, where objects are plain files.
 */
import * as fs from 'node:fs';
import type { ContentDigest } from '../core/index.ts';
import { cloneFile, fileSystemTypeOf, readChunks } from '../sys/index.ts';
import { type ContentIndex, openContentIndex } from './content-index/index.ts';
import { objectPath } from './object-read.ts';
import type { Repo } from './repo.ts';

/** Below one block there is nothing to share. Bytes. */
const WORTH_SHARING_BYTES = 4096;

export const isWorthSharing = (sizeBytes: number): boolean => sizeBytes >= WORTH_SHARING_BYTES;

export class ContentSharer {
  readonly #repo: Repo;
  readonly #index: ContentIndex;

  private constructor(repo: Repo) {
    this.#repo = repo;
    this.#index = openContentIndex(repo);
  }

  /** Opens a sharer; undefined where nothing can be shared. */
  static open(repo: Repo): ContentSharer | undefined {
    const canShare = repo.mode !== 'archive' && ['btrfs', 'xfs'].includes(fileSystemTypeOf(repo.path));
    return canShare ? new ContentSharer(repo) : undefined;
  }

  close(): void {
    this.#index.close();
  }

  /** Makes the empty file `to` share storage with an object of this content; false when there is none. */
  share(to: number, digest: ContentDigest, source: Buffer | number, sizeBytes: number): boolean {
    if (!isWorthSharing(sizeBytes)) return false;
    for (const object of this.#index.find(digest)) {
      const path = objectPath(this.#repo, object, 'file');
      const stat = fs.lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile() || stat.size !== sizeBytes) continue;
      const from = fs.openSync(path, 'r');
      try {
        if (isSameContent(from, source) && cloneFile(from, to)) return true;
      } finally {
        fs.closeSync(from);
      }
    }
    return false;
  }
}

function isSameContent(object: number, source: Buffer | number): boolean {
  let at = 0;
  const other = typeof source === 'number' ? readChunks(source) : undefined;
  for (const chunk of readChunks(object)) {
    const expected = typeof source === 'number' ? other?.next().value : source.subarray(at, at + chunk.length);
    if (!(expected instanceof Uint8Array) || !chunk.equals(expected)) return false;
    at += chunk.length;
  }
  return true;
}
