/**
 * A remote's cookies: the Netscape jar `<remote>.cookies.txt`, seven fields separated by tabs, and which of them a request gets.
 *
 * Source: ostree-format 6.1; the Netscape cookie file format as curl documents it; RFC 6265 5.1.3, 5.1.4 (matching).
 */
import { HacktreeError } from '../../core/index.ts';

export interface Cookie {
  /** With a leading dot the cookie is for subdomains too. */
  readonly domain: string;
  readonly path: string;
  readonly secure: boolean;
  /** Seconds since 1970 UTC; 0 for a session. */
  readonly expiresSec: number;
  readonly name: string;
  readonly value: string;
}

/** Parses a jar. Errors: `remote-config` naming the line. */
export function parseCookies(text: string, path = 'cookie jar'): Cookie[] {
  return text.split('\n').flatMap((raw, i) => {
    const line = raw.replace(/\r$/, '').replace(/^#HttpOnly_/, '');
    if (line === '' || line.startsWith('#')) return [];
    const [domain, , cookiePath, secure, expires, name, value] = line.split('\t');
    if (domain === undefined || cookiePath === undefined || name === undefined || value === undefined) {
      throw new HacktreeError('remote-config', `${path}, line ${i + 1}: expected seven fields separated by tabs`, {
        details: { path, found: line },
      });
    }
    return [{ domain, path: cookiePath, secure: secure === 'TRUE', expiresSec: Number(expires) || 0, name, value }];
  });
}

/** Prints a jar. */
export function printCookies(cookies: readonly Cookie[]): string {
  const flag = (value: boolean): string => (value ? 'TRUE' : 'FALSE');
  return cookies
    .map(({ domain, path, secure, expiresSec, name, value }) =>
      [domain, flag(domain.startsWith('.')), path, flag(secure), expiresSec, name, value].join('\t'),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** The Cookie header of a request; undefined when no cookie is for it. */
export function cookieHeader(cookies: readonly Cookie[], url: URL, nowSec: number): string | undefined {
  const fitting = cookies.filter(
    (cookie) =>
      fitsHost(cookie.domain, url.hostname) &&
      fitsPath(cookie.path, url.pathname) &&
      (!cookie.secure || url.protocol === 'https:') &&
      (cookie.expiresSec === 0 || cookie.expiresSec > nowSec),
  );
  return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
}

function fitsHost(domain: string, host: string): boolean {
  if (!domain.startsWith('.')) return domain.toLowerCase() === host;
  const wanted = domain.toLowerCase();
  return host === wanted.slice(1) || host.endsWith(wanted);
}

function fitsPath(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
