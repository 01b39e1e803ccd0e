/**
 * What `remote refs`, `remote summary`, `upgrade --check`, `gpg-import`, `gpg-list-keys` and the cookie commands do.
 *
 * Source: ostree-format 6.1; ostree-cli A.1 (`remote`).
 */
import * as fs from 'node:fs';
import type { Checksum } from '../core/index.ts';
import { checkRemoteName, HacktreeError } from '../core/index.ts';
import { lookupString, summaryRefTimestamp } from '../format/index.ts';
import type { Repo } from '../repo/index.ts';
import { importKeys, type ListedKey, listGpgKeys, printKeyring, readKeyring } from '../sign/index.ts';
import { writeFileDurable } from '../sys/index.ts';
import { type NetworkOptions, openRemoteAccess } from './access.ts';
import { systemGpgKeys } from './gpg-keys.ts';
import { type Cookie, parseCookies, printCookies } from './net/cookies.ts';
import { fetchSummary, type RemoteSummary, type SummaryOptions } from './remote-summary.ts';
import { cookieFile, keyringFile, loadRemote, type RemotesPlace } from './remotes.ts';
import { Trust, type TrustOptions } from './trust.ts';

export interface RemoteQuery extends SummaryOptions {
  readonly network?: NetworkOptions;
  readonly trust?: TrustOptions;
  readonly place?: RemotesPlace;
}

/** Fetches a remote's summary, verified as it asks. Errors: `server-invalid` when it has none, and those of pull. */
export async function remoteSummary(repo: Repo, name: string, query: RemoteQuery = {}): Promise<RemoteSummary> {
  const remote = loadRemote(repo, name, query.place);
  const access = await openRemoteAccess(repo, remote, query.network);
  try {
    const found = await fetchSummary(repo, name, access, new Trust(repo, remote, query.trust), query);
    if (found !== undefined) return found;
    throw new HacktreeError('server-invalid', 'Remote server has no summary file', {
      details: { remote: name, path: access.where },
      hints: ['run `hacktree summary -u` in the repository that is served'],
    });
  } finally {
    await access.close();
  }
}

export interface RemoteRef {
  readonly ref: string;
  readonly commit: Checksum;
}

/** Lists a remote's refs, sorted. Errors: as remoteSummary. */
export async function remoteRefs(repo: Repo, name: string, query: RemoteQuery = {}): Promise<readonly RemoteRef[]> {
  const { summary } = await remoteSummary(repo, name, query);
  return summary.refs.map(({ ref, commit }) => ({ ref, commit }));
}

/** What a remote says of one ref; version and time only where its summary does. */
export interface RemoteRefFacts extends RemoteRef {
  readonly version: string | undefined;
  /** Seconds since 1970 UTC. */
  readonly timestampSec: bigint | undefined;
}

/**
 * Asks a remote which commit a ref is; nothing is fetched beyond that, and nothing written but the cache of summaries.
 * Errors: `ref-not-found`, and those of pull.
 */
export async function askRemoteRef(repo: Repo, name: string, ref: string, query: RemoteQuery = {}): Promise<RemoteRefFacts> {
  const remote = loadRemote(repo, name, query.place);
  const access = await openRemoteAccess(repo, remote, query.network);
  try {
    const found = await fetchSummary(repo, name, access, new Trust(repo, remote, query.trust), query);
    const listed = found?.summary.refs.find((one) => one.ref === ref);
    if (listed !== undefined) {
      const version = lookupString(listed.metadata, 'ostree.commit.version');
      return { ref, commit: listed.commit, version, timestampSec: summaryRefTimestamp(listed) };
    }
    const commit = await access.ref(ref);
    if (commit !== undefined) return { ref, commit, version: undefined, timestampSec: undefined };
    throw new HacktreeError('ref-not-found', `The remote '${name}' has no ref '${ref}'`, {
      details: { remote: name, path: access.where, found: ref },
    });
  } finally {
    await access.close();
  }
}

