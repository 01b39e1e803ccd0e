/** The kinds of signatures besides GPG's, by the names that options and remotes give them. Source: ostree-format 5.5. */
import { HacktreeError } from '../core/index.ts';

export const SIGN_TYPES = ['ed25519', 'spki', 'dummy'] as const;
export type SignType = (typeof SIGN_TYPES)[number];

/** Reads the name of a kind of signature; default ed25519. Errors: `not-supported`. */
export function parseSignType(text = 'ed25519'): SignType {
  const type = SIGN_TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  throw new HacktreeError('not-supported', 'Requested signature type is not implemented', {
    details: { expected: SIGN_TYPES.join(', '), found: text },
  });
}
