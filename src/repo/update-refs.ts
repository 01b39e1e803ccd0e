/**
 * Changing refs outside a transaction, when no objects are written: `refs --create`, `--delete`, `reset`.
 *
 * The shared lock is held, so that no prune runs between finding a commit and pointing a ref at it.
 *
 * Source: ostree-format 7, 11.
 */
import { type Checksum, HacktreeError, printRefspec, wrapSystemError } from '../core/index.ts';
import { lockRepo, touchRepo } from './lock.ts';
import { listHeads, type RefTarget, removeRef, writeAlias, writeRef } from './refs.ts';
import type { Repo } from './repo.ts';

/** `commit` makes or moves a ref, `alias` makes it stand for a head; neither: it is deleted. */
export interface RefChange {
  readonly target: RefTarget;
  readonly commit?: Checksum;
  readonly alias?: string;
}

/**
 * Makes the changes in order, each durable; returns how many changed something (deleting a missing ref does not).
 * Errors: `ref-invalid`, `ref-conflict` (also deleting a head that has an alias), `ref-not-found` (alias of nothing),
 * `repo-locked`, `permission`, `no-space`, `read-only`.
 */
export async function updateRefs(
  repo: Repo,
  changes: readonly RefChange[],
  options: { onLockWait?: () => void } = {},
): Promise<number> {
  const lock = await lockRepo(repo, 'shared', options.onLockWait);
  try {
    const count = changes.filter((change) => applyChange(repo, change)).length;
    if (count > 0) touchRepo(repo);
    return count;
  } catch (error) {
    throw wrapSystemError(error, 'Changing refs in', repo.path);
  } finally {
    lock.release();
  }
}

function applyChange(repo: Repo, { target, commit, alias }: RefChange): boolean {
  if (alias !== undefined) writeAlias(repo, target.ref, alias);
  else if (commit !== undefined) writeRef(repo, target, commit);
  else {
    checkNoAlias(repo, target);
    return removeRef(repo, target);
  }
  return true;
}

function checkNoAlias(repo: Repo, target: RefTarget): void {
  if (target.remote !== undefined || target.collection !== undefined) return;
  const alias = listHeads(repo).find(({ aliasOf }) => aliasOf === target.ref);
  if (alias === undefined) return;
  throw new HacktreeError('ref-conflict', `Ref '${target.ref}' has an active alias: '${alias.ref}'`, {
    details: { ref: printRefspec({ remote: target.remote, ref: target.ref }), alias: alias.ref },
    hints: [`Delete the alias first: hacktree refs --delete ${alias.ref}`],
  });
}