/**
 * Imports GPG keys into a remote's keyring; returns how many are new. `keyrings` are files' bytes, binary or armoured.
 * Errors: `remote-not-found`, `key-invalid`.
 */
export function importRemoteKeys(
  repo: Repo,
  name: string,
  keyrings: readonly Uint8Array[],
  options: { readonly keyIds?: readonly string[]; readonly place?: RemotesPlace } = {},
): number {
  loadRemote(repo, name, options.place);
  const path = keyringFile(repo, name);
  const present = fs.existsSync(path) ? readKeyring(fs.readFileSync(path)) : [];
  const { blocks, imported } = importKeys(present, keyrings.flatMap(readKeyring), options.keyIds);
  writeFileDurable(path, printKeyring(blocks));
  return imported;
}

/** Lists the keys of a remote's keyring. Errors: `remote-not-found`, `key-invalid`. */
export async function listRemoteKeys(
  repo: Repo,
  name: string,
  options: { readonly nowSec?: number; readonly place?: RemotesPlace } = {},
): Promise<ListedKey[]> {
  const remote = loadRemote(repo, name, options.place);
  const own = keyringFile(repo, name);
  const paths = [...(fs.existsSync(own) ? [own] : []), ...remote.gpgKeyPaths.filter((path) => fs.existsSync(path))];
  const blocks = paths.flatMap((path) => readKeyring(fs.readFileSync(path)));
  return listGpgKeys(blocks, options.nowSec ?? Math.floor(Date.now() / 1000));
}

/** Lists the keys that remotes without keys of their own trust. Errors: `key-invalid`. */
export function listSystemKeys(trust: TrustOptions = {}): Promise<ListedKey[]> {
  return listGpgKeys(systemGpgKeys(trust.gpgKeyringDirs), trust.nowSec ?? Math.floor(Date.now() / 1000));
}

export interface CookieName {
  readonly domain: string;
  readonly path: string;
  readonly name: string;
}

/** Lists a remote's cookies. Errors: `remote-config` (damaged jar). */
export function listCookies(repo: Repo, remote: string): Cookie[] {
  const path = jarOf(repo, remote);
  return fs.existsSync(path) ? parseCookies(fs.readFileSync(path, 'utf8'), path) : [];
}

/** Cookies without a time of their own are kept for 25 years, as ostree does. */
const COOKIE_LIFE_SEC = 25 * 365 * 86_400;

/** Adds a cookie, or replaces the one of the same domain, path and name. */
export function addCookie(repo: Repo, remote: string, cookie: CookieName & { readonly value: string }): void {
  const expiresSec = Math.floor(Date.now() / 1000) + COOKIE_LIFE_SEC;
  const others = listCookies(repo, remote).filter((known) => !isSame(known, cookie));
  const { domain, path, name, value } = cookie;
  for (const field of [domain, path, name, value]) {
    if (/[\t\n\r]/.test(field))
      throw new HacktreeError('usage', 'A cookie cannot hold tabs or line breaks', { details: { found: field } });
  }
  save(repo, remote, [...others, { domain, path, secure: false, expiresSec, name, value }]);
}

/** Deletes a cookie. Errors: `metadata-missing` when there is none. */
export function deleteCookie(repo: Repo, remote: string, cookie: CookieName): void {
  const all = listCookies(repo, remote);
  const kept = all.filter((known) => !isSame(known, cookie));
  if (kept.length === all.length)
    throw new HacktreeError('metadata-missing', `Cookie not found in jar`, { details: { found: cookie.name } });
  save(repo, remote, kept);
}

const isSame = (a: CookieName, b: CookieName): boolean => a.domain === b.domain && a.path === b.path && a.name === b.name;

function save(repo: Repo, remote: string, cookies: readonly Cookie[]): void {
  writeFileDurable(jarOf(repo, remote), Buffer.from(printCookies(cookies)), { mode: 0o600 });
}

function jarOf(repo: Repo, remote: string): string {
  checkRemoteName(remote);
  return cookieFile(repo, remote);
}
