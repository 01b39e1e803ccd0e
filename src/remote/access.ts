/**
 * Getting at a remote's files: over HTTP, or in a directory for file:// and pull-local.
 *
 * Turns a remote's configuration and what the caller brings along into a fetcher, resolving mirrorlist and metalink on the
 * way. Used by one thread; worker threads get `source` and open their own connections.
 *
 * Source: ostree-format 8, 12; RFC 5854 (metalink).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Checksum, errnoOf, HacktreeError, isChecksum, sha256, VERSION, wrapSystemError } from '../core/index.ts';
import { MAX_METADATA_BYTES } from '../format/index.ts';
import { loosePath, openRepo, type Repo, readPart, readRef, tryReadMetadata } from '../repo/index.ts';
import { parseCookies } from './net/cookies.ts';
import type { Fetched, Fetcher, FetchOptions } from './net/fetcher.ts';
import { parseMetalink, parseMirrorlist } from './net/mirror-lists.ts';
import type { Credentials, FetcherInit } from './net/options.ts';
import type { SourceInit } from './pull/source.ts';
import { cookieFile, type RemoteConfig } from './remotes.ts';

/** What the caller knows about the network and the remote's configuration does not say. */
export interface NetworkOptions {
  /** Instead of the remote's URL. */
  readonly url?: string | undefined;
  readonly headers?: readonly (readonly [string, string])[];
  readonly appendUserAgent?: string | undefined;
  readonly bearerToken?: string;
  readonly credentials?: readonly Credentials[];
  readonly proxyEnvironment?: FetcherInit['proxyEnvironment'];
  readonly http2?: boolean;
  readonly retries?: number | undefined;
  readonly backoffMs?: number;
  readonly lowSpeedBytes?: number | undefined;
  readonly lowSpeedTimeMs?: number | undefined;
  /** Requests and answers are written to this file descriptor. */
  readonly traceFd?: number;
  /** Connections of each thread. Default 4. */
  readonly connections?: number;
}

export type RemoteFile = Pick<Fetched, 'bytes' | 'isUnchanged' | 'etag' | 'lastModified'>;

