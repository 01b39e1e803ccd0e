/** From options to a signer. */
import type { Context } from './context.ts';
import type { Signer, SigningRequest } from './signer.ts';

/** Opens a signer where a key is given; only then its code, OpenPGP above all, is loaded. Errors: as openSigner. */
export async function readSigner(context: Context, keys: Omit<SigningRequest, 'dummyEnabled'>): Promise<Signer | undefined> {
  const given = [keys.gpgKeys, keys.keys, keys.keyFiles].flatMap((list) => list ?? []);
  if (given.length === 0) return undefined;
  const { openSigner } = await import('./signer.ts');
  return openSigner({ ...keys, dummyEnabled: context.environment.dummyEnabled });
}
