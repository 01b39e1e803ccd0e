/**
 * Finds rows of bytes by a key of 32 bytes that each has at the same place: a hash table over a buffer, without a JavaScript object
 * for each row.
 */
import { KEY_WORDS, KeyedHash } from './keyed-hash.ts';

/** Where the keys are. */
export interface KeyedRows {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly rowBytes: number;
  /** Of the key in a row. */
  readonly keyOffset: number;
}

const KEY_BYTES = KEY_WORDS * 4;

export class RowTable {
  readonly #rows: KeyedRows;
  /** First row of a chain + 1; 0 where there is none. */
  readonly #heads: Int32Array;
  /** The next row of the chain + 1. */
  readonly #next: Int32Array;
  readonly #hash = new KeyedHash();
  readonly #key = new Int32Array(KEY_WORDS);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  /** Takes all rows that `isWanted`; the bytes must stay as they are. */
  constructor(rows: KeyedRows, isWanted: (row: number) => boolean = () => true) {
    this.#rows = rows;
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, rows.count * 2))));
    this.#next = new Int32Array(rows.count);
    for (let row = rows.count - 1; row >= 0; row--) {
      if (!isWanted(row)) continue;
      const head = this.#headOf(rows.bytes, this.#keyOf(row));
      this.#next[row] = this.#heads[head] as number;
      this.#heads[head] = row + 1;
    }
  }

  /** Calls back with each row whose key is at a position of a buffer, from the first on. */
  find(bytes: Uint8Array, at: number, found: (row: number) => void): void {
    const { bytes: own } = this.#rows;
    for (let next = this.#heads[this.#headOf(bytes, at)] as number; next !== 0; next = this.#next[next - 1] as number)
      if (isSame(own, this.#keyOf(next - 1), bytes, at)) found(next - 1);
  }

  #keyOf(row: number): number {
    return row * this.#rows.rowBytes + this.#rows.keyOffset;
  }

  #headOf(bytes: Uint8Array, at: number): number {
    for (let i = 0; i < KEY_BYTES; i++) this.#keyBytes[i] = bytes[at + i] as number;
    return this.#hash.of(this.#key, 0) & (this.#heads.length - 1);
  }
}

/** A plain loop: a call into the engine for 32 bytes costs more. */
function isSame(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean {
  for (let i = 0; i < KEY_BYTES; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
