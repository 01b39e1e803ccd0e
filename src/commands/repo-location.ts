/**
 * Which repository a command works on.
 *
 * `--repo`, else the environment, else the current directory when it is a repository, else the system's own. Only
 * names are looked at here; opening and checking is the repository's business.
 */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { HacktreeError } from '../core/index.ts';
import type { FrontEnd } from './spec.ts';

const SYSTEM_REPOS: Record<FrontEnd, readonly string[]> = {
  hacktree: ['/gnomeos/repo'],
  ostree: ['/sysroot/ostree/repo', '/ostree/repo', '/gnomeos/repo'],
};

const VARIABLES: Record<FrontEnd, readonly string[]> = {
  hacktree: ['HACKTREE_REPO', 'OSTREE_REPO'],
  ostree: ['OSTREE_REPO', 'HACKTREE_REPO'],
};

export interface LocationRequest {
  readonly frontEnd: FrontEnd;
  readonly option: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Gives the path of the repository. Errors: `repo-not-found` when none is named and none is found. */
export function locateRepo({ frontEnd, option, env, cwd }: LocationRequest): string {
  const named = option ?? VARIABLES[frontEnd].map((name) => env[name]).find((value) => value !== undefined && value !== '');
  if (named !== undefined) return named;
  if (looksLikeRepo(cwd)) return '.';
  const system = SYSTEM_REPOS[frontEnd].find(looksLikeRepo);
  if (system !== undefined) return system;
  throw new HacktreeError('repo-not-found', 'Command requires a --repo argument', {
    hints: [
      'Name a repository with --repo=PATH or HACKTREE_REPO, or run the command inside one.',
      '`hacktree init --repo=PATH` makes a new one.',
    ],
  });
}

function looksLikeRepo(dir: string): boolean {
  return existsSync(path.join(dir, 'objects')) && existsSync(path.join(dir, 'config'));
}
