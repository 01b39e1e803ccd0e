/**
 * A commit's ancestors, and what people want to know of one commit.
 *
 * Source: ostree-format 5.3; ostree-cli A.1 (`log`, `show`).
 */
import { type Checksum, HacktreeError, isHacktreeError } from '../../core/index.ts';
import { type Commit, contentChecksum, lookup } from '../../format/index.ts';
import { hasObject, loadCommit } from '../object-read.ts';
import type { Repo } from '../repo.ts';

export interface CommitFacts {
  readonly commit: Checksum;
  readonly parent: Checksum | undefined;
  /** Names the tree alone: equal for commits of equal trees. */
  readonly contentChecksum: Checksum;
  /** Seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  /** Metadata key `version`, when it is a string. */
  readonly version: string | undefined;
  readonly subject: string;
  readonly body: string;
}

/** Loads what `log` and `show` print of a commit. Errors: those of loadCommit. */
export function describeCommit(repo: Repo, checksum: Checksum): CommitFacts {
  return factsOf(checksum, loadCommit(repo, checksum));
}

function factsOf(checksum: Checksum, commit: Commit): CommitFacts {
  const version = lookup(commit.metadata, 'version');
  return {
    commit: checksum,
    parent: commit.parent,
    contentChecksum: contentChecksum(commit),
    timestampSec: commit.timestampSec,
    version: version?.type === 's' ? (version.value as string) : undefined,
    subject: commit.subject,
    body: commit.body,
  };
}

/** `missing`: the history goes on, but this parent is not in the repository. */
export type HistoryStep =
  | { readonly kind: 'commit'; readonly facts: CommitFacts }
  | { readonly kind: 'missing'; readonly commit: Checksum };

/**
 * Yields a commit and its ancestors, newest first. Errors: those of loadCommit; `object-corrupt` for a commit that is its
 * own ancestor.
 */
export function* walkHistory(repo: Repo, start: Checksum): Generator<HistoryStep> {
  const seen = new Set<Checksum>();
  for (let at: Checksum | undefined = start; at !== undefined; ) {
    if (seen.has(at)) {
      throw new HacktreeError('object-corrupt', `Commit ${at} is its own ancestor`, { details: { path: repo.path, found: at } });
    }
    seen.add(at);
    const facts: CommitFacts | undefined = at === start ? describeCommit(repo, at) : tryDescribe(repo, at);
    if (facts === undefined) yield { kind: 'missing', commit: at };
    else yield { kind: 'commit', facts };
    at = facts?.parent;
  }
}

function tryDescribe(repo: Repo, commit: Checksum): CommitFacts | undefined {
  try {
    return describeCommit(repo, commit);
  } catch (error) {
    if (isHacktreeError(error) && error.code === 'object-missing' && !hasObject(repo, commit, 'commit')) return undefined;
    throw error;
  }
}
