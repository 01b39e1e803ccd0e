/**
 * Fetching paths of a mirror: retries with backoff, redirects, mirrors in turn, limits on size, resuming large files.
 *
 * A path that is not there is a value (undefined), not an error. Everything that arrives is unverified.
 *
 * Source: RFC 9110 (10.2.3 Retry-After, 13 conditional requests, 14 ranges, 15.4 redirects).
 */
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import { checkRange, cutToRange, isWhole, limited, one, otherRange, Spill } from './bodies.ts';
import type { FetcherInit } from './options.ts';
import { type PathKind, RequestPlan } from './request-plan.ts';
import { type Receiver, type ResponseHead, Transport } from './transport.ts';

export interface FetchOptions {
  readonly kind?: PathKind;
  /** Most bytes that are taken; more is `object-too-large`. */
  readonly limitBytes: number;
  /** What the cached copy had; an unchanged file is answered without its bytes. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** First and last byte wanted. A server that sends the whole file is understood. */
  readonly range?: readonly [number, number];
  /** false: one attempt. */
  readonly retry?: boolean;
  /** Asks caches on the way for a fresh copy. */
  readonly fresh?: boolean;
}

export interface Fetched {
  readonly bytes: Buffer;
  /** The copy that the caller has is current; `bytes` is empty. */
  readonly isUnchanged: boolean;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly url: string;
  readonly contentType: string | undefined;
}

const MAX_REDIRECTS = 10;
const MAX_PAUSE_MS = 30_000;
const MISSING_STATUS = [403, 404, 410];
const RETRIED_STATUS = [408, 425, 429, 500, 502, 503, 504];

/** A status that is neither success nor absence. */
class StatusError extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor({ status, headers }: ResponseHead) {
    super(`Server returned HTTP ${status}`);
    this.status = status;
    this.retryAfterMs = retryAfter(one(headers['retry-after']));
  }
}

export class Fetcher {
  readonly #transport: Transport;
  readonly #plan: RequestPlan;
  readonly #retries: number;
  readonly #backoffMs: number;
  #transferredBytes = 0;
  readonly #closing = new AbortController();

  constructor(init: FetcherInit) {
    this.#plan = new RequestPlan(init);
    this.#transport = new Transport(init);
    this.#retries = init.retries ?? 5;
    this.#backoffMs = init.backoffMs ?? 200;
  }

  /** Bytes of bodies received so far, of failed attempts too. */
  get transferredBytes(): number {
    return this.#transferredBytes;
  }

