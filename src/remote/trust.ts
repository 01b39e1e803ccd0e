/**
 * What a remote's configuration demands of signatures, and whether a commit or summary meets it.
 *
 * GPG keys: the remote's own keyring, the files and directories of `gpgkeypath`, and, only where it has neither, the
 * system's. Keys of other kinds: `verification-TYPE-key` and `-file`, else the system's lists. One good signature of each
 * scheme that is asked for is enough; everything else is refused with the key's ID and the remote's name.
 *
 * Source: ostree-format 5.5, 6.1, 8, 9.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, HacktreeError, wrapSystemError } from '../core/index.ts';
import type { Dict } from '../format/index.ts';
import type { Repo } from '../repo/index.ts';
import {
  checkDummy,
  checkEd25519,
  checkGpg,
  checkSpki,
  type KeyBlock,
  keyDirectoryNames,
  listSignatures,
  parseEd25519PublicKey,
  parseKeyList,
  parseSpkiPublicKey,
  readKeyring,
  requireGoodSignature,
  type SignatureVerdict,
} from '../sign/index.ts';
import { keyringFile, type RemoteConfig, type SignVerify } from './remotes.ts';

export interface TrustOptions {
  /** Seconds since 1970 UTC. Default: now. */
  readonly nowSec?: number;
  /** Whether OSTREE_DUMMY_SIGN_ENABLED is 1. */
  readonly dummyEnabled?: boolean;
  /** Directories of keyrings for remotes without keys of their own. Default: the system's. */
  readonly gpgKeyringDirs?: readonly string[];
  /** Directories with `trusted.ed25519` and so on. Default: the system's. */
  readonly signKeyDirs?: readonly string[];
}

const SYSTEM_KEYRING_DIRS = ['/usr/share/ostree/trusted.gpg.d'];
const SYSTEM_SIGN_DIRS = ['/etc/ostree', '/usr/share/ostree'];
const SIGN_TYPES = ['ed25519', 'spki', 'dummy'] as const;
type SignType = (typeof SIGN_TYPES)[number];

export class Trust {
  readonly #repo: Repo;
  readonly #remote: RemoteConfig;
  readonly #options: TrustOptions;
  #keyring: readonly KeyBlock[] | undefined;

  constructor(repo: Repo, remote: RemoteConfig, options: TrustOptions = {}) {
    this.#repo = repo;
    this.#remote = remote;
    this.#options = options;
  }

  /** Tells whether summaries must be signed. */
  get needsSignedSummary(): boolean {
    return this.#remote.gpgVerifySummary || this.#remote.signVerifySummary !== false;
  }

  /** Errors: `signature-missing`, `signature-invalid`, `key-invalid`. */
  async checkCommit(checksum: Checksum, bytes: Uint8Array, detached: Dict): Promise<SignatureVerdict[]> {
    return this.#check(`Commit ${checksum}`, bytes, detached, this.#remote.gpgVerify, this.#remote.signVerify);
  }

  /** Errors: `signature-missing`, `signature-invalid`, `key-invalid`. */
  async checkSummary(bytes: Uint8Array, signatures: Dict): Promise<SignatureVerdict[]> {
    return this.#check('Summary', bytes, signatures, this.#remote.gpgVerifySummary, this.#remote.signVerifySummary);
  }

