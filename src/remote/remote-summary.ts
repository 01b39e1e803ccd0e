/**
 * A remote's summary and its signature, verified as the remote's configuration asks, cached between pulls.
 *
 * The cache `tmp/cache/summaries/REMOTE` and `REMOTE.sig` holds the last pair that was accepted; ETag (in the xattr
 * `user.etag`) and Last-Modified (as mtime) make the next request conditional. A cached copy is verified like a fetched one.
 *
 * Source: ostree-format 9, 12.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HacktreeError, isHacktreeError } from '../core/index.ts';
import { type Dict, decodeDict, decodeSummary, type Summary, type SummaryFacts, summaryFacts } from '../format/index.ts';
import { type Repo, tmpDir } from '../repo/index.ts';
import type { SignatureVerdict } from '../sign/index.ts';
import { ensureDir, getXattr, setXattr, writeFileDurable } from '../sys/index.ts';
import type { RemoteAccess, RemoteFile } from './access.ts';
import { webPage } from './pull/metadata.ts';
import type { Trust } from './trust.ts';

export interface RemoteSummary {
  readonly bytes: Buffer;
  /** The bytes of summary.sig; undefined when there is none. */
  readonly signatureBytes: Buffer | undefined;
  readonly summary: Summary;
  readonly facts: SummaryFacts;
  /** What its signatures are worth; empty where the remote asks for none. */
  readonly verdicts: readonly SignatureVerdict[];
}

export interface SummaryOptions {
  /** Directory to cache summaries in, below `summaries`; false: none is. Default: in the repository. */
  readonly cacheDir?: string | false | undefined;
  /** Refuses a summary that is older than the cached one: `timestamp-older`. */
  readonly refuseOlder?: boolean;
}

/** Fetches the summary; undefined when the remote has none and need not. Errors: `signature-*`, `server-invalid`, `network`. */
export async function fetchSummary(
  repo: Repo,
  name: string,
  access: RemoteAccess,
  trust: Trust,
  options: SummaryOptions = {},
): Promise<RemoteSummary | undefined> {
  const { cacheDir = join(tmpDir(repo.path), 'cache'), refuseOlder = false } = options;
  const isCached = cacheDir !== false && access.local === undefined;
  const cache = isCached ? new SummaryCache(join(cacheDir, 'summaries'), name) : undefined;
  const found = await readPair({ repo, name, access, trust, cache });
  if (found === undefined) return undefined;
  const { file, signature, ...facts } = found;
  if (refuseOlder) refuseOlderThanCached(facts.facts, cache, name);
  if (signature !== undefined) cache?.store(file, signature);
  return { bytes: file.bytes, signatureBytes: signature?.bytes, ...facts };
}

interface Asked {
  readonly repo: Repo;
  readonly name: string;
  readonly access: RemoteAccess;
  readonly trust: Trust;
  readonly cache: SummaryCache | undefined;
}

interface Pair extends Omit<RemoteSummary, 'bytes' | 'signatureBytes'> {
  readonly file: RemoteFile;
  readonly signature: RemoteFile | undefined;
}

/** Fetches what the cache has not, and verifies it; a cached copy that does not verify is fetched anew. */
async function readPair(asked: Asked): Promise<Pair | undefined> {
  const { repo, name, access, trust, cache } = asked;
  const signature = await refresh(access, cache, { path: 'summary.sig', suffix: '.sig' });
  // As long as the signature is the cached one, the cached summary that it fits needs no question.
  const known = trust.needsSignedSummary && signature?.isUnchanged === true ? cache?.read('') : undefined;
  const file = known ?? (await refresh(access, cache, { path: 'summary', suffix: '' }));
  try {
    return await verify(asked, file, signature);
  } catch (error) {
    if (file?.isUnchanged !== true && signature?.isUnchanged !== true) throw error;
    if (repo.testErrors?.has('invalid-cache')) {
      const message = `Remote ${name} cached summary invalid and OSTREE_REPO_TEST_ERROR_INVALID_CACHE specified`;
      throw new HacktreeError('test-error', message, { cause: error });
    }
    return readPair({ ...asked, cache: undefined });
  }
}

