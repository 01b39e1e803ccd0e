/**
 * Which roots may go. Booted, default, fallback, last good and pinned ones always stay; beyond them a policy file keeps by
 * count, age and version. Pure: names in, names out.
 *
 * The policy file is /etc/hacktree/retention.conf: `keep-last=N` (newest N, default 3), `keep-days=N`, `keep-version=GLOB`
 * (repeatable), `#` comments.
 */
import { HacktreeError } from '../core/index.ts';
import type { Deployment } from './deployment.ts';

export interface RetentionPolicy {
  readonly keepLast: number;
  readonly keepDays: number | undefined;
  readonly keepVersions: readonly string[];
}

export const DEFAULT_RETENTION: RetentionPolicy = { keepLast: 3, keepDays: undefined, keepVersions: [] };
export const RETENTION_FILE = 'etc/hacktree/retention.conf';

/** Parses a policy. Errors: `repo-config` naming the line. */
export function parseRetention(text: string, path: string): RetentionPolicy {
  let { keepLast, keepDays } = DEFAULT_RETENTION;
  const keepVersions: string[] = [];
  text.split('\n').forEach((raw, i) => {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') return;
    const match = /^(keep-last|keep-days|keep-version)\s*=\s*(\S+)$/.exec(line);
    const [, key, value] = match ?? [];
    if (value === undefined || (key !== 'keep-version' && !/^\d+$/.test(value))) {
      const expected = 'keep-last=N, keep-days=N or keep-version=GLOB';
      throw new HacktreeError('repo-config', `${path}, line ${i + 1}: expected ${expected}, found '${raw}'`, {
        details: { path, expected, found: raw },
      });
    }
    if (key === 'keep-last') keepLast = Number(value);
    else if (key === 'keep-days') keepDays = Number(value);
    else keepVersions.push(value);
  });
  return { keepLast, keepDays, keepVersions };
}

/** Turns a glob of `*` and `?` into a test. */
function globTest(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

export interface RetentionRequest {
  readonly deployments: readonly Deployment[];
  /** Roots that stay whatever the policy says. */
  readonly mustStay: ReadonlySet<string>;
  readonly policy: RetentionPolicy;
  /** Seconds since 1970. */
  readonly nowSec: number;
}

/** Lists the roots to drop, oldest first. */
export function rootsToDrop({ deployments, mustStay, policy, nowSec }: RetentionRequest): string[] {
  const newest = deployments.toSorted((a, b) => (b.deployedSec ?? 0) - (a.deployedSec ?? 0));
  const versions = policy.keepVersions.map(globTest);
  const stays = ({ root, version, deployedSec }: Deployment, position: number): boolean =>
    mustStay.has(root) ||
    position < policy.keepLast ||
    (policy.keepDays !== undefined && deployedSec !== undefined && nowSec - deployedSec < policy.keepDays * 86400) ||
    versions.some((test) => test.test(version ?? root.slice('root-'.length)));
  return newest
    .filter((deployment, position) => !stays(deployment, position))
    .map(({ root }) => root)
    .reverse();
}
