/** What a pull can be asked for, and what it tells. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import type { NetworkOptions } from '../access.ts';
import type { MirrorIndexReport } from '../mirror-index/write.ts';
import type { SummaryOptions } from '../remote-summary.ts';
import type { RemotesPlace } from '../remotes.ts';
import type { TrustOptions } from '../trust.ts';
import type { PullPlan } from './plan.ts';

export interface PullOptions {
  /** `REF`, `REF@CHECKSUM` or `CHECKSUM`. Empty: the remote's configured branches; with mirror all refs of the summary. */
  readonly refs?: readonly string[];
  /** Refs go to refs/heads, and the summary is copied. */
  readonly mirror?: boolean;
  /** With mirror, into an archive: whether to write the content index for clients. Default: where the source has one. */
  readonly contentIndex?: boolean | undefined;
  /** Parents to pull too; -1 all. Default 0. */
  readonly depth?: number;
  readonly subpaths?: readonly string[];
  readonly commitMetadataOnly?: boolean;
  /** Objects of a repository on this machine are verified and copied instead of linked. */
  readonly untrusted?: boolean;
  readonly localCacheRepos?: readonly string[];
  readonly timestampCheck?: boolean;
  readonly timestampCheckFromRev?: string | undefined;
  readonly disableStaticDeltas?: boolean;
  /** Errors with `delta-invalid` where there is no static delta. */
  readonly requireStaticDeltas?: boolean;
  readonly dryRun?: boolean;
  readonly disableVerifyBindings?: boolean;
  /** A subpath that the commit does not have is passed over. */
  readonly allowMissingSubpaths?: boolean;
  readonly disableFsync?: boolean;
  /** Flushes each object as it is written instead of all at the end. */
  readonly perObjectFsync?: boolean;
  /** Refuses regular files with bits beyond 0775: `repo-mode`. */
  readonly bareUserOnlyFiles?: boolean;
  /** Where summaries are cached, as SummaryOptions has it. */
  readonly cacheDir?: SummaryOptions['cacheDir'];
  readonly network?: NetworkOptions;
  readonly trust?: TrustOptions;
  readonly place?: RemotesPlace;
  /** Worker threads; 0 = none. Default: one per core. */
  readonly threads?: number;
  readonly onProgress?: ReportProgress;
  readonly onLockWait?: () => void;
  readonly signal?: AbortSignal;
}

export interface PulledRef {
  readonly ref: string;
  readonly commit: Checksum;
  readonly previous: Checksum | undefined;
}

export interface PullReport {
  readonly refs: readonly PulledRef[];
  /** Objects came from a repository on this machine. */
  readonly isLocal: boolean;
  readonly metadataFetched: number;
  readonly contentFetched: number;
  /** Parts of static deltas that were used. */
  readonly deltaParts: number;
  readonly bytesTransferred: number;
  /** Of these, what went for finding out: summary, refs, the mirror's content index. */
  readonly overheadBytes: number;
  readonly contentBytesWritten: number;
  /** Objects made of content that was here, thanks to the mirror's content index, and what their download would have cost. */
  readonly contentReused: number;
  readonly bytesSaved: number;
  /** Content that parts of static deltas made, less what the parts weigh; 0 without deltas. */
  readonly deltaBytesSaved: number;
  readonly elapsedSec: number;
  /** With dryRun: what a pull would fetch. */
  readonly planned: PullPlan;
  /** The content index for clients, when mirror wrote one. */
  readonly mirrorIndex?: MirrorIndexReport;
}

export interface PullLocalOptions extends Omit<PullOptions, 'network' | 'mirror' | 'contentIndex'> {
  /** Refs go to refs/remotes/REMOTE; its keys and collection ID apply. */
  readonly remote?: string | undefined;
  readonly gpgVerify?: boolean;
  readonly gpgVerifySummary?: boolean;
}
