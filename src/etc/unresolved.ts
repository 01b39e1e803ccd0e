/** Conflicts that wait for a decision in an /etc, found by the files kept beside and by the notes; and settling them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { compareUtf8, errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { syncDir } from '../sys/index.ts';
import { isSameAttributes } from './attributes.ts';
import { type BesideKind, parseBeside } from './beside.ts';
import { sideOf } from './compare.ts';
import { writeSide } from './live-write.ts';
import { dropNote, readNotes } from './notes.ts';
import { fsPath, isSameContent, readNames, readNode } from './tree.ts';

/** A root's /etc and its defaults, `usr/etc`. */
export interface EtcDirs {
  readonly etcDir: string;
  readonly defaultsDir: string;
}

/** A conflict that nobody has resolved. Paths are relative to /etc. */
export interface UnresolvedConflict {
  readonly path: string;
  /** Where the side that did not win is kept; undefined for a conflict that is only noted. */
  readonly beside: string | undefined;
  /** Whose version is kept there; of a note it is the new default, which stands in the defaults. */
  readonly kind: BesideKind;
  /** What is in conflict, where that is noted. */
  readonly details: string | undefined;
}

/** Lists the conflicts of an /etc that nobody has resolved, in path order. Directories closed to the caller are passed over. */
export function listUnresolved(dirs: EtcDirs): UnresolvedConflict[] {
  const noted = [...readNotes(dirs.etcDir)]
    .filter(([at]) => isOpen(dirs, at))
    .map(([at, details]): UnresolvedConflict => ({ path: at, beside: undefined, kind: 'new', details }));
  return [...listBesides(dirs.etcDir), ...noted].sort((a, b) => compareUtf8(a.path, b.path));
}

function listBesides(etcDir: string): UnresolvedConflict[] {
  const found: UnresolvedConflict[] = [];
  const walk = (dir: string): void => {
    for (const name of namesOf(path.join(etcDir, dir))) {
      const beside = dir === '' ? name : `${dir}/${name}`;
      const kept = parseBeside(beside);
      if (kept !== undefined) found.push({ ...kept, beside, details: undefined });
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

/** Tells whether a noted path still differs from its default; one that the caller may not see does. */
function isOpen({ etcDir, defaultsDir }: EtcDirs, relativePath: string): boolean {
  try {
    const [mine, theirs] = [etcDir, defaultsDir].map((dir) => readNode(path.join(dir, relativePath)));
    if (mine === undefined || theirs === undefined) return false;
    return !isSameAttributes(mine, theirs) || !isSameContent(mine, theirs);
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return true;
    throw wrapSystemError(error, 'Cannot read', path.join(etcDir, relativePath));
  }
}

/**
 * Settles the conflicts of one path: the version of the chosen side stands there, the other is gone, durably.
 * Errors: `path-not-found` when the path has no unresolved conflict, `path-unsafe`, system errors.
 */
export function resolveConflict(dirs: EtcDirs, relativePath: string, choice: 'keep' | 'new'): readonly UnresolvedConflict[] {
  const conflicts = listUnresolved(dirs).filter((conflict) => conflict.path === relativePath);
  if (conflicts.length === 0) {
    throw new HacktreeError('path-not-found', `${relativePath} has no unresolved conflict`, {
      details: { path: relativePath },
      hints: ['`hacktree etc status` lists them'],
    });
  }
  const full = path.join(dirs.etcDir, relativePath);
  try {
    for (const { beside, kind } of conflicts) {
      if (beside === undefined) settleNote(dirs, relativePath, choice);
      else if ((kind === 'new') === (choice === 'new')) replaceBy(full, path.join(dirs.etcDir, beside));
      else fs.rmSync(fsPath(path.join(dirs.etcDir, beside)), { recursive: true });
    }
    syncDir(path.dirname(full));
  } catch (error) {
    throw wrapSystemError(error, 'Cannot resolve', full);
  }
  return conflicts;
}

/** The new default of a noted path is in the defaults. */
function settleNote({ etcDir, defaultsDir }: EtcDirs, relativePath: string, choice: 'keep' | 'new'): void {
  const theirs = readNode(path.join(defaultsDir, relativePath));
  if (choice === 'new' && theirs !== undefined) writeSide(etcDir, relativePath, sideOf(theirs));
  dropNote(etcDir, relativePath);
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
