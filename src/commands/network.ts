/**
 * What the environment knows about the network, the user's credentials and trusted keys; services are handed it as data.
 *
 * Source: curl(1) (http_proxy, https_proxy, no_proxy), netrc(5); ostree-cli A.0 (OSTREE_GPG_HOME, OSTREE_DUMMY_SIGN_ENABLED).
 */
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { type Credentials, type NetworkOptions, parseNetrc, type RemotesPlace, type TrustOptions } from '../remote/index.ts';
import type { Context } from './context.ts';

type Env = NodeJS.ProcessEnv;

/** Proxies and credentials. Errors: `permission`, `io` (a netrc file that is there but cannot be read). */
export function networkOf({ surroundings: { env } }: Context): NetworkOptions {
  const http = given(env.http_proxy);
  const https = given(env.https_proxy) ?? given(env.HTTPS_PROXY);
  const no = given(env.no_proxy) ?? given(env.NO_PROXY);
  return {
    credentials: readNetrc(env),
    proxyEnvironment: {
      ...(http === undefined ? {} : { http }),
      ...(https === undefined ? {} : { https }),
      ...(no === undefined ? {} : { no }),
    },
  };
}

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

function readNetrc(env: Env): Credentials[] {
  const path = given(env.NETRC) ?? join(given(env.HOME) ?? homedir(), '.netrc');
  try {
    return parseNetrc(fs.readFileSync(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw wrapSystemError(error, 'Reading', path);
  }
}

/** Where keys are looked for beyond those of the remote. */
export function trustOf({ surroundings: { env } }: Context): TrustOptions {
  const home = given(env.OSTREE_GPG_HOME);
  return {
    dummyEnabled: env.OSTREE_DUMMY_SIGN_ENABLED === '1',
    ...(home === undefined ? {} : { gpgKeyringDirs: [home] }),
  };
}

const SYSTEM_REPOS = ['/ostree/repo', '/sysroot/ostree/repo', '/gnomeos/repo'];

/** Where remotes are configured besides the repository: for the system's repository in /etc. */
export function remotesPlaceOf(repoPath: string): RemotesPlace {
  const isSystem = SYSTEM_REPOS.includes(resolve(repoPath));
  return isSystem ? { configDirs: ['/etc/ostree/remotes.d'] } : {};
}
