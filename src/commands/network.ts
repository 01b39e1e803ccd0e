/**
 * What the environment knows about the network, and the user's credentials; services are handed it as data.
 *
 * Source: curl(1) (http_proxy, https_proxy, no_proxy), netrc(5); ostree-cli A.0 (OSTREE_DEBUG_HTTP, OSTREE_SKIP_CACHE).
 */
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { type Credentials, type NetworkOptions, parseNetrc, type RemoteQuery, type RemotesPlace } from '../remote/index.ts';
import type { Repo } from '../repo/index.ts';
import type { Context } from './context.ts';
import { trustOf } from './trust-keys.ts';

type Env = NodeJS.ProcessEnv;

/** What every service that asks a remote wants to know besides the repository. */
export type RemoteReach = Required<Pick<RemoteQuery, 'network' | 'trust' | 'place'>> & Pick<RemoteQuery, 'cacheDir'>;

const STDERR = 2;

/** How a command reaches the remotes of a repository. Errors: `permission`, `io` (a netrc file that cannot be read). */
export function reachOf(context: Context, repo: Repo, cacheDir?: string): RemoteReach {
  return {
    cacheDir: cacheDir ?? (context.environment.skipCache ? false : undefined),
    network: networkOf(context),
    trust: trustOf(context),
    place: remotesPlaceOf(repo.path),
  };
}

/** Proxies and credentials, and whether traffic is shown. */
function networkOf({ surroundings: { env }, environment: { debugHttp } }: Context): NetworkOptions {
  const http = given(env.http_proxy);
  const https = given(env.https_proxy) ?? given(env.HTTPS_PROXY);
  const no = given(env.no_proxy) ?? given(env.NO_PROXY);
  return {
    ...(debugHttp ? { traceFd: STDERR } : {}),
    credentials: readNetrc(env),
    proxyEnvironment: {
      ...(http === undefined ? {} : { http }),
      ...(https === undefined ? {} : { https }),
      ...(no === undefined ? {} : { no }),
    },
  };
}

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** The file that NETRC names must be readable; the one in HOME may be another user's, as under `setpriv`. */
function readNetrc(env: Env): Credentials[] {
  const named = given(env.NETRC);
  const path = named ?? join(given(env.HOME) ?? homedir(), '.netrc');
  try {
    return parseNetrc(fs.readFileSync(path, 'utf8'));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || (errno === 'EACCES' && named === undefined)) return [];
    throw wrapSystemError(error, 'Reading', path);
  }
}

/** As they are named on the host, and inside a deployed root: their remotes are also in this machine's /etc. */
const SYSTEM_REPOS = ['/ostree/repo', '/sysroot/ostree/repo', '/gnomeos/repo', '/sysroot/gnomeos/repo'];
const REMOTES_DIR = 'etc/ostree/remotes.d';

/** Where remotes are configured besides the repository: for the repository of a system, in the /etc of that system. */
export function remotesPlaceOf(repoPath: string): RemotesPlace {
  const path = resolve(repoPath);
  if (SYSTEM_REPOS.includes(path)) return { configDirs: [`/${REMOTES_DIR}`] };
  const [, sysroot] = /^(.*)\/gnomeos\/repo$/.exec(path) ?? [];
  return sysroot === undefined ? {} : { configDirs: [join(sysroot, REMOTES_DIR)] };
}
