/**
 * Key files: one key per line, as `verification-ed25519-file`, `--keys-file` and `--keys-dir` take them.
 *
 * A keys directory holds `trusted.ed25519` and `revoked.ed25519`, and directories of further files under the same names
 * plus `.d`. This file only reads text; which files there are is for the caller to find.
 *
 * Source: ostree-format 5.5, 8 (`verification-ed25519-key`, `verification-ed25519-file`).
 */
import { HacktreeError } from '../core/index.ts';

/** Names inside a keys directory for a kind of key: the file and the directory of files, for each list. */
export function keyDirectoryNames(kind: 'ed25519' | 'spki'): { trusted: [string, string]; revoked: [string, string] } {
  return { trusted: [`trusted.${kind}`, `trusted.${kind}.d`], revoked: [`revoked.${kind}`, `revoked.${kind}.d`] };
}

export interface KeyList {
  readonly keys: readonly Buffer[];
  /** Lines that are not keys: 1-based number and why. A list of trusted keys may go on without them. */
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/** Reads a file of keys, one per line; empty lines are skipped. */
export function parseKeyList(text: string, parseKey: (line: string) => Buffer): KeyList {
  const keys: Buffer[] = [];
  const problems: { line: number; reason: string }[] = [];
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '') return;
    try {
      keys.push(parseKey(line));
    } catch (error) {
      problems.push({ line: i + 1, reason: (error as Error).message });
    }
  });
  return { keys, problems };
}

/** Decodes strict base64 (padding optional) of an exact length. Errors: `key-invalid`. The text is not repeated. */
export function decodeBase64(text: string, length: number | undefined, what: string): Buffer {
  const bytes = Buffer.from(text.trim(), 'base64');
  const isExact = bytes.toString('base64').replaceAll('=', '') === text.trim().replaceAll('=', '');
  if (!isExact || bytes.length === 0) throw new HacktreeError('key-invalid', `Invalid ${what}: not base64`);
  if (length !== undefined && bytes.length !== length) {
    throw new HacktreeError('key-invalid', `Invalid ${what}: ${bytes.length} bytes, expected ${length}`, {
      details: { expected: length, found: bytes.length },
    });
  }
  return bytes;
}
