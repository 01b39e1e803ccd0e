/**
 * Which objects a repository has, asked for many at once: each directory of objects is looked into a few times, then all its names
 * are read and kept. What is read stays right while the repository's lock is held: nothing leaves it then, and an object that comes
 * meanwhile is only written twice.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Checksum } from '../core/index.ts';
import type { ObjectType } from '../format/index.ts';
import { loosePath } from './layout.ts';
import type { Repo } from './repo.ts';

/** Reading all names of a directory costs as much as some twenty looks into it. */
const LOOKS_BEFORE_LISTING = 16;
/** Names that are held in memory at most, 100 bytes each; what is beyond is looked for one by one. */
const MAX_NAMES = 200_000;

export interface NamesOptions {
  /** After so many looks into all directories each is read at the first look: for whoever asks for all objects of a tree. */
  readonly manyLooks?: number;
}

interface Folder {
  looks: number;
  /** Known after many looks, and of a directory that is not there. */
  names: ReadonlySet<string> | undefined;
}

export class ObjectNames {
  readonly #repo: Repo;
  readonly #folders = new Map<string, Folder>();
  readonly #manyLooks: number;
  #looks = 0;
  #nameCount = 0;

  constructor(repo: Repo, { manyLooks = Number.POSITIVE_INFINITY }: NamesOptions = {}) {
    this.#repo = repo;
    this.#manyLooks = manyLooks;
  }

  has(checksum: Checksum, type: ObjectType): boolean {
    const prefix = checksum.slice(0, 2);
    let folder = this.#folders.get(prefix);
    if (folder === undefined) {
      folder = { looks: 0, names: fs.existsSync(this.#pathOf(prefix)) ? undefined : new Set() };
      this.#folders.set(prefix, folder);
    }
    if (folder.names?.size === 0) return false;
    const path = loosePath(this.#repo.mode, checksum, type);
    const isAskedOften = folder.looks++ >= LOOKS_BEFORE_LISTING || this.#looks++ >= this.#manyLooks;
    if (folder.names === undefined && isAskedOften) folder.names = this.#list(prefix);
    if (folder.names !== undefined) return folder.names.has(path.slice('xx/'.length));
    return fs.lstatSync(this.#pathOf(path), { throwIfNoEntry: false }) !== undefined;
  }

  /** Gives those of many objects that are not here; all begin with `prefix`. What is read for that is not kept. */
  absent(prefix: string, checksums: readonly Checksum[], type: ObjectType): readonly Checksum[] {
    if (checksums.length <= LOOKS_BEFORE_LISTING) return checksums.filter((checksum) => !this.has(checksum, type));
    const names = this.#folders.get(prefix)?.names ?? this.#read(prefix);
    if (names.size === 0) return checksums;
    return checksums.filter((checksum) => !names.has(loosePath(this.#repo.mode, checksum, type).slice('xx/'.length)));
  }

  #list(prefix: string): ReadonlySet<string> | undefined {
    if (this.#nameCount > MAX_NAMES) return undefined;
    const names = this.#read(prefix);
    this.#nameCount += names.size;
    return names;
  }

  #read(prefix: string): ReadonlySet<string> {
    const path = this.#pathOf(prefix);
    return new Set(fs.existsSync(path) ? fs.readdirSync(path) : []);
  }

  #pathOf(path: string): string {
    return join(this.#repo.objectsPath, path);
  }
}
