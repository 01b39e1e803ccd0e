/** What prune is asked and what it reports, as plain data. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import type { ObjectName } from '../../format/index.ts';

export interface PruneOptions {
  /** Only what refs reach stays; otherwise every commit stays and only orphaned objects go. */
  readonly refsOnly?: boolean;
  /** How many parents of a ref's commit stay; -1 (default) = all. */
  readonly depth?: number;
  /** Computes everything and removes nothing. */
  readonly dryRun?: boolean;
  /** Removes this commit first. Errors: `ref-conflict` when a ref points at it, `object-missing`. */
  readonly deleteCommit?: Checksum;
  /** Keeps, of each branch, its newest commit and the run of commits at least as new as this (seconds since 1970). */
  readonly keepYoungerThanSec?: bigint;
  /** Branch (`[REMOTE:]REF`) -> number of parents that stay whatever else is said; -1 = all. */
  readonly retainBranchDepth?: ReadonlyMap<string, number>;
  /** Only these branches lose commits; all others keep their history. Errors: `ref-not-found`. */
  readonly onlyBranches?: readonly string[];
  /** Removes commit objects only. */
  readonly commitOnly?: boolean;
  /** With deleteCommit: removes the static deltas to that commit instead of the commit. */
  readonly staticDeltasOnly?: boolean;
  /** Is told of every object that goes (or would go), before it does. Must not throw. */
  readonly onObject?: (object: ObjectName, sizeBytes: number) => void;
  readonly onProgress?: ReportProgress;
  /** Called when another process holds the repository lock. */
  readonly onLockWait?: () => void;
  /** Ends the job with the error `interrupted`; what was removed until then stays removed. */
  readonly signal?: AbortSignal;
}

export interface PruneReport {
  readonly dryRun: boolean;
  readonly commitOnly: boolean;
  /** Objects there were: files, dirtrees, dirmetas and commits, or only commits. Without the one of deleteCommit. */
  readonly objectCount: number;
  /** Objects that went, or would go. Without the one of deleteCommit. */
  readonly prunedCount: number;
  /** Sum of their sizes, as ostree counts what is freed. */
  readonly prunedBytes: number;
  /** Disk space that this frees: blocks of objects without other hard links, of deleteCommit and of deltas too. */
  readonly freedDiskBytes: number;
  /** Disk space of pruned objects that other hard links (checkouts) still hold. */
  readonly heldDiskBytes: number;
  /** Commits that went, sorted; that of deleteCommit too. */
  readonly commits: readonly Checksum[];
  /** Static deltas that went, as `[FROM-]TO`, sorted. */
  readonly deltas: readonly string[];
}
