/**
 * Verdicts: what is known about one signature after checking it, the same shape for every kind of key.
 *
 * The text is the block that `ostree show` prints for GPG signatures; the data go into `--json` as they are. Times are
 * printed in UTC, so that output depends on the data alone. Whether a set of verdicts is enough is decided here too:
 * one good signature by a key of the keyring.
 */
import { HacktreeError } from '../core/index.ts';
import type { SignType } from './sign-type.ts';

export type SignatureKind = 'gpg' | SignType;

/**
 * - `good`: right, by a usable trusted key.
 * - `bad`: the bytes do not match, or the signature cannot be understood.
 * - `expired`, `key-expired`, `key-revoked`: right, but by now not to be trusted.
 * - `key-missing`: no key of the keyring made it.
 * - `weak`: key or digest is too weak to prove anything.
 */
export type SignatureStatus = 'good' | 'bad' | 'expired' | 'key-expired' | 'key-revoked' | 'key-missing' | 'weak';

export interface SignatureVerdict {
  readonly kind: SignatureKind;
  readonly status: SignatureStatus;
  /** What names the key in messages: 16 hex characters for GPG, the public key for the others; empty when unknown. */
  readonly keyId: string;
  /** Of the signing key or subkey, upper-case hex. GPG only; known when the key is. */
  readonly fingerprint?: string;
  readonly primaryFingerprint?: string;
  /** `RSA`, `DSA`, `ECDSA`, `EdDSA`. */
  readonly keyAlgorithm?: string;
  readonly userName?: string;
  readonly userEmail?: string;
  /** Seconds since 1970 UTC. */
  readonly createdSec?: number;
  readonly expiresSec?: number;
  readonly keyExpiresSec?: number;
  readonly primaryKeyExpiresSec?: number;
  /** Why it is not good, for people. */
  readonly reason?: string;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** GLib pads the day of the month with a figure space, so that is what scripts see. */
const FIGURE_SPACE = '\u2007';

/** Prints a time in UTC: `Wed Jan 10 00:00:00 2020`. */
export function printSignatureTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = String(date.getUTCDate()).padStart(2, FIGURE_SPACE);
  const clock = date.toISOString().slice(11, 19);
  return `${WEEKDAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${clock} ${date.getUTCFullYear()}`;
}

/** Prints the block of `show`: `Found N signature(s):`, then each one after an empty line, indented by two. */
export function printVerdicts(verdicts: readonly SignatureVerdict[], nowSec: number): string {
  const count = verdicts.length;
  const blocks = verdicts.map((verdict) => printVerdict(verdict, nowSec).map((line) => `  ${line}\n`));
  return [`Found ${count} signature${count === 1 ? '' : 's'}:\n`, ...blocks.map((lines) => `\n${lines.join('')}`)].join('');
}

/** Prints one verdict as lines without indentation. */
export function printVerdict(verdict: SignatureVerdict, nowSec: number): string[] {
  if (verdict.kind !== 'gpg') return [printKeyVerdict(verdict)];
  if (verdict.keyId === '') return [`Can't check signature: ${verdict.reason}`];
  const lines = [
    `Signature made ${printSignatureTime(verdict.createdSec ?? 0)} using ${verdict.keyAlgorithm ?? '[unknown name]'} key ID ${verdict.keyId}`,
    printStatus(verdict),
  ];
  const { primaryFingerprint: primary, fingerprint } = verdict;
  if (verdict.status === 'key-missing') return lines;
  if (primary !== undefined && primary !== fingerprint) lines.push(`Primary key ID ${primary.slice(-16)}`);
  const expiry = (label: string, seconds: number | undefined, expired: boolean): void => {
    if (seconds === undefined) return;
    lines.push(`${label} ${expired || seconds <= nowSec ? 'expired' : 'expires'} ${printSignatureTime(seconds)}`);
  };
  const keyExpired = verdict.status === 'key-expired';
  expiry('Signature', verdict.expiresSec, verdict.status === 'expired');
  expiry('Key', verdict.keyExpiresSec, keyExpired);
  expiry('Primary key', verdict.primaryKeyExpiresSec, keyExpired);
  return lines;
}

function printStatus(verdict: SignatureVerdict): string {
  const who = `"${verdict.userName ?? ''}${verdict.userEmail === undefined ? '' : ` <${verdict.userEmail}>`}"`;
  switch (verdict.status) {
    case 'good':
      return `Good signature from ${who}`;
    case 'expired':
      return `Expired signature from ${who}`;
    case 'key-revoked':
      return 'Key revoked';
    case 'key-missing':
      return "Can't check signature: public key not found";
    case 'weak':
      return `Can't check signature: ${verdict.reason ?? 'too weak'}`;
    default:
      return `BAD signature from ${who}`;
  }
}

function printKeyVerdict({ kind, status, keyId }: SignatureVerdict): string {
  const who = keyId === '' ? '' : ` with key '${keyId}'`;
  if (status === 'good') return kind === 'dummy' ? 'dummy: Signature verified' : `${kind}: Signature verified successfully${who}`;
  if (status === 'key-revoked') return `${kind}: Signature made${who}, which is revoked`;
  return `${kind}: Signature couldn't be verified with any trusted key`;
}

/** Tells whether one signature is good. */
export function hasGoodSignature(verdicts: readonly SignatureVerdict[]): boolean {
  return verdicts.some(({ status }) => status === 'good');
}

export interface TrustContext {
  /** What is signed, for messages: `Commit 1234...`, `Summary`. */
  readonly what: string;
  readonly remote?: string;
  readonly nowSec: number;
  /** Says that there is none at all, in the words that fit the remote's settings. */
  readonly missing?: string;
}

/**
 * Lets pass what carries a good signature. Errors: `signature-missing` when there is none at all, `signature-invalid`
 * when none is good; both name the remote, the latter each key ID and what is wrong with it.
 */
export function requireGoodSignature(verdicts: readonly SignatureVerdict[], context: TrustContext): void {
  if (hasGoodSignature(verdicts)) return;
  const { what, remote, nowSec, missing = 'no signatures found, but one is required' } = context;
  const from = remote === undefined ? '' : ` of remote '${remote}'`;
  const details = { ...(remote === undefined ? {} : { remote }), keyIds: verdicts.map(({ keyId }) => keyId) };
  if (verdicts.length === 0) {
    throw new HacktreeError('signature-missing', `${what}${from}: ${missing}`, { details });
  }
  const problems = verdicts.map((verdict) => printVerdict(verdict, nowSec).join('\n'));
  const isUnknown = verdicts.every(({ status }) => status === 'key-missing');
  throw new HacktreeError('signature-invalid', `${what}${from}: ${problems.join('\n')}`, {
    details,
    hints: isUnknown && remote !== undefined ? [`trust a key with: hacktree remote gpg-import ${remote} --keyring=FILE`] : [],
  });
}
