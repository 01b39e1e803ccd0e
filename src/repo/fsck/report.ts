/** What fsck is asked and what it reports, as plain data. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import type { ObjectName } from '../../format/index.ts';
import type { IndexStats } from '../content-index/index.ts';
import type { RepairSource } from './repair-source.ts';

export interface FsckOptions {
  /** Writes a tombstone for every parent commit that is missing. */
  readonly addTombstones?: boolean;
  /** Removes damaged objects, after marking the commits that need them as partial. */
  readonly deleteDamaged?: boolean;
  /** Checks that each ref is among the ref bindings of its commit, and collections alike. */
  readonly verifyBindings?: boolean;
  /** Also checks that each ref that a commit is bound to leads to that commit. Implies verifyBindings. */
  readonly verifyBackRefs?: boolean;
  /** Fetches exactly the damaged and missing objects from here. */
  readonly repairFrom?: RepairSource;
  /** Worker threads; 0 = none. Default: one per core. */
  readonly threads?: number;
  readonly onProgress?: ReportProgress;
  /** Ends the check with the error `interrupted`. */
  readonly signal?: AbortSignal;
}

/** Findings of objects that come with commits, refs and paths. */
export const MAX_DETAILED = 10_000;

export type FsckFindingKind =
  /** A ref's file does not hold a checksum, or its commit is not there. */
  | 'ref-broken'
  /** Ref or collection bindings do not fit. */
  | 'binding-mismatch'
  | 'object-missing'
  /** The bytes hash to something else. */
  | 'object-corrupt'
  /** The bytes are not an object of this type, or could not be read. */
  | 'object-invalid';

export interface FsckFinding {
  readonly kind: FsckFindingKind;
  /** One line in ostree's words. */
  readonly message: string;
  readonly object: ObjectName | undefined;
  /** For `object-corrupt`: what the bytes hash to. */
  readonly actual: Checksum | undefined;
  /** Commits that need the object, sorted, at most MAX_COMMITS. Empty for all after MAX_DETAILED. */
  readonly commits: readonly Checksum[];
  readonly hasMoreCommits: boolean;
  /** Refs (`[REMOTE:]REF` or `(COLLECTION, REF)`) that lead to one of these commits, sorted. */
  readonly refs: readonly string[];
  /** Paths in these commits that the object is needed for, sorted, at most MAX_PATHS. */
  readonly paths: readonly string[];
  /** true when there are more paths than listed. */
  readonly hasMorePaths: boolean;
  /** true when the object was fetched again, so that nothing is left of the finding. */
  readonly repaired: boolean;
}

export interface FsckReport {
  /** false when anything is wrong that was not repaired. Exit status 0 or 1. */
  readonly ok: boolean;
  readonly findings: readonly FsckFinding[];
  /** Commits whose objects were all looked at. */
  readonly commitCount: number;
  /** Commits that were fetched in part (empty mark), which were not verified. */
  readonly partialCommits: readonly Checksum[];
  /** Commits that were marked as damaged (`f`) before and still are. */
  readonly damagedCommits: readonly Checksum[];
  /** Commits marked as damaged by this run. */
  readonly markedCommits: readonly Checksum[];
  /** Commits that were marked as damaged and proved whole. */
  readonly unmarkedCommits: readonly Checksum[];
  /** Missing parents that got a tombstone. */
  readonly tombstones: readonly Checksum[];
  /** Damaged objects that were removed, sorted. */
  readonly deleted: readonly ObjectName[];
  /** Objects that were fetched again, sorted. */
  readonly repaired: readonly ObjectName[];
  /** State of the content index, for information: it does not decide `ok`. */
  readonly contentIndex: IndexStats;
  readonly objectCount: number;
  /** Bytes of content and metadata that were hashed. */
  readonly bytes: number;
}
