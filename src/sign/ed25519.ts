/**
 * Ed25519 signatures with keys in the forms that ostree uses.
 *
 * Secret key: base64 of 64 bytes, seed then public key. Public key: base64 of 32 bytes. Signature: 64 bytes over the
 * signed bytes themselves. The arithmetic is node:crypto's, which takes keys in DER; the two prefixes below are the
 * constant parts of PKCS #8 and SubjectPublicKeyInfo.
 *
 * Source: ostree-format 5.5; RFC 8032, RFC 8410.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { asBuffer, HacktreeError } from '../core/index.ts';
import { decodeBase64 } from './key-list.ts';
import type { SignatureVerdict } from './verdict.ts';

const SEED_BYTES = 32;
export const ED25519_PUBLIC_BYTES = 32;
export const ED25519_SECRET_BYTES = 64;
export const ED25519_SIGNATURE_BYTES = 64;

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Public keys that are trusted and those that must not be any more. */
export interface TrustedKeys {
  readonly trusted: readonly Uint8Array[];
  readonly revoked?: readonly Uint8Array[];
}

/** Parses a public key: base64 of 32 bytes. Errors: `key-invalid`. */
export function parseEd25519PublicKey(text: string): Buffer {
  return decodeBase64(text, ED25519_PUBLIC_BYTES, 'ed25519 public key');
}

/**
 * Parses a secret key: base64 of 64 bytes, seed and public key. Errors: `key-invalid`, also when the two halves do not
 * belong together.
 */
export function parseEd25519SecretKey(text: string): Buffer {
  const secret = decodeBase64(text, ED25519_SECRET_BYTES, 'ed25519 secret key');
  const publicKey = createPublicKey(privateKeyOf(secret)).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
  if (!publicKey.equals(secret.subarray(SEED_BYTES))) {
    throw new HacktreeError('key-invalid', 'Invalid ed25519 secret key: its second half is not the public key of its first');
  }
  return secret;
}

/** Gives the public key of a secret one, both in text; any other text as it is. */
export function ed25519PublicHalf(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === ED25519_SECRET_BYTES ? bytes.subarray(SEED_BYTES).toString('base64') : text;
}

/** Signs bytes with a 64-byte secret key. */
export function signEd25519(secret: Uint8Array, signed: Uint8Array): Buffer {
  return sign(null, signed, privateKeyOf(secret));
}

/** Tells whether a signature over the bytes was made with the secret half of a 32-byte public key. */
export function verifyEd25519(publicKey: Uint8Array, signed: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== ED25519_SIGNATURE_BYTES || publicKey.length !== ED25519_PUBLIC_BYTES) return false;
  return verify(null, signed, publicKeyOf(publicKey), signature);
}

/** Checks every signature against the keys, in the order of the signatures. */
export function checkEd25519(signed: Uint8Array, signatures: readonly Uint8Array[], keys: TrustedKeys): SignatureVerdict[] {
  return checkWithKeys('ed25519', signatures, keys, (key, signature) => verifyEd25519(key, signed, signature));
}

/** The common part of kinds whose keys are bare bytes: find the key that fits; a revoked one fits, but is not good. */
export function checkWithKeys(
  kind: 'ed25519' | 'spki',
  signatures: readonly Uint8Array[],
  { trusted, revoked = [] }: TrustedKeys,
  fits: (key: Uint8Array, signature: Uint8Array) => boolean,
): SignatureVerdict[] {
  const isRevoked = (key: Uint8Array): boolean => revoked.some((other) => asBuffer(other).equals(key));
  const usable = trusted.filter((key) => !isRevoked(key));
  return signatures.map((signature) => {
    const good = usable.find((key) => fits(key, signature));
    if (good !== undefined) return { kind, status: 'good', keyId: asBuffer(good).toString('hex') };
    const gone = revoked.find((key) => fits(key, signature));
    if (gone !== undefined) return { kind, status: 'key-revoked', keyId: asBuffer(gone).toString('hex') };
    return { kind, status: 'key-missing', keyId: '' };
  });
}

function privateKeyOf(secret: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_PREFIX, secret.subarray(0, SEED_BYTES)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKeyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}
