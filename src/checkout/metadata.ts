/**
 * Commits, dirtrees and dirmetas for a checkout, checked against their names: a damaged one must not give files other
 * owners or modes, and a tree whose directories are what their names say cannot contain itself. Dirmetas are few and are
 * kept.
 */
import { type Checksum, checksumOf, HacktreeError } from '../core/index.ts';
import {
  type Commit,
  type Dirtree,
  decodeCommit,
  decodeDirmeta,
  decodeDirtree,
  type InodeMeta,
  type ObjectType,
} from '../format/index.ts';
import { decodeObject, type Repo } from '../repo/index.ts';

/** Loads metadata objects of one repository. Errors of all: `object-missing`, `object-corrupt`, `path-unsafe`. */
export class MetadataLoader {
  readonly #repo: Repo;
  readonly #dirmetas = new Map<Checksum, InodeMeta>();

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  commit(checksum: Checksum): Commit {
    return this.#load(checksum, 'commit', decodeCommit);
  }

  dirtree(checksum: Checksum): Dirtree {
    return this.#load(checksum, 'dirtree', decodeDirtree);
  }

  dirmeta(checksum: Checksum): InodeMeta {
    let meta = this.#dirmetas.get(checksum);
    if (meta === undefined) {
      meta = this.#load(checksum, 'dirmeta', decodeDirmeta);
      this.#dirmetas.set(checksum, meta);
    }
    return meta;
  }

  #load<T>(checksum: Checksum, type: ObjectType, decode: (bytes: Buffer) => T): T {
    return decodeObject(this.#repo, checksum, type, (bytes) => {
      const actual = checksumOf(bytes);
      if (actual === checksum) return decode(bytes);
      throw new HacktreeError('format-invalid', `checksum expected='${checksum}' actual='${actual}'`);
    });
  }
}
