/** The options that `pull` and `pull-local` share, as the service wants them. */
import type { PullOptions } from '../remote/index.ts';
import type { Context } from './context.ts';
import { usageError } from './input.ts';
import type { Input } from './spec.ts';
import type { pullLocal } from './table/mirrors.ts';

type Shared = Pick<
  Input<typeof pullLocal>,
  | 'commitMetadataOnly'
  | 'disableFsync'
  | 'perObjectFsync'
  | 'untrusted'
  | 'bareuseronlyFiles'
  | 'disableStaticDeltas'
  | 'requireStaticDeltas'
  | 'disableVerifyBindings'
  | 'depth'
  | 'threads'
>;

/** Errors: `usage`. */
export function pullOptions(context: Context, input: Shared): PullOptions {
  if (input.depth !== undefined && input.depth < -1)
    throw usageError(`Invalid value '${input.depth}' for --depth, expected -1 or more`);
  return {
    commitMetadataOnly: input.commitMetadataOnly,
    disableFsync: input.disableFsync,
    perObjectFsync: input.perObjectFsync,
    untrusted: input.untrusted,
    bareUserOnlyFiles: input.bareuseronlyFiles,
    disableStaticDeltas: input.disableStaticDeltas,
    requireStaticDeltas: input.requireStaticDeltas,
    disableVerifyBindings: input.disableVerifyBindings,
    depth: input.depth ?? 0,
    signal: context.signal,
    onProgress: context.report,
    onLockWait: context.onLockWait,
    ...(input.threads === undefined ? {} : { threads: input.threads }),
  };
}
