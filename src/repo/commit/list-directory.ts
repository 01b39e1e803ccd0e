/** Lists one directory of the host that is committed. A name that is not UTF-8 is an error: dirtrees cannot hold it. */
import * as fs from 'node:fs';
import { HacktreeError, tryUtf8, wrapSystemError } from '../../core/index.ts';
import type { DirectoryEntry } from '../../sys/index.ts';
import { listWithInodes } from './link-index.ts';

export interface ListedEntry {
  readonly name: string;
  readonly kind: DirectoryEntry['kind'];
  /** Where inodes were asked for and the file system tells them. */
  readonly inode?: number;
}

/** Lists a directory, unsorted. Errors: `name-invalid`, system errors. */
export function listDirectory(path: string, withInodes: boolean): readonly ListedEntry[] {
  try {
    const entries =
      (withInodes ? listWithInodes(path) : undefined) ??
      fs.readdirSync(path, { withFileTypes: true }).map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    if (entries.some(({ name }) => name.includes('\ufffd'))) checkNames(path);
    return entries;
  } catch (error) {
    throw wrapSystemError(error, 'Reading directory', path);
  }
}

function kindOf(entry: fs.Dirent): DirectoryEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isSymbolicLink()) return 'symlink';
  return entry.isDirectory() ? 'dir' : 'other';
}

/** Finds the name that is not UTF-8; a name may also hold a real U+FFFD, which is fine. */
function checkNames(dir: string): void {
  for (const name of fs.readdirSync(dir, { encoding: 'buffer' })) {
    if (tryUtf8(name) !== undefined) continue;
    const shown = `${dir}/${name.toString('latin1').replace(/[\x80-\xff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)}`;
    throw new HacktreeError('name-invalid', `File name is not UTF-8: ${shown}`, {
      details: { path: shown, expected: 'UTF-8', found: name.toString('hex') },
      hints: ['rename the file; the repository format cannot hold such names'],
    });
  }
}

/** The inodes of names in their order; undefined when the listing has none. */
export function inodesOf(names: readonly string[], entries: readonly ListedEntry[]): number[] | undefined {
  const inodes = new Map(entries.map(({ name, inode }) => [name, inode]));
  const found = names.map((name) => inodes.get(name));
  return found.every((inode) => inode !== undefined) ? (found as number[]) : undefined;
}
