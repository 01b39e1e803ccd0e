/**
 * Marks of damage in a repository: `state/COMMIT.commitpartial` and tombstones.
 *
 * An empty mark was left by a pull that fetched a part; `f` by fsck, when objects are missing.
 *
 * Source: ostree-format 11, 12.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { type Checksum, errnoOf, wrapSystemError } from '../../core/index.ts';
import { encodeTombstone } from '../../format/index.ts';
import { ensureDir, removeFileDurable, writeFileDurable } from '../../sys/index.ts';
import { partialFile } from '../layout.ts';
import { hasObject, objectPath } from '../object-read.ts';
import type { Repo } from '../repo.ts';

/** `partial`: not all of it was fetched; `damaged`: fsck found objects missing. */
export type CommitState = 'whole' | 'partial' | 'damaged';

const DAMAGED = 'f';

/** Reads a commit's mark. */
export function readCommitState(repo: Repo, commit: Checksum): CommitState {
  const path = partialFile(repo.path, commit);
  try {
    return fs.readFileSync(path, 'latin1').startsWith(DAMAGED) ? 'damaged' : 'partial';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'whole';
    throw wrapSystemError(error, 'Reading', path);
  }
}

/** Marks a commit as damaged, durably; a mark that is there stays. Returns whether it was marked now. */
export function markDamaged(repo: Repo, commit: Checksum): boolean {
  if (readCommitState(repo, commit) !== 'whole') return false;
  const path = partialFile(repo.path, commit);
  try {
    ensureDir(dirname(path));
    writeFileDurable(path, Buffer.from(DAMAGED), { sync: repo.config.fsync });
    return true;
  } catch (error) {
    throw wrapSystemError(error, 'Marking a commit as partial:', path);
  }
}

/** Takes the mark of damage away. */
export function unmarkDamaged(repo: Repo, commit: Checksum): void {
  const path = partialFile(repo.path, commit);
  try {
    removeFileDurable(path);
  } catch (error) {
    throw wrapSystemError(error, 'Removing the mark', path);
  }
}

/** Writes a tombstone for a commit that is not there; returns whether there was none yet. */
export function writeTombstone(repo: Repo, commit: Checksum): boolean {
  if (hasObject(repo, commit, 'tombstone-commit')) return false;
  const path = objectPath(repo, commit, 'tombstone-commit');
  try {
    ensureDir(dirname(path));
    writeFileDurable(path, encodeTombstone(commit), { sync: repo.config.fsync });
    return true;
  } catch (error) {
    throw wrapSystemError(error, 'Writing tombstone', path);
  }
}