  /** Fetches a path into memory; undefined when it is not there. Errors: `network`, `object-too-large`, `server-invalid`. */
  fetch(path: string, options: FetchOptions): Promise<Fetched | undefined> {
    return this.#retrying(path, options.kind ?? 'metadata', options.retry !== false, async (url, turn) => {
      const chunks: Buffer[] = [];
      const headers = requestHeaders(options);
      const { head, finalUrl } = await this.#follow(
        url,
        headers,
        limited(path, options.limitBytes, (c) => chunks.push(c)),
        {
          path,
          kind: options.kind ?? 'metadata',
          turn,
        },
      );
      if (MISSING_STATUS.includes(head.status)) return undefined;
      const isUnchanged = head.status === 304 && (options.etag !== undefined || options.lastModified !== undefined);
      if (!isUnchanged && head.status !== 200 && head.status !== 206) throw new StatusError(head);
      return {
        bytes: cutToRange(Buffer.concat(chunks), head, options.range),
        isUnchanged,
        etag: one(head.headers.etag),
        lastModified: one(head.headers['last-modified']),
        url: finalUrl.href,
        contentType: one(head.headers['content-type']),
      };
    });
  }

  /**
   * Fetches a path into the room that is given when it has at most as many bytes, else into `file`, from where an earlier attempt (of
   * another process too) left off. Returns bytes or undefined when they are in the file; the file is not verified.
   */
  fetchOrSpill(
    path: string,
    options: {
      readonly kind: PathKind;
      /** Asked for when the first bytes come. */
      readonly room: () => Buffer;
      readonly limitBytes: number;
      readonly file: string;
      /** false: there is no file of an earlier attempt. Default true. */
      readonly mayContinue?: boolean;
    },
  ): Promise<{ readonly bytes: Buffer | undefined; readonly url: string; readonly contentType: string | undefined } | undefined> {
    const { kind, file } = options;
    let mayContinue = options.mayContinue ?? true;
    return this.#retrying(path, kind, true, async (url, turn) => {
      const present = mayContinue ? (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) : 0;
      mayContinue = true;
      const headers: Record<string, string> = present === 0 ? {} : { range: `bytes=${present}-` };
      const spill = new Spill(file, present, options.room);
      try {
        const receiver = limited(
          path,
          options.limitBytes - present,
          (chunk) => spill.write(chunk),
          (head) => spill.begin(head),
        );
        const { head, finalUrl } = await this.#follow(url, headers, receiver, { path, kind, turn });
        if (MISSING_STATUS.includes(head.status)) return undefined;
        // Everything had arrived; whoever asked before ended before it was put in place.
        if (head.status === 416 && isWhole(head, present))
          return { bytes: undefined, url: finalUrl.href, contentType: undefined };
        if (head.status === 416) {
          fs.rmSync(file, { force: true });
          throw Object.assign(new Error('the server cannot continue'), { code: 'ECONNRESET' });
        }
        if (head.status !== 200 && head.status !== 206) throw new StatusError(head);
        return { bytes: spill.bytes(), url: finalUrl.href, contentType: one(head.headers['content-type']) };
      } finally {
        spill.close();
      }
    });
  }

  /**
   * Fetches bytes `start` to before `end` of a path and hands them over as they arrive, each once, however many attempts it takes.
   * Hands nothing over when the path or the range is not there. Errors: `network`, `server-invalid` (other bytes).
   */
  fetchRange(
    path: string,
    options: {
      readonly kind: PathKind;
      readonly start: number;
      readonly end: number;
      readonly take: (chunk: Buffer) => void;
    },
  ): Promise<void> {
    const { kind, end } = options;
    let at = options.start;
    return this.#retrying(path, kind, true, async (url, turn) => {
      const receiver: Receiver = {
        start: (head) => checkRange(path, head, at, end),
        data: (chunk) => {
          at += chunk.length;
          if (at > end) throw otherRange(path, `bytes ${options.start}-${end - 1}`, `${at - end} bytes more`);
          options.take(chunk);
        },
      };
      const headers = { range: `bytes=${at}-${end - 1}` };
      const { head } = await this.#follow(url, headers, receiver, { path, kind, turn });
      if (RETRIED_STATUS.includes(head.status)) throw new StatusError(head);
      if (head.status === 206 && at < end)
        throw Object.assign(new Error(`ended ${end - at} bytes early`), { code: 'ECONNRESET' });
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
  }

  async #follow(
    start: URL,
    headers: Record<string, string>,
    receiver: Receiver,
    asked: { path: string; kind: PathKind; turn: number },
  ): Promise<{ head: ResponseHead; finalUrl: URL }> {
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const head = await this.#transport.get(url, { ...headers, ...this.#plan.headersFor(url) }, this.#counting(receiver));
      const target = redirectTarget(head, url);
      if (target === undefined) {
        if (hop > 0 && head.status < 300) this.#plan.remember(asked.path, asked.kind, asked.turn, url);
        return { head, finalUrl: url };
      }
      url = target;
    }
    throw new HacktreeError('server-invalid', `${start.href} redirects more than ${MAX_REDIRECTS} times`, {
      details: { path: start.href, expected: `at most ${MAX_REDIRECTS} redirects` },
    });
  }

  /** Only the body of a success reaches the receiver. */
  #counting(receiver: Receiver): Receiver {
    let isWanted = false;
    return {
      start: (head) => {
        isWanted = head.status === 200 || head.status === 206;
        if (isWanted) receiver.start(head);
      },
      data: (chunk) => {
        this.#transferredBytes += chunk.length;
        if (isWanted) receiver.data(chunk);
      },
    };
  }

  async #retrying<T>(
    path: string,
    kind: PathKind,
    retry: boolean,
    attemptOnce: (url: URL, turn: number) => Promise<T>,
  ): Promise<T> {
    const first = this.#plan.turn;
    for (let attempt = 0; ; attempt++) {
      const url = this.#plan.urlFor(path, kind, first + attempt);
      try {
        return await attemptOnce(url, first + attempt);
      } catch (error) {
        if (!isRetried(error)) throw describeFailure(error, url, attempt);
        this.#plan.avoid(path, kind, first + attempt);
        if (!retry || attempt >= this.#retries) throw describeFailure(error, url, attempt);
        await pause(error, this.#backoffMs * 2 ** attempt, this.#closing.signal);
        if (this.#closing.signal.aborted) throw describeFailure(error, url, attempt);
      }
    }
  }
}

function requestHeaders({ etag, lastModified, range, fresh }: FetchOptions): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
    ...(range === undefined ? {} : { range: `bytes=${range[0]}-${range[1]}` }),
    ...(fresh === true ? { 'cache-control': 'no-cache' } : {}),
  };
}

function redirectTarget({ status, headers }: ResponseHead, from: URL): URL | undefined {
  const location = one(headers.location);
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const isAllowed = target?.protocol === 'https:' || (target?.protocol === 'http:' && from.protocol === 'http:');
  if (target !== undefined && isAllowed) return target;
  throw new HacktreeError('server-invalid', `${from.href} redirects to ${location}, which is not followed`, {
    details: { path: from.href, expected: 'http or https, and never from https to http', found: location },
  });
}

function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/;

/** Connections that break, stall or cannot be made are tried again; what the server says clearly, and our own limits, are not. */
function isRetried(error: unknown): boolean {
  if (error instanceof StatusError) return RETRIED_STATUS.includes(error.status);
  if (isHacktreeError(error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || CERTIFICATE.test(code)) return false;
  return !isFileFailure(error) || (syscall === 'write' && ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code));
}

const isFileFailure = (error: unknown): boolean => FILE_CALLS.includes((error as NodeJS.ErrnoException).syscall ?? '');

/** Waits before the next attempt; not any longer once the signal comes. */
async function pause(error: unknown, backoffMs: number, signal: AbortSignal): Promise<void> {
  const wanted = error instanceof StatusError ? error.retryAfterMs : undefined;
  const jittered = backoffMs * (0.5 + Math.random());
  await sleep(Math.min(MAX_PAUSE_MS, wanted ?? jittered), undefined, { signal }).catch(() => {});
}

const FILE_CALLS = ['open', 'write', 'fstat', 'stat', 'unlink', 'rm'];

function describeFailure(error: unknown, url: URL, attempt: number): unknown {
  if (isHacktreeError(error)) return error;
  if (isFileFailure(error) && !isRetried(error)) return wrapSystemError(error, 'Storing', url.pathname);
  const times = attempt === 0 ? '' : ` (after ${attempt + 1} attempts)`;
  const found = error instanceof StatusError ? error.status : String((error as NodeJS.ErrnoException).code ?? 'failure');
  return new HacktreeError('network', `While fetching ${url.href}: ${(error as Error).message}${times}`, {
    details: { path: url.href, expected: 'HTTP 200', found, attempts: attempt + 1 },
    cause: error,
  });
}
