/** `checkout`: places commits, or parts of them, as files. */
import * as fs from 'node:fs';
import { type CheckoutOptions, type CheckoutResult, checkout, type UnionMode } from '../../checkout/index.ts';
import { HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import { openRepo, type Repo, resolveRev } from '../../repo/index.ts';
import { readText } from '../commit-request.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { hasSelinuxPolicy } from '../selinux.ts';
import type { Input } from '../spec.ts';
import type { checkout as spec } from '../table/checkout.ts';

type CheckoutInput = Input<typeof spec>;

export async function run(context: Context, input: CheckoutInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const options = readOptions(context, input);
  if (!input.fromStdin && input.fromFile === undefined) {
    const destination = input.destination ?? input.rev;
    return checkoutData(destination, await checkoutOne(context, repo, { rev: input.rev, destination, options }));
  }
  if (input.destination !== undefined && context.frontEnd === 'hacktree')
    throw usageError('With --from-stdin and --from-file the destination is the only argument');
  const destination = input.rev;
  const results: object[] = [];
  for (const { rev, subpath } of readPairs(context, input)) {
    const commit = resolveRev(repo, rev);
    try {
      const result = await checkoutOne(context, repo, { rev: commit, destination, options: { ...options, subpath } });
      results.push({ subpath, ...checkoutData(destination, result) });
    } catch (error) {
      if (!isHacktreeError(error)) throw error;
      throw new HacktreeError(error.code, `Processing tree ${commit}: ${error.message}`, { ...error, cause: error });
    }
  }
  return { checkouts: results };
}

interface Job {
  readonly rev: string;
  readonly destination: string;
  readonly options: CheckoutOptions;
}

function checkoutOne(context: Context, repo: Repo, job: Job): Promise<CheckoutResult> {
  return checkout(repo, { ...job, onProgress: context.report, signal: context.signal });
}

function checkoutData(destination: string, result: CheckoutResult): object {
  return { destination, ...result };
}

function readOptions(context: Context, input: CheckoutInput): CheckoutOptions {
  const labels = input.selinuxPolicy !== undefined && (context.frontEnd === 'hacktree' || hasSelinuxPolicy(input.selinuxPolicy));
  return {
    userMode: input.userMode,
    requireHardlinks: input.requireHardlinks,
    forceCopy: input.forceCopy || input.selinuxPolicy !== undefined,
    subpath: input.subpath,
    union: readUnion(input),
    whiteouts: input.whiteouts,
    passthroughWhiteouts: input.processPassthroughWhiteouts,
    allowMissing: input.allowNoent,
    bareUserOnlyDirs: input.bareuseronlyDirs,
    ...(input.skipList === undefined
      ? {}
      : {
          skip: readText(input.skipList)
            .split('\n')
            .filter((line) => line !== ''),
        }),
    ...(labels ? { selinuxPolicy: input.selinuxPolicy } : {}),
    ...(readPrefix(input) === undefined || !labels ? {} : { selinuxPrefix: input.selinuxPrefix }),
    disableCache: input.disableCache,
    fsync: input.fsync,
    threads: input.threads,
  };
}

function readPrefix({ selinuxPolicy, selinuxPrefix }: CheckoutInput): string | undefined {
  if (selinuxPolicy === undefined && selinuxPrefix !== undefined)
    throw usageError('Cannot specify --selinux-prefix without --selinux-policy');
  return selinuxPrefix;
}

const UNIONS = { union: 'replace', 'union-add': 'add', 'union-identical': 'identical' } as const;

/** Errors: `usage` when several are given. */
function readUnion({ union, unionAdd, unionIdentical }: CheckoutInput): UnionMode | undefined {
  const given = { union, 'union-add': unionAdd, 'union-identical': unionIdentical };
  const [first, second] = (Object.keys(UNIONS) as (keyof typeof UNIONS)[]).filter((name) => given[name]);
  if (second !== undefined) throw usageError(`Cannot specify both --${first} and --${second}`);
  return first === undefined ? undefined : UNIONS[first];
}

/** Reads `REV NUL PATH NUL` again and again. Errors: `usage` when the last pair is not complete. */
function readPairs(context: Context, input: CheckoutInput): { rev: string; subpath: string }[] {
  const fields = readInput(input.fromStdin ? 0 : (input.fromFile ?? '')).split('\0');
  if (fields.at(-1) === '') fields.pop();
  // ostree drops half a pair in silence.
  if (fields.length % 2 === 1 && context.frontEnd === 'hacktree') {
    throw usageError(`Half a pair: '${fields.at(-1)}' has no path`, ['Each COMMIT and each PATH ends with a NUL byte.']);
  }
  const count = Math.floor(fields.length / 2);
  return Array.from({ length: count }, (_, i) => ({ rev: fields[2 * i] ?? '', subpath: fields[2 * i + 1] ?? '' }));
}

function readInput(source: string | number): string {
  try {
    return fs.readFileSync(source, 'utf8');
  } catch (error) {
    throw wrapSystemError(error, 'Reading', typeof source === 'number' ? 'standard input' : source);
  }
}
