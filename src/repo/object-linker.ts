/**
 * Stages file objects of another repository of the same mode by hard link, by open directories: the way to each name would cost as
 * much as the link. Objects whose names begin alike should come one after the other.
 *
 * Source: ostree-format 2, 12 (pull-local).
 */
import * as fs from 'node:fs';
import { type Checksum, errnoOf, wrapSystemError } from '../core/index.ts';
import { linkAt } from '../sys/index.ts';
import { loosePath } from './layout.ts';
import type { ObjectFiles } from './object-files.ts';
import type { Repo } from './repo.ts';

/** Errors that say: no hard links between these two (file system, number of links, rights); copy instead. */
export const LINK_REFUSED: readonly string[] = ['EXDEV', 'EMLINK', 'EPERM', 'EACCES'];

/** What became of an object: it is staged, the other repository has none, or links are not possible between these two. */
export type LinkOutcome = 'linked' | 'missing' | 'refused';

interface Folders {
  readonly prefix: string;
  readonly from: number;
  readonly to: number;
}

export class ObjectLinker {
  readonly #from: Repo;
  readonly #files: ObjectFiles;
  #folders: Folders | undefined;

  constructor(from: Repo, files: ObjectFiles) {
    this.#from = from;
    this.#files = files;
  }

  /** Links one file object. Errors: those of the system. */
  link(checksum: Checksum): LinkOutcome {
    const path = loosePath(this.#from.mode, checksum, 'file');
    const name = path.slice('xx/'.length);
    try {
      const folders = this.#open(path.slice(0, 2));
      if (folders === undefined) return 'missing';
      linkAt(folders.from, name, folders.to, name);
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (errno === 'ENOENT') return 'missing';
      if (LINK_REFUSED.includes(errno)) return 'refused';
      if (errno !== 'EEXIST') throw wrapSystemError(error, 'Linking object', `${this.#from.objectsPath}/${path}`);
    }
    this.#files.mark(checksum, 'file');
    return 'linked';
  }

  close(): void {
    if (this.#folders === undefined) return;
    fs.closeSync(this.#folders.from);
    fs.closeSync(this.#folders.to);
    this.#folders = undefined;
  }

  /** Undefined where the other repository has no object that begins so. */
  #open(prefix: string): Folders | undefined {
    if (this.#folders?.prefix === prefix) return this.#folders;
    this.close();
    const source = `${this.#from.objectsPath}/${prefix}`;
    if (!fs.existsSync(source)) return undefined;
    const from = fs.openSync(source, 'r');
    try {
      this.#folders = { prefix, from, to: fs.openSync(this.#files.ensurePrefix(prefix), 'r') };
    } catch (error) {
      fs.closeSync(from);
      throw error;
    }
    return this.#folders;
  }
}
