/**
 * Where a path is requested and what goes along: base URLs, remembered redirects, credentials, cookies, extra headers.
 *
 * Extra headers and credentials go to the hosts of the base URLs alone; cookies and netrc entries to the hosts they name. A
 * redirect that keeps the path's end is remembered for everything below the same top folder, so that each object does not
 * pay for it again; it is forgotten as soon as it fails.
 *
 * Source: RFC 9110 11.7 (credentials), 15.4 (redirects).
 */
import { HacktreeError } from '../../core/index.ts';
import { cookieHeader } from './cookies.ts';
import type { FetcherInit } from './options.ts';

/** `metadata` comes from the base URLs, `content` from the content URLs. */
export type PathKind = 'metadata' | 'content';

/** A path that stays as it is in a URL. */
const PLAIN_PATH = /^\w[\w./-]*$/;

interface Base {
  /** Without credentials, path ending in a slash. */
  readonly url: URL;
  readonly authorization: string | undefined;
}

export class RequestPlan {
  readonly #init: FetcherInit;
  readonly #bases: Readonly<Record<PathKind, readonly Base[]>>;
  readonly #redirects = new Map<string, URL>();
  /** Nothing goes along. */
  readonly #isPlain: boolean;
  #turn = 0;

  constructor(init: FetcherInit) {
    this.#init = init;
    const bases = init.baseUrls.map(parseBase);
    const contentUrls = init.contentUrls ?? [];
    const { headers = [], cookies = [], credentials = [], bearerToken } = init;
    const isNamed = [headers, cookies, credentials].some((list) => list.length > 0) || bearerToken !== undefined;
    this.#bases = { metadata: bases, content: contentUrls.length === 0 ? bases : contentUrls.map(parseBase) };
    this.#isPlain = !isNamed && [...bases, ...this.#bases.content].every(({ authorization }) => authorization === undefined);
  }

  /** Where requests begin at present. A path's n-th attempt is made at `turn + n`: each goes to the next mirror. */
  get turn(): number {
    return this.#turn;
  }

  /** The URL of a path at one turn. */
  urlFor(path: string, kind: PathKind, turn: number): URL {
    const base = this.#baseOf(kind, turn);
    const moved = this.#redirects.size === 0 ? undefined : this.#redirects.get(memoryKey(base.url, path));
    return new URL(PLAIN_PATH.test(path) ? path : path.split('/').map(encodeURIComponent).join('/'), moved ?? base.url);
  }

  /** Says that an attempt failed, so that later paths begin with another mirror; said twice of one mirror it counts once. */
  avoid(path: string, kind: PathKind, turn: number): void {
    const base = this.#baseOf(kind, turn);
    this.#redirects.delete(memoryKey(base.url, path));
    if (base === this.#baseOf(kind, this.#turn)) this.#turn++;
  }

  /** Remembers where a path was redirected to, when its end stayed the same. */
  remember(path: string, kind: PathKind, turn: number, target: URL): void {
    const suffix = `/${path}`;
    if (target.search !== '' || !target.pathname.endsWith(suffix)) return;
    const moved = new URL(target);
    moved.pathname = target.pathname.slice(0, -suffix.length + 1);
    this.#redirects.set(memoryKey(this.#baseOf(kind, turn).url, path), moved);
  }

  headersFor(url: URL): Record<string, string> {
    if (this.#isPlain) return {};
    const headers: Record<string, string> = {};
    const own = [...this.#bases.metadata, ...this.#bases.content].find((base) => base.url.origin === url.origin);
    if (own !== undefined) for (const [name, value] of this.#init.headers ?? []) headers[name.toLowerCase()] = value;
    const authorization = this.#authorization(url, own);
    if (authorization !== undefined) headers.authorization ??= authorization;
    const cookie = cookieHeader(this.#init.cookies ?? [], url, Date.now() / 1000);
    if (cookie !== undefined) headers.cookie = cookie;
    return headers;
  }

  #authorization(url: URL, own: Base | undefined): string | undefined {
    if (own?.authorization !== undefined) return own.authorization;
    if (own !== undefined && this.#init.bearerToken !== undefined) return `Bearer ${this.#init.bearerToken}`;
    const known = this.#init.credentials ?? [];
    const entry = known.find(({ host }) => host === url.hostname) ?? (own && known.find(({ host }) => host === '*'));
    return entry === undefined ? undefined : basic(entry.user, entry.password);
  }

  #baseOf(kind: PathKind, turn: number): Base {
    const bases = this.#bases[kind];
    return bases[turn % bases.length] as Base;
  }
}

function parseBase(text: string): Base {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new HacktreeError('remote-config', `Invalid URL '${text}'`, { details: { found: text } });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HacktreeError('remote-config', `Invalid URL scheme in '${text}', expected http, https or file`, {
      details: { expected: 'http, https or file', found: url.protocol },
    });
  }
  const { username, password } = url;
  const authorization = username === '' ? undefined : basic(decodeURIComponent(username), decodeURIComponent(password));
  url.username = '';
  url.password = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url, authorization };
}

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Redirects are remembered by base URL and top folder: a mirror may keep `objects` elsewhere than `summary`. */
const memoryKey = (base: URL, path: string): string => `${base.href} ${path.includes('/') ? path.split('/')[0] : path}`;
