/** What a commit is asked to do, and what it reports: plain data shared by the command line and the library. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import type { Dict, Variant } from '../../format/index.ts';
import type { IdMap, ModeOverride } from './modifiers.ts';

/** A layer of the tree. Later layers win. */
export type TreeSource =
  | { readonly kind: 'dir'; readonly path: string }
  /** A tar file, `-` for standard input; gzip, xz, zstd and bzip2 are recognised. */
  | { readonly kind: 'tar'; readonly path: string }
  | { readonly kind: 'ref'; readonly rev: string };

export interface CommitOptions {
  /** Ref to move, `REF` or `REMOTE:REF`; undefined makes an orphan. */
  readonly branch?: string | undefined;
  /** Default: the branch's present commit. 'none' makes a root commit. */
  readonly parent?: Checksum | 'none' | undefined;
  readonly trees: readonly TreeSource[];
  /** Revision whose tree lies below all others; modifiers do not apply to it. */
  readonly base?: string | undefined;
  readonly subject?: string;
  readonly body?: string;
  /** Seconds since 1970. Default: now. */
  readonly timestampSec?: bigint | undefined;
  /** String metadata, in order, before the rest. */
  readonly metadataStrings?: readonly (readonly [string, string])[];
  readonly metadata?: readonly (readonly [string, Variant])[];
  /** Keys to copy from the parent. */
  readonly keepMetadata?: readonly string[];
  readonly detachedStrings?: readonly (readonly [string, string])[];
  /** false: no ref and collection bindings. */
  readonly bindings?: boolean;
  /** Further refs to bind. */
  readonly bindRefs?: readonly string[];
  readonly bootable?: boolean;
  /** Only in archive mode, where the sizes are those of a pull; elsewhere ignored. */
  readonly generateSizes?: boolean;
  readonly skipIfUnchanged?: boolean;

  readonly ownerUid?: number | undefined;
  readonly ownerGid?: number | undefined;
  readonly idMap?: IdMap | undefined;
  readonly canonicalPermissions?: boolean;
  readonly readOnlyExecutables?: boolean;
  readonly noXattrs?: boolean;
  readonly statOverrides?: ReadonlyMap<string, ModeOverride>;
  readonly skipList?: ReadonlySet<string>;
  /** Leave devices, FIFOs and sockets out and report them, instead of failing. */
  readonly skipSpecial?: boolean;
  readonly tarAutocreateParents?: boolean;
  /** Regular expression and replacement for tar member names. */
  readonly tarPathnameFilter?: { readonly pattern: string; readonly replacement: string } | undefined;
  /** Root directory whose SELinux policy labels everything. */
  readonly selinuxPolicy?: string | undefined;
  /** Take the policy from the base commit, or from the first tree that is a revision. */
  readonly selinuxPolicyFromBase?: boolean;

  /** Recognise files that are hard links to objects (--link-checkout-speedup). */
  readonly linkCheckoutSpeedup?: boolean;
  /** As before, and trust them without applying modifiers (-I). */
  readonly devinoCanonical?: boolean;
  /** Adopt files by hard link instead of copying them. */
  readonly link?: boolean;
  /** Remove the source when the commit is done. */
  readonly consume?: boolean;
  /** false: neither read nor write the stat cache. */
  readonly statCache?: boolean;
  /** Fail when a uid or gid means another name than in the parent. */
  readonly strictIds?: boolean;

  readonly fsync?: boolean | undefined;
  /** Threads; default one per core. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
  readonly onLockWait?: () => void;
  /** Signs the serialised commit: returns the detached metadata to store, given what there is. */
  readonly sign?: ((commit: Uint8Array, detached: Dict) => Promise<Dict>) | undefined;
}

/** Same number, other name: what the tree's passwd or group says, against the parent's. */
export interface IdDrift {
  readonly kind: 'uid' | 'gid';
  readonly id: number;
  readonly parentName: string;
  readonly name: string;
}

export interface CommitReport {
  readonly commit: Checksum;
  readonly parent: Checksum | undefined;
  /** true when skipIfUnchanged found the parent's tree: nothing was written, `commit` is the parent. */
  readonly isUnchanged: boolean;
  /** Regular files and symlinks in the layers given as directories or tar. */
  readonly contentTotal: number;
  readonly contentWritten: number;
  /** Bytes of new regular files. */
  readonly contentBytesWritten: number;
  /** Files taken from the stat cache or recognised as links. */
  readonly contentCacheHits: number;
  /** Directories count twice, for listing and metadata; the commit once. */
  readonly metadataTotal: number;
  readonly metadataWritten: number;
  readonly skippedSpecials: readonly string[];
  readonly idDrift: readonly IdDrift[];
}
