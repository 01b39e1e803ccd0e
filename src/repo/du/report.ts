/** What du is asked and what it reports, as plain data. */
import type { Checksum, ContentDigest, ReportProgress } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';

/** An amount of objects, each counted once. */
export interface Usage {
  readonly objects: number;
  /** Sum of file sizes. */
  readonly apparentBytes: number;
  /** Sum of allocated blocks. */
  readonly diskBytes: number;
}

/** What something needs: `exclusive` would be free without it, `shared` something else needs as well. */
export interface SharedUsage {
  readonly exclusive: Usage;
  readonly shared: Usage;
}

/** A commit without its parents. Exclusive: no other commit needs it. */
export interface CommitUsage extends SharedUsage {
  readonly commit: Checksum;
  readonly timestampSec: number;
  readonly subject: string;
  /** Refs that point at it, sorted. */
  readonly refs: readonly string[];
  /** Objects that are not here (partial commits). */
  readonly missingObjects: number;
}

/** A ref with its whole history. Exclusive: no other ref reaches it. */
export interface RefUsage extends SharedUsage {
  readonly ref: string;
  readonly commit: Checksum;
  /** Commits of its history that are here. */
  readonly commits: number;
}

/** A name in a directory of a commit, with all below it. Exclusive: neither another name there nor another commit needs it. */
export interface PathUsage extends SharedUsage {
  readonly path: string;
  readonly kind: 'dir' | 'file';
}

/** One content that several objects hold under different owners, modes or xattrs. */
export interface DuplicateContent {
  readonly digest: ContentDigest;
  readonly objects: readonly Checksum[];
  /** Allocated blocks of all but the largest. */
  readonly extraDiskBytes: number;
}

export interface DuplicateUsage {
  readonly contents: number;
  readonly objects: number;
  /** What sharing the content (reflinks) would save at most. */
  readonly extraDiskBytes: number;
  /** The costliest, at most MAX_DUPLICATES. */
  readonly largest: readonly DuplicateContent[];
  /** Records in the content index, which this is computed from. */
  readonly indexedObjects: number;
}

export const MAX_DUPLICATES = 20;

export interface DuReport {
  /** Everything in objects/. */
  readonly total: Usage;
  readonly byType: Readonly<Partial<Record<ObjectType, Usage>>>;
  /** What no commit needs: prune would remove it. */
  readonly unneeded: Usage;
  /** Newest first. */
  readonly commits: readonly CommitUsage[];
  /** Sorted by name. */
  readonly refs: readonly RefUsage[];
  /** Names in the directory asked for (or the file itself), sorted by name; empty when none was asked for. */
  readonly paths: readonly PathUsage[];
  readonly duplicates: DuplicateUsage;
}

export interface DuOptions {
  /** Directory whose names to list. Errors: `ref-not-found`, `path-not-found`. */
  readonly path?: { readonly rev: string; readonly path: string };
  readonly onProgress?: ReportProgress;
  /** Ends the job with the error `interrupted`. */
  readonly signal?: AbortSignal;
}
