/**
 * Removing a root that no boot entry names any more, and the ref `hacktree/ROOT` that keeps its commit from being pruned
 * while it is deployed.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, HacktreeError, wrapSystemError } from '../core/index.ts';
import { type Repo, removeRef, writeRef } from '../repo/index.ts';
import { ROOT_PREFIX, RUN_PREFIX, rootDir, STAGING_PREFIX, type SysrootPaths, stateDirOf } from './layout.ts';
import { readRecord, removeRecord, writeRecord } from './records.ts';

const DOOMED = 'removed';

/**
 * Removes a root, its records and its own /var. The root loses its name first, so that a crash leaves a leftover, not
 * half a root. Errors: `internal` for a name that is no root's, system errors.
 */
export function removeRoot(paths: SysrootPaths, root: string): void {
  if (!root.startsWith(ROOT_PREFIX) || root.includes('/')) throw new HacktreeError('internal', `Not the name of a root: ${root}`);
  const [dir, doomed] = [rootDir(paths, root), join(paths.gnomeos, `${STAGING_PREFIX}removed-${root}`)];
  try {
    if (fs.existsSync(dir)) {
      fs.rmSync(doomed, { recursive: true, force: true });
      fs.renameSync(dir, doomed);
      fs.rmSync(doomed, { recursive: true, force: true });
    }
    fs.rmSync(stateDirOf(paths, root), { recursive: true, force: true });
    fs.rmSync(join(paths.vars, root), { recursive: true, force: true });
  } catch (error) {
    throw wrapSystemError(error, 'Removing root', dir);
  }
}

/** Notes that a root is about to leave the boot menu for good, so that a crash in between leaves a leftover. */
export function doomRoot(paths: SysrootPaths, root: string): void {
  writeRecord(stateDirOf(paths, root), DOOMED, { time: String(Math.floor(Date.now() / 1000)) });
}

/** Takes the note back. */
export function spareRoot(paths: SysrootPaths, root: string): void {
  removeRecord(stateDirOf(paths, root), DOOMED);
}

export function isDoomed(paths: SysrootPaths, root: string): boolean {
  return readRecord(stateDirOf(paths, root), DOOMED) !== undefined;
}

/** Lists the unfinished trees that a crash left, and those of a `run` that is over. */
export function listStaged({ gnomeos }: SysrootPaths): string[] {
  return fs.readdirSync(gnomeos).filter((name) => name.startsWith(STAGING_PREFIX) || isOverRun(name));
}

function isOverRun(name: string): boolean {
  const pid = name.startsWith(RUN_PREFIX) ? Number.parseInt(name.slice(RUN_PREFIX.length), 10) : Number.NaN;
  return pid > 0 && !fs.existsSync(`/proc/${pid}`);
}

/** Ref names know fewer characters than roots. */
const refOf = (root: string): string => `hacktree/${root.replace(/[^-._A-Za-z0-9]/g, '_')}`;

/** Keeps a deployed commit from being pruned. */
export function holdCommit(repo: Repo, root: string, commit: Checksum): void {
  writeRef(repo, { ref: refOf(root) }, commit);
}

/** Lets a commit go that was deployed. */
export function releaseCommit(repo: Repo, root: string): void {
  removeRef(repo, { ref: refOf(root) });
}