export interface RemoteAccess {
  /** For worker threads. */
  readonly source: (isTrusted: boolean) => SourceInit;
  /** The repository itself, when it is on this machine. */
  readonly local: Repo | undefined;
  /** What messages call the place. */
  readonly where: string;
  readonly transferredBytes: number;
  /** Reads a file of the repository directory; undefined when it is not there. */
  file(path: string, options?: Partial<FetchOptions>): Promise<RemoteFile | undefined>;
  /** Reads a ref; undefined when it is not there. */
  ref(name: string): Promise<Checksum | undefined>;
  /** Reads a commit or its detached metadata, unverified. */
  metadata(checksum: Checksum, type: 'commit' | 'commitmeta'): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** Opens a remote. Errors: `remote-config`, `network`, `repo-not-found` (file://). */
export async function openRemoteAccess(repo: Repo, remote: RemoteConfig, network: NetworkOptions = {}): Promise<RemoteAccess> {
  if (remote.unconfiguredState !== undefined) {
    throw new HacktreeError('remote-config', `Remote unconfigured-state: ${remote.unconfiguredState}`, {
      details: { found: remote.name },
    });
  }
  if (remote.customBackend !== undefined) {
    throw new HacktreeError(
      'remote-config',
      `Cannot fetch via libostree - remote '${remote.name}' uses custom backend '${remote.customBackend}'`,
    );
  }
  const url = network.url ?? remote.url;
  if (url?.startsWith('file:') === true) return new LocalAccess(openRepo(pathOfUrl(url)));
  const { Fetcher: FetcherClass } = await import('./net/fetcher.ts');
  const init = fetcherInit(repo, remote, network);
  const baseUrls = await resolveBaseUrls(FetcherClass, init, remote, url);
  const contentUrls = remote.contentUrl === undefined ? [] : await resolveList(FetcherClass, init, remote.contentUrl);
  const full = { ...init, baseUrls, contentUrls };
  return new HttpAccess(new FetcherClass(full), full);
}

/** Opens a repository directory as a remote. */
export function openLocalAccess(source: Repo): RemoteAccess {
  return new LocalAccess(source);
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new HacktreeError('remote-config', `Invalid URL '${url}'`, { details: { found: url }, cause });
  }
}

function fetcherInit(repo: Repo, remote: RemoteConfig, network: NetworkOptions): FetcherInit {
  const jar = cookieFile(repo, remote.name);
  const suffix = network.appendUserAgent === undefined ? '' : ` ${network.appendUserAgent}`;
  return {
    baseUrls: [],
    userAgent: `hacktree/${VERSION}${suffix}`,
    headers: network.headers ?? [],
    ...(network.bearerToken === undefined ? {} : { bearerToken: network.bearerToken }),
    credentials: network.credentials ?? [],
    cookies: fs.existsSync(jar) ? parseCookies(fs.readFileSync(jar, 'utf8'), jar) : [],
    proxy: remote.proxy,
    ...(network.proxyEnvironment === undefined ? {} : { proxyEnvironment: network.proxyEnvironment }),
    tlsPermissive: remote.tlsPermissive,
    ...pem('tlsCa', remote.tlsCaPath),
    ...pem('tlsClientCert', remote.tlsClientCertPath),
    ...pem('tlsClientKey', remote.tlsClientKeyPath),
    http2: network.http2 ?? remote.http2,
    connections: network.connections ?? 4,
    ...(network.traceFd === undefined ? {} : { traceFd: network.traceFd }),
    ...(network.retries === undefined ? {} : { retries: network.retries }),
    ...(network.backoffMs === undefined ? {} : { backoffMs: network.backoffMs }),
    ...(network.lowSpeedBytes === undefined ? {} : { lowSpeedBytes: network.lowSpeedBytes }),
    ...(network.lowSpeedTimeMs === undefined ? {} : { lowSpeedTimeMs: network.lowSpeedTimeMs }),
  };
}

function pem(key: string, path: string | undefined): Record<string, string> {
  if (path === undefined) return {};
  try {
    return { [key]: fs.readFileSync(path, 'utf8') };
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
}

type FetcherClass = new (init: FetcherInit) => Fetcher;

async function resolveBaseUrls(
  Class: FetcherClass,
  init: FetcherInit,
  remote: RemoteConfig,
  url: string | undefined,
): Promise<readonly string[]> {
  if (url !== undefined) return resolveList(Class, init, url);
  if (remote.metalink !== undefined) return resolveMetalink(Class, init, remote.metalink);
  throw new HacktreeError('remote-config', `No "url" or "metalink" option in remote "${remote.name}"`, {
    details: { found: remote.name },
  });
}

const LIST_LIMIT_BYTES = 4 * 1024 * 1024;

async function fetchOne(Class: FetcherClass, init: FetcherInit, url: string, limitBytes = LIST_LIMIT_BYTES): Promise<Buffer> {
  const slash = url.lastIndexOf('/');
  const fetcher = new Class({ ...init, baseUrls: [url.slice(0, slash + 1)] });
  try {
    const found = await fetcher.fetch(url.slice(slash + 1), { limitBytes });
    if (found !== undefined) return found.bytes;
    throw new HacktreeError('network', `While fetching ${url}: it is not there`, { details: { path: url } });
  } finally {
    await fetcher.close();
  }
}

async function resolveList(Class: FetcherClass, init: FetcherInit, url: string): Promise<readonly string[]> {
  if (!url.startsWith('mirrorlist=')) return [url];
  const list = url.slice('mirrorlist='.length);
  return parseMirrorlist((await fetchOne(Class, init, list)).toString('utf8'), list);
}

/** A metalink names mirrors of the summary, with its size and SHA-256. The first mirror that has just this summary comes first. */
async function resolveMetalink(Class: FetcherClass, init: FetcherInit, url: string): Promise<readonly string[]> {
  const { sizeBytes, sha256: expected, urls } = parseMetalink((await fetchOne(Class, init, url)).toString('utf8'), url);
  const problems: string[] = [];
  for (const [i, mirror] of urls.entries()) {
    try {
      const bytes = await fetchOne(Class, { ...init, retries: 0 }, mirror, sizeBytes);
      if (bytes.length === sizeBytes && sha256(bytes).toString('hex') === expected) {
        return urls.slice(i).map((found) => found.slice(0, found.lastIndexOf('/') + 1));
      }
      problems.push(`${mirror}: size or checksum differs`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throw new HacktreeError(
    'network',
    `While fetching metalink ${url}: no mirror has the summary it names: ${problems.join('; ')}`,
    {
      details: { path: url, expected: expected ?? '' },
    },
  );
}

class HttpAccess implements RemoteAccess {
  readonly local = undefined;
  readonly where: string;
  readonly #fetcher: Fetcher;
  readonly #init: FetcherInit;

  constructor(fetcher: Fetcher, init: FetcherInit) {
    this.#fetcher = fetcher;
    this.#init = init;
    this.where = (init.baseUrls[0] ?? '').replace(/\/\/[^/@]*@/, '//');
  }

  source(): SourceInit {
    return { kind: 'http', fetcher: this.#init };
  }

  get transferredBytes(): number {
    return this.#fetcher.transferredBytes;
  }

  file(path: string, options: Partial<FetchOptions> = {}): Promise<RemoteFile | undefined> {
    return this.#fetcher.fetch(path, { limitBytes: MAX_METADATA_BYTES, ...options });
  }

  async ref(name: string): Promise<Checksum | undefined> {
    const found = await this.file(`refs/heads/${name}`, { limitBytes: 4096 });
    return found === undefined ? undefined : parseRef(found.bytes, `${this.where} refs/heads/${name}`);
  }

  async metadata(checksum: Checksum, type: 'commit' | 'commitmeta'): Promise<Buffer | undefined> {
    return (await this.file(`objects/${loosePath('archive', checksum, type)}`))?.bytes;
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }
}

function parseRef(bytes: Buffer, where: string): Checksum {
  const text = bytes.toString('latin1').trimEnd();
  if (isChecksum(text)) return text;
  throw new HacktreeError('server-invalid', `${where} does not hold a checksum`, {
    details: { path: where, expected: '64 hex characters', found: text.slice(0, 80) },
  });
}

class LocalAccess implements RemoteAccess {
  readonly local: Repo;
  readonly where: string;
  readonly transferredBytes = 0;

  constructor(repo: Repo) {
    this.local = repo;
    this.where = repo.path;
  }

  source(isTrusted: boolean): SourceInit {
    return { kind: 'repo', path: this.local.path, isTrusted };
  }

  async file(path: string, { range }: Partial<FetchOptions> = {}): Promise<RemoteFile | undefined> {
    const full = join(this.local.path, path);
    try {
      const bytes = range === undefined ? fs.readFileSync(full) : readPart(full, range[0], range[1] + 1 - range[0]);
      return { bytes, isUnchanged: false, etag: undefined, lastModified: undefined };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw wrapSystemError(error, 'Reading', full);
    }
  }

  async ref(name: string): Promise<Checksum | undefined> {
    return readRef(this.local, { ref: name });
  }

  async metadata(checksum: Checksum, type: 'commit' | 'commitmeta'): Promise<Buffer | undefined> {
    return tryReadMetadata(this.local, checksum, type);
  }

  async close(): Promise<void> {}
}
