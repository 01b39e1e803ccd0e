/**
 * What ostree's environment variables say, read in this one place; commands and services are handed it as data.
 *
 * Source: ostree-cli A.0; what counts as set found by running ostree 2022.7.
 */
import { HacktreeError, type TestError } from '../core/index.ts';

export interface OstreeEnvironment {
  /** OSTREE_BOOTID: stands in for the kernel's boot ID. */
  readonly bootId: string | undefined;
  /** OSTREE_GPG_HOME: directory of keyrings instead of the system's; empty counts as unset. */
  readonly gpgHome: string | undefined;
  /** OSTREE_DUMMY_SIGN_ENABLED is 1. */
  readonly dummyEnabled: boolean;
  /** OSTREE_DEBUG_HTTP is there, with any value: requests and answers are to be shown. */
  readonly debugHttp: boolean;
  /** OSTREE_SKIP_CACHE is there, with any value: the repository's cache of summaries is neither read nor written. */
  readonly skipCache: boolean;
  /** OSTREE_REPO_TEST_ERROR: faults to act out. */
  readonly testErrors: ReadonlySet<TestError>;
}

export function readEnvironment(env: NodeJS.ProcessEnv): OstreeEnvironment {
  return {
    bootId: env.OSTREE_BOOTID,
    gpgHome: env.OSTREE_GPG_HOME === '' ? undefined : env.OSTREE_GPG_HOME,
    dummyEnabled: env.OSTREE_DUMMY_SIGN_ENABLED === '1',
    debugHttp: env.OSTREE_DEBUG_HTTP !== undefined,
    skipCache: env.OSTREE_SKIP_CACHE !== undefined,
    testErrors: parseTestErrors(env.OSTREE_REPO_TEST_ERROR ?? ''),
  };
}

/** SOURCE_DATE_EPOCH: the time of commits instead of now, in seconds since 1970. Errors: `usage`. */
export function readSourceDate({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): bigint | undefined {
  if (epoch === undefined) return undefined;
  if (/^\d+$/.test(epoch)) return BigInt(epoch);
  throw new HacktreeError('usage', 'Failed to convert SOURCE_DATE_EPOCH', {
    details: { expected: 'seconds since 1970', found: epoch },
  });
}

const TEST_ERRORS: readonly TestError[] = ['pre-commit', 'invalid-cache'];

/** Words in any case, with `_` for `-`, between any of `:;,` and blanks; `all` stands for those that are not named. */
function parseTestErrors(text: string): ReadonlySet<TestError> {
  const words = text
    .toLowerCase()
    .replaceAll('_', '-')
    .split(/[:;, \t]+/);
  const wantsOthers = words.includes('all');
  return new Set(TEST_ERRORS.filter((error) => words.includes(error) !== wantsOthers));
}
