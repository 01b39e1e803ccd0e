/** Conflicts that wait for a decision in an /etc, found by the files kept beside, and settling them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { syncDir } from '../sys/index.ts';
import { type BesideKind, parseBeside } from './beside.ts';
import { fsPath, readNames, readNode } from './tree.ts';

/** A side of a past conflict that is still kept beside the other. Paths are relative to /etc. */
export interface UnresolvedConflict {
  readonly path: string;
  readonly beside: string;
  /** Whose version the kept one is. */
  readonly kind: BesideKind;
}

/** Lists the conflicts of an /etc that nobody has resolved, in path order. Directories closed to the caller are passed over. */
export function listUnresolved(etcDir: string): UnresolvedConflict[] {
  const found: UnresolvedConflict[] = [];
  const walk = (dir: string): void => {
    for (const name of namesOf(path.join(etcDir, dir))) {
      const beside = dir === '' ? name : `${dir}/${name}`;
      const kept = parseBeside(beside);
      if (kept !== undefined) found.push({ ...kept, beside });
      else if (readNode(path.join(etcDir, beside))?.type === 'directory') walk(beside);
    }
  };
  walk('');
  return found;
}

function namesOf(dir: string): string[] {
  try {
    return readNames(dir);
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return [];
    throw wrapSystemError(error, 'Cannot read', dir);
  }
}

/**
 * Settles the conflicts of one path: the version of the chosen side stands there, the other is gone, durably.
 * Errors: `path-not-found` when the path has no unresolved conflict.
 */
export function resolveConflict(etcDir: string, relativePath: string, choice: 'keep' | 'new'): readonly UnresolvedConflict[] {
  const conflicts = listUnresolved(etcDir).filter((conflict) => conflict.path === relativePath);
  if (conflicts.length === 0) {
    throw new HacktreeError('path-not-found', `${relativePath} has no unresolved conflict`, { details: { path: relativePath } });
  }
  const full = path.join(etcDir, relativePath);
  try {
    for (const { beside, kind } of conflicts) {
      const kept = path.join(etcDir, beside);
      if ((kind === 'new') === (choice === 'new')) replaceBy(full, kept);
      else fs.rmSync(fsPath(kept), { recursive: true });
    }
    syncDir(path.dirname(full));
  } catch (error) {
    throw wrapSystemError(error, 'Cannot resolve', full);
  }
  return conflicts;
}

/** Renames over the path; directories on either side make that two steps, of which the first leaves both versions. */
function replaceBy(full: string, kept: string): void {
  const [old, wanted] = [readNode(full), readNode(kept)];
  if (old !== undefined && (old.type === 'directory' || wanted?.type === 'directory')) {
    const away = `${full}.hacktree-old`;
    fs.renameSync(fsPath(full), fsPath(away));
    fs.renameSync(fsPath(kept), fsPath(full));
    fs.rmSync(fsPath(away), { recursive: true });
    return;
  }
  fs.renameSync(fsPath(kept), fsPath(full));
}
