/**
 * The order in which GLib's hash table hands out its string keys.
 *
 * A commit made with --bootable passes its metadata through such a table, so its order, and with it the commit's
 * checksum, is that of the slots. Rules: hash 5381, h = h * 33 + c (signed bytes, 32 bits; 0 and 1 become 2); slot =
 * (h * 11) mod prime; quadratic-like probing by 1, 2, 3 ...; growth when size <= n + n / 16, rehashing in place.
 *
 * Source: ostree-format 1.3.
 */
import { HacktreeError } from '../core/index.ts';

const PRIMES = [
  1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287, 1048573,
];
const MIN_SHIFT = 3;

interface Slot {
  readonly key: string;
  readonly hash: number;
  readonly value: unknown;
}

function hashOf(key: string): number {
  let h = 5381;
  for (const byte of Buffer.from(key)) h = (Math.imul(h, 33) + ((byte << 24) >> 24)) | 0;
  return Math.max(h >>> 0, 2);
}

function firstSlot(hash: number, shift: number): number {
  const prime = PRIMES[shift];
  if (prime === undefined) throw new HacktreeError('internal', 'Too many metadata keys');
  return (Math.imul(hash, 11) >>> 0) % prime;
}

class HashTable {
  #shift = MIN_SHIFT;
  #slots: (Slot | undefined)[] = new Array(8).fill(undefined);
  #count = 0;

  insert(key: string, value: unknown): void {
    const hash = hashOf(key);
    let at = firstSlot(hash, this.#shift);
    for (let step = 1; this.#slots[at] !== undefined && this.#slots[at]?.key !== key; step++) {
      at = (at + step) & (this.#slots.length - 1);
    }
    const isNew = this.#slots[at] === undefined;
    this.#slots[at] = { key, hash, value };
    if (!isNew) return;
    this.#count++;
    if (this.#slots.length <= this.#count + Math.floor(this.#count / 16)) this.#grow();
  }

  #grow(): void {
    const old = this.#slots.length;
    this.#shift = Math.max(MIN_SHIFT, 32 - Math.clz32(Math.floor(this.#count * 1.333)));
    const size = 2 ** this.#shift;
    while (this.#slots.length < size) this.#slots.push(undefined);
    const settled = new Array<boolean>(size).fill(false);
    for (let i = 0; i < old; i++) {
      if (settled[i] || this.#slots[i] === undefined) continue;
      let moving = this.#slots[i];
      this.#slots[i] = undefined;
      while (moving !== undefined) {
        let at = firstSlot(moving.hash, this.#shift);
        for (let step = 1; settled[at]; step++) at = (at + step) & (size - 1);
        settled[at] = true;
        const evicted: Slot | undefined = this.#slots[at];
        this.#slots[at] = moving;
        moving = evicted;
      }
    }
  }

  entries(): Slot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }
}

/** Reorders a dictionary as GLib's GVariantDict would write it; a later duplicate key replaces the earlier value. */
export function inHashOrder<V>(pairs: readonly (readonly [string, V])[]): (readonly [string, V])[] {
  const table = new HashTable();
  for (const [key, value] of pairs) table.insert(key, value);
  return table.entries().map(({ key, value }) => [key, value as V] as const);
}