/** Asks for a file unless the cached copy is unchanged. */
async function refresh(
  access: RemoteAccess,
  cache: SummaryCache | undefined,
  { path, suffix }: { path: string; suffix: string },
): Promise<RemoteFile | undefined> {
  const cached = cache?.read(suffix);
  const found = await access.file(path, cached === undefined ? {} : { etag: cached.etag, lastModified: cached.lastModified });
  return found?.isUnchanged === true ? cached : found;
}

async function verify(
  { name, access, trust }: Asked,
  file: RemoteFile | undefined,
  signature: RemoteFile | undefined,
): Promise<Pair | undefined> {
  if (file === undefined) {
    if (!trust.needsSignedSummary) return undefined;
    throw new HacktreeError('signature-missing', `Remote '${name}': summary verification enabled, but no summary found`, {
      details: { remote: name, path: access.where },
    });
  }
  const summary = decode(file.bytes, `${access.where} summary`, decodeSummary);
  const verdicts = trust.needsSignedSummary ? await trust.checkSummary(file.bytes, signatureDict(signature, access)) : [];
  return { file, signature, summary, facts: summaryFacts(summary), verdicts };
}

function signatureDict(signature: RemoteFile | undefined, access: RemoteAccess): Dict {
  return signature === undefined ? [] : decode(signature.bytes, `${access.where} summary.sig`, decodeDict);
}

function decode<T>(bytes: Buffer, where: string, decodeBytes: (bytes: Buffer) => T): T {
  try {
    return decodeBytes(bytes);
  } catch (cause) {
    if (!isHacktreeError(cause)) throw cause;
    if (/^\s*<(!doctype|html)/i.test(bytes.toString('latin1', 0, 100))) throw webPage(where);
    throw new HacktreeError('server-invalid', `${where}: ${cause.message}`, { details: { path: where }, cause });
  }
}

function refuseOlderThanCached({ lastModifiedSec }: SummaryFacts, cache: SummaryCache | undefined, name: string): void {
  const known = cache?.read('');
  if (known === undefined || lastModifiedSec === undefined) return;
  const before = summaryFacts(decodeSummary(known.bytes)).lastModifiedSec;
  if (before === undefined || before <= lastModifiedSec) return;
  throw new HacktreeError('timestamp-older', `Remote '${name}': its summary is older than the one seen before`, {
    details: { remote: name, expected: `at least ${before}`, found: lastModifiedSec },
    hints: ['a mirror that lags behind, or somebody who serves old content; try again later or another mirror'],
  });
}

class SummaryCache {
  readonly #dir: string;
  readonly #name: string;

  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
  }

  read(suffix: string): RemoteFile | undefined {
    const path = this.#path(suffix);
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const etag = getXattr(path, 'user.etag')?.toString('latin1');
    return { bytes: fs.readFileSync(path), isUnchanged: true, etag, lastModified: stat.mtime.toUTCString() };
  }

  /** A cache that cannot be written is done without. */
  store(summary: RemoteFile, signature: RemoteFile): void {
    try {
      ensureDir(this.#dir);
      // The signature goes first, so that a crash leaves a pair that does not verify and is fetched anew, never a stale one that does.
      fs.rmSync(this.#path(''), { force: true });
      this.#write('.sig', signature);
      this.#write('', summary);
    } catch {
      fs.rmSync(this.#path(''), { force: true });
    }
  }

  #write(suffix: string, { bytes, etag, lastModified, isUnchanged }: RemoteFile): void {
    const path = this.#path(suffix);
    if (isUnchanged && fs.existsSync(path)) return;
    writeFileDurable(path, bytes, { sync: false });
    if (etag !== undefined) setXattr(path, 'user.etag', Buffer.from(etag, 'latin1'));
    const time = Date.parse(lastModified ?? '') / 1000;
    if (Number.isFinite(time)) fs.utimesSync(path, time, time);
  }

  #path(suffix: string): string {
    return join(this.#dir, `${this.#name}${suffix}`);
  }
}
