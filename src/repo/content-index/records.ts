/**
 * Records of the content index in memory: collecting them as rows of 64 bytes, and sorting them quickly.
 *
 * Sorting goes by one number per row, its first 32 bits and its position, in a typed array (the engine sorts those
 * without callbacks); the few rows that share 32 bits are put right afterwards.
 */
import type { Checksum, ContentDigest } from '../../core/index.ts';
import { KEY_BYTES, RECORD_BYTES } from './layout.ts';

/** Positions must fit in the low bits of a 53-bit number beside 32 bits of the row. */
const MAX_ROWS = 2 ** 21;
const FIRST_ROWS = 1024;
const RECORD_WORDS = RECORD_BYTES / 4;

/** Rows in order of arrival, in one growing buffer. */
export class ContentRecords {
  #rows = Buffer.allocUnsafe(FIRST_ROWS * RECORD_BYTES);
  #length = 0;

  get count(): number {
    return this.#length / RECORD_BYTES;
  }

  /** The rows so far; valid until the next add. */
  get bytes(): Buffer {
    return this.#rows.subarray(0, this.#length);
  }

  add(digest: ContentDigest, object: Checksum): void {
    this.#reserve(RECORD_BYTES);
    this.#rows.write(digest, this.#length, KEY_BYTES, 'hex');
    this.#rows.write(object, this.#length + KEY_BYTES, KEY_BYTES, 'hex');
    this.#length += RECORD_BYTES;
  }

  /** Appends whole rows, for example those that another thread collected. */
  addRows(rows: Uint8Array): void {
    this.#reserve(rows.length);
    this.#rows.set(rows, this.#length);
    this.#length += rows.length;
  }

  /** Forgets all rows and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#rows.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#rows.length * 2, this.#length + bytes));
    this.#rows.copy(grown, 0, 0, this.#length);
    this.#rows = grown;
  }
}

/** Compares two rows, in any two buffers. */
export function compareRows(a: Buffer, aStart: number, b: Buffer, bStart: number): number {
  return a.compare(b, bStart, bStart + RECORD_BYTES, aStart, aStart + RECORD_BYTES);
}

/** Returns the rows sorted bytewise, each once. At most 2^21 rows. */
export function sortRows(rows: Buffer): Buffer {
  const count = rows.length / RECORD_BYTES;
  if (count > MAX_ROWS) throw new RangeError(`${count} rows, expected at most ${MAX_ROWS}`);
  const from = wordsOf(rows);
  const to = new Int32Array(from.length);
  let end = 0;
  for (const position of sortedPositions(rows, count)) {
    const start = position * RECORD_WORDS;
    for (let i = 0; i < RECORD_WORDS; i++) to[end + i] = from[start + i] as number;
    if (end === 0 || !equalsPrevious(to, end)) end += RECORD_WORDS;
  }
  return Buffer.from(to.buffer, 0, end * 4);
}

/** The rows as 32-bit words: copying them one by one beats a call into the engine for each row. */
function wordsOf(rows: Buffer): Int32Array {
  const aligned = rows.byteOffset % 4 === 0 ? rows : Buffer.from(new Uint8Array(rows).buffer);
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

function equalsPrevious(words: Int32Array, at: number): boolean {
  for (let i = 0; i < RECORD_WORDS; i++) if (words[at + i] !== words[at + i - RECORD_WORDS]) return false;
  return true;
}

function sortedPositions(rows: Buffer, count: number): Float64Array {
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = rows.readUInt32BE(i * RECORD_BYTES) * MAX_ROWS + i;
  keys.sort();
  let start = 0;
  let prefix = -1;
  for (let i = 0; i <= count; i++) {
    const key = i < count ? (keys[i] as number) : Number.POSITIVE_INFINITY;
    if (key < (prefix + 1) * MAX_ROWS) {
      keys[i] = key - prefix * MAX_ROWS;
      continue;
    }
    if (i - start > 1) {
      keys.subarray(start, i).sort((a, b) => compareRows(rows, a * RECORD_BYTES, rows, b * RECORD_BYTES));
    }
    if (i === count) break;
    start = i;
    prefix = Math.floor(key / MAX_ROWS);
    keys[i] = key - prefix * MAX_ROWS;
  }
  return keys;
}
