/**
 * Finds the longest stretch of a source that equals the beginning of a target's rest, by binary search in the source's
 * suffix array.
 *
 * Two shortcuts: a table by the first two bytes narrows the search, and a filter of hashed eight-byte stretches answers
 * "nowhere" for what is not in the source at all (most of compressed or new data), where a search would only find
 * matches that are too short to be of use.
 */
import { suffixArray } from './suffix-array.ts';

/** Matches shorter than this count as none. */
const GRAM_BYTES = 8;
const FILTER_BITS_PER_BYTE = 4;

export class LongestMatch {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #order: Int32Array;
  readonly #pairStarts: Int32Array;
  readonly #filter: Int32Array;
  readonly #filterShift: number;
  /** Length of the match found last. */
  length = 0;
  /** Where in the source it begins. */
  position = 0;

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = source;
    this.#target = target;
    this.#order = suffixArray(source);
    this.#pairStarts = pairStarts(source);
    const bits = Math.max(5, Math.ceil(Math.log2(source.length * FILTER_BITS_PER_BYTE + 1)));
    this.#filterShift = 32 - Math.min(bits, 31);
    this.#filter = new Int32Array(2 ** (Math.min(bits, 31) - 5));
    for (let i = 0; i + GRAM_BYTES <= source.length; i++) {
      const hash = hashGram(source, i) >>> this.#filterShift;
      (this.#filter[hash >>> 5] as number) |= 1 << (hash & 31);
    }
  }

  /** Takes the rest of the present match as the match one byte further on. */
  stepForward(): void {
    this.length--;
    this.position++;
  }

  /** Finds the longest match from a position of the target on. */
  find(at: number): void {
    this.length = 0;
    if (at + GRAM_BYTES > this.#target.length || !this.#mayMatch(at)) return;
    const pair = ((this.#target[at] as number) << 8) | (this.#target[at + 1] as number);
    const low = this.#pairStarts[pair] as number;
    const high = (this.#pairStarts[pair + 1] as number) - 1;
    if (low <= high) this.#search(at, low, high);
  }

  #mayMatch(at: number): boolean {
    const hash = hashGram(this.#target, at) >>> this.#filterShift;
    return (((this.#filter[hash >>> 5] as number) >>> (hash & 31)) & 1) === 1;
  }

  /** Binary search; of each suffix only what is beyond the common beginning of both ends has to be compared. */
  #search(at: number, first: number, last: number): void {
    let low = first;
    let high = last;
    let lowLength = this.#common(this.#order[low] as number, at, 0);
    let highLength = low === high ? lowLength : this.#common(this.#order[high] as number, at, 0);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const start = this.#order[middle] as number;
      const length = this.#common(start, at, Math.min(lowLength, highLength));
      if (this.#isBelow(start + length, at + length)) {
        low = middle;
        lowLength = length;
      } else {
        high = middle;
        highLength = length;
      }
    }
    const best = lowLength >= highLength ? low : high;
    this.length = Math.max(lowLength, highLength);
    this.position = this.#order[best] as number;
  }

  /** Length of the common beginning of a suffix of the source and one of the target, of which `known` bytes agree. */
  #common(start: number, at: number, known: number): number {
    const source = this.#source;
    const target = this.#target;
    const most = Math.min(source.length - start, target.length - at);
    let length = known;
    while (length < most && source[start + length] === target[at + length]) length++;
    return length;
  }

  #isBelow(start: number, at: number): boolean {
    if (at >= this.#target.length) return false;
    return start >= this.#source.length || (this.#source[start] as number) < (this.#target[at] as number);
  }
}

/** For each pair of bytes, the place in the suffix array of the first suffix that begins with it; one more at the end. */
function pairStarts(source: Uint8Array): Int32Array {
  const counts = new Int32Array(65536 + 1);
  for (let i = 0; i + 1 < source.length; i++) {
    (counts[((source[i] as number) << 8) | (source[i + 1] as number)] as number)++;
  }
  // The suffix of one byte sorts just before all pairs that begin with it, so it is counted to the first of them.
  if (source.length > 0) (counts[(source.at(-1) as number) << 8] as number)++;
  let sum = 0;
  for (let pair = 0; pair <= 65536; pair++) {
    const count = counts[pair] as number;
    counts[pair] = sum;
    sum += count;
  }
  return counts;
}

function hashGram(bytes: Uint8Array, at: number): number {
  const a =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  const b =
    (bytes[at + 4] as number) |
    ((bytes[at + 5] as number) << 8) |
    ((bytes[at + 6] as number) << 16) |
    ((bytes[at + 7] as number) << 24);
  return Math.imul(Math.imul(a, 0x9e3779b1) ^ (b + (a >>> 15)), 0x85ebca6b) >>> 0;
}
