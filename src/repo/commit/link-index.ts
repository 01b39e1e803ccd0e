/**
 * Recognises files that are hard links to the repository's own objects, by device and inode: a tree that was checked
 * out by hard links can be committed again without reading it.
 *
 * Source: ostree-cli A.1, `commit --link-checkout-speedup`, `-I`.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Checksum } from '../../core/index.ts';
import { parseLooseName } from '../object-list.ts';
import type { Repo } from '../repo.ts';

export class LinkIndex {
  readonly #device: number;
  readonly #byInode: ReadonlyMap<number, Checksum>;

  constructor(repo: Repo) {
    const dir = repo.mode === 'archive' ? join(repo.path, 'uncompressed-objects-cache') : repo.objectsPath;
    const stat = fs.statSync(dir, { throwIfNoEntry: false });
    this.#device = stat?.dev ?? -1;
    this.#byInode = stat === undefined ? new Map() : indexInodes(dir);
  }

  /** Returns the object that a file is a hard link to. */
  find(stat: fs.Stats): Checksum | undefined {
    return stat.nlink > 1 && stat.dev === this.#device ? this.#byInode.get(stat.ino) : undefined;
  }
}

function indexInodes(dir: string): Map<number, Checksum> {
  const inodes = new Map<number, Checksum>();
  for (const prefix of fs.readdirSync(dir)) {
    for (const name of fs.readdirSync(join(dir, prefix))) {
      if (!name.endsWith('.file')) continue;
      const object = parseLooseName(prefix, name);
      const stat = object && fs.lstatSync(`${dir}/${prefix}/${name}`, { throwIfNoEntry: false });
      if (object !== undefined && stat !== undefined && stat.nlink > 1) inodes.set(stat.ino, object.checksum);
    }
  }
  return inodes;
}
