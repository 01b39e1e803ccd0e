/**
 * uid/gid drift: the same number meaning another name than in the parent commit, a mistake of builds that make users in
 * another order. Compared are the trees' own passwd and group files.
 */

import type { Checksum } from '../../core/index.ts';
import { errnoOf, HacktreeError, isHacktreeError } from '../../core/index.ts';
import { readContent } from '../content.ts';
import { loadCommit, loadFile } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { lookupBelow, rootOf, type TreeDir } from '../tree-walk.ts';
import type { IdDrift } from './options.ts';
import type { TreeRef } from './tree-sink.ts';

const DATABASES = { uid: 'passwd', gid: 'group' } as const;
/** Later ones win, as the name service would have it. */
const PLACES = ['usr/lib', 'usr/etc', 'etc'];
const MAX_BYTES = 16 * 1024 * 1024;

/** Lists ids whose name differs between a new tree and a parent commit. */
export function findIdDrift(view: Repo, root: TreeRef, parent: Checksum): IdDrift[] {
  const parentRoot = rootOf(loadCommit(view, parent));
  if (parentRoot.tree === root.tree) return [];
  const newRoot: TreeDir = { kind: 'dir', path: '/', name: '', ...root };
  return (['uid', 'gid'] as const).flatMap((kind) => {
    const before = readNames(view, parentRoot, DATABASES[kind]);
    const after = readNames(view, newRoot, DATABASES[kind]);
    return [...after].flatMap(([id, name]) => {
      const parentName = before.get(id);
      return parentName === undefined || parentName === name ? [] : [{ kind, id, parentName, name }];
    });
  });
}

/** Errors: `id-drift` when the list is not empty. */
export function requireNoDrift(drift: readonly IdDrift[]): void {
  if (drift.length === 0) return;
  const lines = drift.map(printIdDrift);
  throw new HacktreeError('id-drift', `${drift.length} ids mean another name than in the parent commit: ${lines.join('; ')}`, {
    details: { drift },
    hints: ['give users fixed ids in the build, or translate them with --id-map=FILE'],
  });
}

export function printIdDrift({ kind, id, parentName, name }: IdDrift): string {
  return `${kind} ${id} was ${parentName}, is now ${name}`;
}

function readNames(view: Repo, root: TreeDir, database: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const place of PLACES) {
    for (const line of readText(view, root, `${place}/${database}`).split('\n')) {
      const [name, , id] = line.split(':');
      if (name !== undefined && name !== '' && id !== undefined && /^\d+$/.test(id)) names.set(Number(id), name);
    }
  }
  return names;
}

function readText(view: Repo, root: TreeDir, path: string): string {
  try {
    const node = lookupBelow(view, root, path);
    if (node.kind === 'dir') return '';
    const file = loadFile(view, node.checksum);
    return file.sizeBytes > MAX_BYTES ? '' : readContent(file).toString('utf8');
  } catch (error) {
    if ((isHacktreeError(error) && error.code === 'path-not-found') || errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
