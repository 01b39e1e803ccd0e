/**
 * The `dummy` signature of ostree's tests: the signature is the key itself, so it proves nothing.
 *
 * It works only when the caller says that OSTREE_DUMMY_SIGN_ENABLED=1 is set.
 *
 * Source: ostree-format 5.5 (`ostree.sign.dummy`).
 */
import { asBuffer, HacktreeError, utf8 } from '../core/index.ts';
import type { SignatureVerdict } from './verdict.ts';

export interface DummyOptions {
  /** Whether OSTREE_DUMMY_SIGN_ENABLED is 1. */
  readonly enabled: boolean;
}

/** Gives the signature of a key. Errors: `not-supported` unless enabled. */
export function signDummy(key: string, { enabled }: DummyOptions): Buffer {
  if (!enabled) {
    throw new HacktreeError('not-supported', 'dummy signature type is only for ostree testing', {
      hints: ['set OSTREE_DUMMY_SIGN_ENABLED=1 to allow it in a test'],
    });
  }
  return utf8(key);
}

/** Checks signatures against keys; none is good unless enabled. */
export function checkDummy(
  signatures: readonly Uint8Array[],
  keys: readonly string[],
  { enabled }: DummyOptions,
): SignatureVerdict[] {
  return signatures.map((signature) => {
    const key = enabled ? keys.find((candidate) => utf8(candidate).equals(asBuffer(signature))) : undefined;
    return key === undefined
      ? { kind: 'dummy', status: 'key-missing', keyId: '' }
      : { kind: 'dummy', status: 'good', keyId: key };
  });
}