  async #check(what: string, bytes: Uint8Array, dict: Dict, gpg: boolean, sign: SignVerify): Promise<SignatureVerdict[]> {
    const nowSec = this.#options.nowSec ?? Math.floor(Date.now() / 1000);
    const context = { what, remote: this.#remote.name, nowSec };
    const found: SignatureVerdict[] = [];
    if (gpg) {
      const verdicts = await checkGpg(bytes, listSignatures(dict, 'gpg'), { keys: this.#gpgKeys(), nowSec });
      requireGoodSignature(verdicts, { ...context, missing: 'GPG verification enabled, but no signatures found' });
      found.push(...verdicts);
    }
    if (sign !== false) {
      const verdicts = this.#wantedTypes(sign).flatMap((type) => this.#checkType(type, bytes, dict));
      requireGoodSignature(verdicts, { ...context, missing: 'signature verification enabled, but no signatures found' });
      found.push(...verdicts);
    }
    return found;
  }

  #wantedTypes(sign: SignVerify): readonly SignType[] {
    if (sign === 'all' || sign === false) return SIGN_TYPES;
    const unknown = sign.find((type) => !(SIGN_TYPES as readonly string[]).includes(type));
    if (unknown === undefined) return sign as readonly SignType[];
    throw new HacktreeError('remote-config', `Remote '${this.#remote.name}': unknown signature type '${unknown}'`, {
      details: { expected: SIGN_TYPES.join(', '), found: unknown },
    });
  }

  #checkType(type: SignType, bytes: Uint8Array, dict: Dict): SignatureVerdict[] {
    const signatures = listSignatures(dict, type);
    if (signatures.length === 0) return [];
    if (type === 'dummy') {
      const keys = this.#keyTexts(type);
      return checkDummy(signatures, keys, { enabled: this.#options.dummyEnabled === true });
    }
    const parse = type === 'ed25519' ? parseEd25519PublicKey : parseSpkiPublicKey;
    const own = this.#keyTexts(type);
    const trusted = own.length > 0 ? own : this.#systemKeys(type, 'trusted');
    const revoked = this.#systemKeys(type, 'revoked');
    const keys = { trusted: parseAll(trusted, parse), revoked: parseAll(revoked, parse) };
    return type === 'ed25519' ? checkEd25519(bytes, signatures, keys) : checkSpki(bytes, signatures, keys);
  }

  /** Keys that the remote names itself, as text. */
  #keyTexts(type: SignType): string[] {
    const inline = this.#remote.get(`verification-${type}-key`);
    const file = this.#remote.get(`verification-${type}-file`);
    return [...(inline === undefined ? [] : [inline]), ...(file === undefined ? [] : readText(file).split('\n'))];
  }

  #systemKeys(type: 'ed25519' | 'spki', list: 'trusted' | 'revoked'): string[] {
    const [file, directory] = keyDirectoryNames(type)[list];
    return (this.#options.signKeyDirs ?? SYSTEM_SIGN_DIRS).flatMap((dir) =>
      [join(dir, file), ...filesIn(join(dir, directory))].filter(fs.existsSync).flatMap((path) => readText(path).split('\n')),
    );
  }

  #gpgKeys(): readonly KeyBlock[] {
    if (this.#keyring !== undefined) return this.#keyring;
    const own = keyringFile(this.#repo, this.#remote.name);
    const files = [...(fs.existsSync(own) ? [own] : []), ...this.#remote.gpgKeyPaths.flatMap(filesAt)];
    const paths = files.length > 0 ? files : (this.#options.gpgKeyringDirs ?? SYSTEM_KEYRING_DIRS).flatMap(keyringsIn);
    this.#keyring = paths.flatMap((path) => readKeyring(readBytes(path)));
    return this.#keyring;
  }
}

function parseAll(texts: readonly string[], parse: (line: string) => Buffer): Buffer[] {
  return texts.flatMap((text) => parseKeyList(text, parse).keys);
}

function filesAt(path: string): string[] {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? keyringsIn(path) : [path];
}

const keyringsIn = (dir: string): string[] => filesIn(dir).filter((path) => /\.(gpg|asc|pgp|key|kbx)$/.test(path));

function filesIn(dir: string): string[] {
  if (!fs.existsSync(dir)) return [];
  const names = fs.readdirSync(dir).filter((name) => !name.startsWith('.'));
  return names.sort().map((name) => join(dir, name));
}

function readBytes(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw wrapSystemError(error, 'Reading key file', path);
  }
}

const readText = (path: string): string => readBytes(path).toString('utf8');
