/**
 * Keys of the kinds other than GPG, from where commands and remotes name them: as text, in files, in directories.
 *
 * Keys that are named replace the system's lists; what those lists revoke stays revoked.
 *
 * Source: ostree-format 5.5, 8 (`verification-TYPE-key`, `verification-TYPE-file`); ostree-cli A.1 (`sign`).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { wrapSystemError } from '../core/index.ts';
import type { Dict } from '../format/index.ts';
import {
  checkDummy,
  checkEd25519,
  checkSpki,
  keyDirectoryNames,
  listSignatures,
  parseEd25519PublicKey,
  parseKeyList,
  parseSpkiPublicKey,
  type SignatureVerdict,
  type SignType,
} from '../sign/index.ts';
import type { RemoteConfig } from './remotes.ts';

const SYSTEM_SIGN_DIRS = ['/etc/ostree', '/usr/share/ostree'];

/** Public keys to check with. */
export interface KeySources {
  readonly keys?: readonly string[];
  readonly files?: readonly string[];
  /** Directories with `trusted.TYPE`, `revoked.TYPE` and so on. Default: the system's. */
  readonly dirs?: readonly string[] | undefined;
  /** Whether OSTREE_DUMMY_SIGN_ENABLED is 1. */
  readonly dummyEnabled?: boolean | undefined;
}

/** The keys that a remote's configuration names. */
export function remoteKeySources({ get }: Pick<RemoteConfig, 'get'>, type: SignType): KeySources {
  const inline = get(`verification-${type}-key`);
  const file = get(`verification-${type}-file`);
  return { keys: inline === undefined ? [] : [inline], files: file === undefined ? [] : [file] };
}

/** Checks all signatures of a kind in a dictionary. Errors: `format-invalid`, `path-not-found` (a key file). */
export function checkKeySignatures(type: SignType, signed: Uint8Array, dict: Dict, sources: KeySources): SignatureVerdict[] {
  const signatures = listSignatures(dict, type);
  if (signatures.length === 0) return [];
  const named = [...(sources.keys ?? []), ...(sources.files ?? []).flatMap((path) => linesOf(path))];
  if (type === 'dummy') return checkDummy(signatures, named, { enabled: sources.dummyEnabled === true });
  const parse = type === 'ed25519' ? parseEd25519PublicKey : parseSpkiPublicKey;
  const trusted = named.length > 0 ? named : keysInDirs(type, 'trusted', sources.dirs);
  const revoked = keysInDirs(type, 'revoked', sources.dirs);
  const keys = { trusted: parseAll(trusted, parse), revoked: parseAll(revoked, parse) };
  return type === 'ed25519' ? checkEd25519(signed, signatures, keys) : checkSpki(signed, signatures, keys);
}

/** Lines of a key that is no key are passed over: another one may still fit. */
function parseAll(texts: readonly string[], parse: (line: string) => Buffer): Buffer[] {
  return texts.flatMap((text) => parseKeyList(text, parse).keys);
}

function keysInDirs(type: 'ed25519' | 'spki', list: 'trusted' | 'revoked', dirs: readonly string[] = SYSTEM_SIGN_DIRS): string[] {
  const [file, directory] = keyDirectoryNames(type)[list];
  return dirs.flatMap((dir) => [join(dir, file), ...filesIn(join(dir, directory))].filter(fs.existsSync).flatMap(linesOf));
}

/** Paths of the visible files of a directory, sorted; none when it is not there. */
export function filesIn(dir: string): string[] {
  if (!fs.existsSync(dir)) return [];
  const names = fs.readdirSync(dir).filter((name) => !name.startsWith('.'));
  return names.sort().map((name) => join(dir, name));
}

/** Reads a file of keys. Errors: `path-not-found`, `permission`, `io`. */
export function readKeyFile(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw wrapSystemError(error, 'Reading key file', path);
  }
}

const linesOf = (path: string): string[] => readKeyFile(path).toString('utf8').split('\n');
