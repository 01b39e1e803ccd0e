/**
 * What a remote's configuration demands of signatures, and whether a commit or summary meets it.
 *
 * GPG keys: the remote's own keyring, the files and directories of `gpgkeypath`, and, only where it has neither, the
 * system's. Keys of other kinds: `verification-TYPE-key` and `-file`, else the system's lists. One good signature of each
 * scheme that is asked for is enough; everything else is refused with the key's ID and the remote's name.
 *
 * Source: ostree-format 5.5, 6.1, 8, 9.
 */
import { type Checksum, HacktreeError } from '../core/index.ts';
import type { Dict } from '../format/index.ts';
import type { Repo } from '../repo/index.ts';
import {
  checkGpg,
  type KeyBlock,
  listSignatures,
  requireGoodSignature,
  SIGN_TYPES,
  type SignatureVerdict,
  type SignType,
} from '../sign/index.ts';
import { remoteGpgKeys } from './gpg-keys.ts';
import type { RemoteConfig, SignVerify } from './remotes.ts';
import { checkKeySignatures, remoteKeySources } from './sign-keys.ts';

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

  /** A delta's signatures matter where the repository or the remote says so. Errors: `signature-missing`, `signature-invalid`. */
  checkDelta(what: string, bytes: Uint8Array, signatures: Dict): void {
    if (!this.#repo.config.signVerifyDeltas && !this.#remote.signVerifyDeltas) return;
    const { signVerify, name } = this.#remote;
    const verdicts = this.#wantedTypes(signVerify).flatMap((type) => this.#checkType(type, bytes, signatures));
    const missing = 'signatures of static deltas are required, but none found';
    requireGoodSignature(verdicts, { what, remote: name, nowSec: 0, missing });
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
    const { signKeyDirs, dummyEnabled } = this.#options;
    return checkKeySignatures(type, bytes, dict, { ...remoteKeySources(this.#remote, type), dirs: signKeyDirs, dummyEnabled });
  }

  #gpgKeys(): readonly KeyBlock[] {
    this.#keyring ??= remoteGpgKeys(this.#repo, this.#remote, this.#options.gpgKeyringDirs);
    return this.#keyring;
  }
}
