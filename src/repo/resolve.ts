/**
 * Turning what a user types into a commit: `REF`, `REMOTE:REF`, `REMOTE/REF`, a checksum or its unique beginning, each
 * with any number of `^` for "parent of".
 *
 * Source: ostree-format 7 (revision lookup).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, errnoOf, HacktreeError, isChecksum, isRefName, parseRefspec } from '../core/index.ts';
import { objectsDir } from './layout.ts';
import { loadCommit } from './object-read.ts';
import { listRemoteRefs, readRef } from './refs.ts';
import type { Repo } from './repo.ts';

/** Resolves a revision. Errors: `ref-not-found`, `ref-invalid`. */
export function resolveRev(repo: Repo, rev: string): Checksum {
  const found = tryResolveRev(repo, rev);
  if (found !== undefined) return found;
  throw new HacktreeError('ref-not-found', `Refspec '${rev}' not found`, {
    details: { path: repo.path, expected: 'a ref, remote:ref or commit', found: rev },
    hints: [`hacktree refs --repo=${repo.path} lists what there is`],
  });
}

/** Resolves a revision; undefined when nothing has that name. Errors: `ref-invalid`, `ref-not-found` (ambiguous, no parent). */
export function tryResolveRev(repo: Repo, rev: string): Checksum | undefined {
  if (rev.endsWith('^')) {
    const child = tryResolveRev(repo, rev.slice(0, -1));
    if (child === undefined) return undefined;
    const { parent } = loadCommit(repo, child);
    if (parent === undefined)
      throw new HacktreeError('ref-not-found', `Commit ${child} has no parent`, { details: { found: rev } });
    return parent;
  }
  if (isChecksum(rev)) return rev;
  const prefixed = /^[0-9a-f]{1,63}$/.test(rev) ? resolvePrefix(repo, rev) : undefined;
  return prefixed ?? resolveName(repo, rev);
}

function resolveName(repo: Repo, rev: string): Checksum | undefined {
  const { remote, ref } = parseRefspec(rev);
  const own = readRef(repo, { remote, ref }) ?? (remote === undefined ? resolveInRemotes(repo, ref) : undefined);
  return own ?? (repo.parent === undefined ? undefined : resolveName(repo.parent, rev));
}

function resolveInRemotes(repo: Repo, ref: string): Checksum | undefined {
  const slash = ref.indexOf('/');
  if (slash > 0 && isRefName(ref.slice(slash + 1))) {
    const found = readRef(repo, { remote: ref.slice(0, slash), ref: ref.slice(slash + 1) });
    if (found !== undefined) return found;
  }
  return listRemoteRefs(repo).find((entry) => entry.ref === ref)?.checksum;
}

function resolvePrefix(repo: Repo, prefix: string): Checksum | undefined {
  const matches = listCommitsByPrefix(repo, prefix);
  if (matches.length > 1)
    throw new HacktreeError('ref-not-found', `Refspec ${prefix} not unique`, { details: { found: matches.join(' ') } });
  return matches[0];
}

function listCommitsByPrefix(repo: Repo, prefix: string): Checksum[] {
  const objects = objectsDir(repo.path);
  const dirs = prefix.length >= 2 ? [prefix.slice(0, 2)] : fs.readdirSync(objects).filter((name) => name.startsWith(prefix));
  return dirs.flatMap((dir) =>
    listDir(join(objects, dir))
      .filter((name) => name.endsWith('.commit'))
      .map((name) => `${dir}${name.slice(0, -'.commit'.length)}`)
      .filter((checksum): checksum is Checksum => isChecksum(checksum) && checksum.startsWith(prefix)),
  );
}

function listDir(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
