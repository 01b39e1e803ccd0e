/**
 * What a merge of /etc is planned to do, as data: one action per path for people and reports, and in each the steps
 * that carry it out.
 */
import type { Attributes } from './attributes.ts';
import type { EtcPolicy } from './policy.ts';

/**
 * unchanged: the same before and after, or both sides changed it alike. take-new: the new default, which the user had not
 * changed. keep-user: the user's, whose default is unchanged. merged: parts of both. conflict: both changed the same.
 * removed: gone from the result. ignored: a device, FIFO or socket. error: cannot be read.
 */
export type EtcOutcome = 'unchanged' | 'take-new' | 'keep-user' | 'merged' | 'conflict' | 'removed' | 'ignored' | 'error';

/** Paths are relative to /etc. All steps replace what is there and may be repeated. */
export type EtcStep =
  /** Copies a file or symlink with its attributes, or those given, or a directory with all below it. */
  | {
      readonly step: 'copy';
      readonly from: 'user' | 'new';
      readonly path: string;
      readonly to: string;
      readonly attributes?: Attributes;
    }
  | { readonly step: 'write'; readonly to: string; readonly content: Buffer; readonly attributes: Attributes }
  /** Makes a directory, in place of what else may be there, or gives the one there the attributes. */
  | { readonly step: 'directory'; readonly to: string; readonly attributes: Attributes }
  /** Gives what is there other attributes. */
  | { readonly step: 'attributes'; readonly to: string; readonly attributes: Attributes }
  | { readonly step: 'remove'; readonly to: string };

export interface EtcAction {
  /** Relative to /etc. */
  readonly path: string;
  readonly outcome: EtcOutcome;
  /** For people: why, in a few words. */
  readonly reason: string;
  /** What exactly is in conflict, or was merged, one item per line. */
  readonly details?: readonly string[];
  /** The path, relative to /etc, at which the side that did not win is kept. */
  readonly beside?: string;
  /** The policy says that this must not be deployed, or it cannot be read. */
  readonly isRefused?: true;
  readonly steps: readonly EtcStep[];
}

export interface EtcMergeRequest {
  /** D: the old root's defaults, its `usr/etc`. */
  readonly defaultsDir: string;
  /** U: the old root's `etc`, as the user left it. */
  readonly userDir: string;
  /** N: the new root's defaults, its `usr/etc`. */
  readonly newDefaultsDir: string;
  readonly policy: EtcPolicy;
}

export interface EtcPlan {
  readonly request: EtcMergeRequest;
  /** Sorted so that a directory comes before what is in it. */
  readonly actions: readonly EtcAction[];
  readonly counts: Readonly<Record<EtcOutcome, number>>;
  /** Bytes of file content that applying writes. */
  readonly bytes: number;
}
