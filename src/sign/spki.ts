/**
 * Signatures with any key that OpenSSL signs with in one step (Ed25519, Ed448, ECDSA, RSA).
 *
 * Public keys are DER SubjectPublicKeyInfo, given as base64 or PEM; secret keys PEM. The digest is the key's default.
 *
 * Source: ostree-format 5.5 (`ostree.sign.spki`).
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { HacktreeError } from '../core/index.ts';
import { checkWithKeys, type TrustedKeys } from './ed25519.ts';
import { decodeBase64 } from './key-list.ts';
import type { SignatureVerdict } from './verdict.ts';

/** Parses a public key, base64 of DER or PEM text, to DER. Errors: `key-invalid`. */
export function parseSpkiPublicKey(text: string): Buffer {
  const isPem = text.includes('-----BEGIN');
  try {
    const key = isPem
      ? createPublicKey(text)
      : createPublicKey({ key: decodeBase64(text, undefined, 'spki public key'), format: 'der', type: 'spki' });
    return key.export({ format: 'der', type: 'spki' });
  } catch (cause) {
    throw new HacktreeError('key-invalid', 'Invalid spki public key: neither base64 of SubjectPublicKeyInfo nor PEM', { cause });
  }
}

/** Signs bytes with a secret key in PEM. Errors: `key-invalid`. */
export function signSpki(pem: string, signed: Uint8Array): Buffer {
  try {
    return sign(null, signed, createPrivateKey(pem));
  } catch (cause) {
    throw new HacktreeError('key-invalid', 'Invalid spki secret key: not a PEM key that can sign', { cause });
  }
}

/** Tells whether a signature over the bytes fits a public key in DER. */
export function verifySpki(publicKey: Uint8Array, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return verify(null, signed, key, signature);
  } catch {
    return false;
  }
}

/** Checks every signature against the keys, in the order of the signatures. */
export function checkSpki(signed: Uint8Array, signatures: readonly Uint8Array[], keys: TrustedKeys): SignatureVerdict[] {
  return checkWithKeys('spki', signatures, keys, (key, signature) => verifySpki(key, signed, signature));
}
