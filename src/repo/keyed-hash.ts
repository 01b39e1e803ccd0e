/** A hash of 32 bytes for tables in memory, keyed: checksums and digests that come from elsewhere can be chosen, so that they would collide. */
import { nodeCrypto } from '../core/index.ts';

export const KEY_WORDS = 8;

export class KeyedHash {
  readonly #salt = new Int32Array(KEY_WORDS).map(() => nodeCrypto().randomBytes(4).readInt32LE() | 1);

  /** Hashes eight words to 32 bits, unsigned. */
  of(words: Int32Array, start: number): number {
    let hash = 0;
    for (let i = 0; i < KEY_WORDS; i++) hash = (hash + Math.imul(words[start + i] as number, this.#salt[i] as number)) | 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) >>> 0;
  }
}
