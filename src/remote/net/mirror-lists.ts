/**
 * Lists of mirrors: a mirrorlist is one URL per line; a metalink is XML that names mirrors of one file, its size and hash.
 *
 * Only the few elements that are needed are read from a metalink, by pattern: `<size>`, `<hash type="sha256">`, `<url ...>`
 * of the `<file name="summary">`, ordered by preference.
 *
 * Source: ostree-format 8; RFC 5854 and Metalink 3.0 (4.2).
 */
import { HacktreeError } from '../../core/index.ts';

/** Reads a mirrorlist. Errors: `server-invalid` when it names no mirror. */
export function parseMirrorlist(text: string, where: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const urls = lines.filter((line) => /^https?:\/\//.test(line));
  if (urls.length > 0) return urls;
  throw new HacktreeError('server-invalid', `No valid mirrors were found in mirrorlist '${where}'`, { details: { path: where } });
}

export interface Metalink {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Of the file itself, best first. */
  readonly urls: readonly string[];
}

/** Reads what a metalink says of the file `summary`. Errors: `server-invalid`. */
export function parseMetalink(text: string, where: string): Metalink {
  const file = /<file\s[^>]*name\s*=\s*["']summary["'][^>]*>([\s\S]*?)<\/file>/.exec(text)?.[1] ?? '';
  const sizeBytes = Number(/<size>\s*(\d+)\s*<\/size>/.exec(file)?.[1] ?? Number.NaN);
  const sha256 = /<hash\s[^>]*type\s*=\s*["']sha-?256["'][^>]*>\s*([0-9a-fA-F]{64})\s*<\/hash>/.exec(file)?.[1]?.toLowerCase();
  const urls = [...file.matchAll(/<url(\s[^>]*)?>\s*([^<\s]+)\s*<\/url>/g)]
    .map(([, attributes = '', url = '']) => ({
      url: url.replaceAll('&amp;', '&'),
      preference: Number(/preference\s*=\s*["'](\d+)["']/.exec(attributes)?.[1] ?? 0),
    }))
    .filter(({ url }) => /^https?:\/\/.*\/summary$/.test(url))
    .sort((a, b) => b.preference - a.preference)
    .map(({ url }) => url);
  if (sha256 !== undefined && Number.isFinite(sizeBytes) && urls.length > 0) return { sizeBytes, sha256, urls };
  throw new HacktreeError('server-invalid', `Invalid metalink ${where}: no size, SHA-256 or mirror of 'summary'`, {
    details: { path: where, expected: 'a file element named summary' },
  });
}
