/**
 * Where everything in a repository directory is.
 *
 *     config                        key file; init, `config set`, remotes
 *     .lock                         shared for transactions, exclusive for prune and summary
 *     objects/XX/REST.EXT           loose objects; a transaction renames them in, prune removes them
 *     refs/heads/REF                text: checksum and newline; transactions, `refs`, `reset`
 *     refs/remotes/REMOTE/REF       the same for refs pulled from a remote
 *     refs/mirrors/COLLECTION/REF   the same for refs of other collections
 *     state/COMMIT.commitpartial    commit whose objects are not all here; pull, fsck
 *     tmp/staging-BOOTID-XXXXXX/    objects of a running or interrupted transaction, as XX/REST.EXT
 *     tmp/staging-BOOTID-XXXXXX-lock  held while the transaction lives
 *     tmp/cache/                    summaries of remotes
 *     extensions/hacktree/content-index/   content digest -> file objects (see content-index/)
 *     extensions/hacktree/stat-cache/      file stat -> checksum, one file per committed tree (see stat-cache.ts)
 *     summary, deltas/, delta-indexes/     what a mirror serves besides
 *
 * `objects` is made last by init: its presence marks a repository.
 *
 * Source: ostree-format 2, 6.1, 11.
 */
import { join } from 'node:path';
import type { Checksum } from '../core/index.ts';
import type { ObjectType } from '../format/index.ts';

export const REPO_MODES = ['bare', 'bare-user', 'bare-user-only', 'archive', 'bare-split-xattrs'] as const;
export type RepoMode = (typeof REPO_MODES)[number];

/** Directories made by init, in this order. */
export const REPO_DIRS = ['tmp', 'extensions', 'state', 'refs', 'refs/heads', 'refs/mirrors', 'refs/remotes', 'objects'] as const;

/** Name of an object's file below `objects/`: `XX/REST.EXT`. */
export function loosePath(mode: RepoMode, checksum: Checksum, type: ObjectType): string {
  const z = type === 'file' && mode === 'archive' ? 'z' : '';
  return `${checksum.slice(0, 2)}/${checksum.slice(2)}.${type}${z}`;
}

export const objectsDir = (repo: string): string => join(repo, 'objects');
export const refsDir = (repo: string): string => join(repo, 'refs');
export const tmpDir = (repo: string): string => join(repo, 'tmp');
export const stateDir = (repo: string): string => join(repo, 'state');
export const lockFile = (repo: string): string => join(repo, '.lock');
export const configFile = (repo: string): string => join(repo, 'config');
/** hacktree's own files; ostree leaves `extensions/` alone. */
export const ownDir = (repo: string): string => join(repo, 'extensions', 'hacktree');
/** Marker that some objects of a commit are missing: empty, or `f` when fsck found it. */
export const partialFile = (repo: string, commit: Checksum): string => join(stateDir(repo), `${commit}.commitpartial`);
