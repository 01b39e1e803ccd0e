/**
 * Recognises files that are hard links to the repository's own objects, by device and inode: a tree that was checked
 * out by hard links can be committed again without reading it, and mostly without a stat per file: the listing of a directory
 * brings the inode numbers.
 *
 * Source: ostree-cli A.1, `commit --link-checkout-speedup`, `-I`.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Checksum } from '../../core/index.ts';
import { type DirectoryEntry, readDirectory } from '../../sys/index.ts';
import { parseLooseName } from '../object-list.ts';
import type { Repo } from '../repo.ts';

export class LinkIndex {
  readonly #device: number;
  /** Names below the objects directory, `XX/REST.EXT`; most are never asked for. */
  readonly #byInode: ReadonlyMap<number, string>;

  constructor(repo: Repo) {
    const dir = repo.mode === 'archive' ? join(repo.path, 'uncompressed-objects-cache') : repo.objectsPath;
    const stat = fs.statSync(dir, { throwIfNoEntry: false });
    this.#device = stat?.dev ?? -1;
    this.#byInode = stat === undefined ? new Map() : indexInodes(dir);
  }

  /** Returns the object that a file is a hard link to. */
  find(device: number, inode: number): Checksum | undefined {
    const name = device === this.#device ? this.#byInode.get(inode) : undefined;
    return name === undefined ? undefined : parseLooseName(name.slice(0, 2), name.slice(3))?.checksum;
  }
}

/** Lists a directory with inodes; undefined where the file system's listing does not tell what stat(2) would. */
export function listWithInodes(dir: string): DirectoryEntry[] | undefined {
  const entries = readDirectory(dir);
  if (entries.some(({ kind }) => kind === 'unknown')) return undefined;
  const sample = entries.find(({ kind }) => kind === 'file');
  if (sample === undefined) return entries;
  const stat = fs.lstatSync(`${dir}/${sample.name}`, { throwIfNoEntry: false });
  return stat?.ino === sample.inode ? entries : undefined;
}

function indexInodes(dir: string): Map<number, string> {
  const inodes = new Map<number, string>();
  for (const prefix of fs.readdirSync(dir)) {
    const path = join(dir, prefix);
    for (const { name, inode } of listWithInodes(path) ?? statAll(path)) {
      if (name.endsWith('.file')) inodes.set(inode, `${prefix}/${name}`);
    }
  }
  return inodes;
}

function statAll(dir: string): { name: string; inode: number }[] {
  return fs.readdirSync(dir).flatMap((name) => {
    const stat = fs.lstatSync(`${dir}/${name}`, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, inode: stat.ino }];
  });
}
