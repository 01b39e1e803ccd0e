/**
 * Signatures inside dictionaries: `commitmeta`, `summary.sig` and signed deltas keep one list (`aay`) per kind.
 *
 * A changed dictionary comes back in the order of GLib's hash table, as every writer of these files leaves it.
 *
 * Source: ostree-format 1.3, 5.5, 9 (`summary.sig`), 10.2.
 */
import { HacktreeError } from '../core/index.ts';
import { type Dict, inHashOrder, lookup } from '../format/index.ts';
import type { SignatureKind } from './verdict.ts';

export const SIGNATURE_KEYS: Readonly<Record<SignatureKind, string>> = {
  gpg: 'ostree.gpgsigs',
  ed25519: 'ostree.sign.ed25519',
  spki: 'ostree.sign.spki',
  dummy: 'ostree.sign.dummy',
};

const TYPE = 'aay';

/** Lists the signatures of a kind, in the order they were made. Errors: `format-invalid` when the value has another type. */
export function listSignatures(dict: Dict, kind: SignatureKind): readonly Uint8Array[] {
  const key = SIGNATURE_KEYS[kind];
  const variant = lookup(dict, key);
  if (variant === undefined) return [];
  if (variant.type === TYPE) return variant.value as readonly Uint8Array[];
  throw new HacktreeError('format-invalid', `Metadata key '${key}' has type ${variant.type}, expected ${TYPE}`, {
    details: { expected: TYPE, found: variant.type },
  });
}

/** Appends signatures of a kind. Errors: as listSignatures. */
export function addSignatures(dict: Dict, kind: SignatureKind, signatures: readonly Uint8Array[]): Dict {
  return setSignatures(dict, kind, [...listSignatures(dict, kind), ...signatures]);
}

/** Puts a list in place of the present one; an empty list removes the key. */
export function setSignatures(dict: Dict, kind: SignatureKind, signatures: readonly Uint8Array[]): Dict {
  const key = SIGNATURE_KEYS[kind];
  if (signatures.length === 0) return inHashOrder(dict.filter(([name]) => name !== key));
  return inHashOrder([...dict, [key, { type: TYPE, value: signatures }]]);
}
