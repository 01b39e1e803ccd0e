/** Key pairs in the forms that ostree writes them in. */
import { generateKeyPairSync } from 'node:crypto';

export interface Ed25519Keys {
  /** Base64 of seed and public key. */
  readonly secret: string;
  /** Base64 of the public key. */
  readonly public: string;
}

export function makeEd25519Keys(): Ed25519Keys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return { secret: Buffer.concat([seed, raw]).toString('base64'), public: raw.toString('base64') };
}
