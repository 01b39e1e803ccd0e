/**
 * Which objects are here, asked for many at once: as long as a scan runs, each directory of objects is looked at as a whole
 * once it was asked about often enough, and never again when it is not there.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Checksum } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';
import { loosePath, type Repo, type Transaction } from '../../repo/index.ts';

/** Questions about one directory that are answered one by one. */
const SINGLE_LOOKUPS = 24;

interface Folder {
  lookups: number;
  /** Known after many lookups. */
  names: ReadonlySet<string> | undefined;
}

export class Presence {
  readonly #repos: readonly Repo[];
  readonly #transaction: Transaction;
  #folders: readonly Map<string, Folder>[];

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
    const repos: Repo[] = [];
    for (let repo: Repo | undefined = transaction.view; repo !== undefined; repo = repo.parent) repos.push(repo);
    this.#repos = repos;
    this.#folders = repos.map(() => new Map());
  }

  /** Must be called when objects may have come by other ways than this scan. */
  forget(): void {
    this.#folders = this.#repos.map(() => new Map());
  }

  has(checksum: Checksum, type: ObjectType): boolean {
    return this.#repos.some((repo, i) => this.#isIn(repo, this.#folders[i] as Map<string, Folder>, checksum, type));
  }

  #isIn(repo: Repo, folders: Map<string, Folder>, checksum: Checksum, type: ObjectType): boolean {
    if (repo === this.#transaction.view && !this.#transaction.writer.mayBeStaged(checksum)) return false;
    const prefix = checksum.slice(0, 2);
    let folder = folders.get(prefix);
    if (folder === undefined) {
      folder = openFolder(join(repo.objectsPath, prefix));
      folders.set(prefix, folder);
    }
    if (folder.names?.size === 0) return false;
    const path = loosePath(repo.mode, checksum, type);
    if (folder.names === undefined && ++folder.lookups > SINGLE_LOOKUPS)
      folder.names = listFolder(join(repo.objectsPath, prefix));
    if (folder.names !== undefined) return folder.names.has(path.slice(3));
    return fs.lstatSync(join(repo.objectsPath, path), { throwIfNoEntry: false }) !== undefined;
  }
}

function openFolder(path: string): Folder {
  return { lookups: 0, names: fs.existsSync(path) ? undefined : new Set() };
}

function listFolder(path: string): ReadonlySet<string> {
  return new Set(fs.readdirSync(path));
}
