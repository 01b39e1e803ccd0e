/**
 * Makes bsdiff data: what is new in a target, given a similar source.
 *
 * Where the target goes on like the source, with some bytes changed, the differences are stored: mostly zeros, which
 * compress to almost nothing. The walk keeps the present alignment of the two files and asks the suffix array for
 * something better; it changes over only where the longest match beats the present alignment by more than eight bytes.
 * Between two alignments the border is put where most bytes agree. What fits neither goes in as it is.
 *
 * Memory: 4 bytes per source byte for the suffix array, half to one for the filter, and the result.
 *
 * **Source:** ostree-format 10.3; C. Percival, "Naive differences of executable code" (2003).
 */
import { CONTROL_BYTES, writeOffset } from './bspatch.ts';
import { LongestMatch } from './longest-match.ts';

/** A new match must beat the present alignment by more than this many bytes. */
const MARGIN = 8;
/** Within a match this long the next byte's match is taken to be the rest of it, without a search. */
const LONG_MATCH = 64;

/** Gives data from which applyBsdiff makes `target` out of `source`. Both at most 2^31 - 1 bytes. */
export function makeBsdiff(source: Uint8Array, target: Uint8Array): Buffer {
  const walk = new Walk(source, target);
  const output = new PatchWriter(source, target);
  let last: Alignment = { at: 0, match: 0 };
  while (last.at < target.length) {
    const found = walk.nextAlignment(last);
    const { forward, next } = border(source, target, last, found);
    output.record(last, forward, next);
    last = next;
  }
  return output.finish();
}

/** A position in the target and the position in the source that it is compared with. */
interface Alignment {
  readonly at: number;
  readonly match: number;
}

/** Walks the target from one alignment to the next that is better. */
class Walk {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #longest: LongestMatch;
  #at = 0;

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = source;
    this.#target = target;
    this.#longest = new LongestMatch(source, target);
  }

  /** Finds where a match begins that beats the present alignment; the end of the target if there is none. */
  nextAlignment(present: Alignment): Alignment {
    const shift = present.match - present.at;
    const end = this.#target.length;
    while (this.#at < end) {
      const score = this.#search(shift);
      const { length, position } = this.#longest;
      const at = this.#at;
      this.#at += at < end ? length : 0;
      if (at < end && length !== score) return { at, match: position };
    }
    return { at: end, match: 0 };
  }

  /**
   * Goes on byte by byte until the longest match from there is either the present alignment itself or clearly better.
   * Returns how many bytes of that match the present alignment has too.
   */
  #search(shift: number): number {
    const source = this.#source;
    const target = this.#target;
    const longest = this.#longest;
    let score = 0;
    let scoredTo = this.#at;
    for (; this.#at < target.length; this.#at++) {
      if (longest.length > LONG_MATCH && scoredTo > this.#at) longest.stepForward();
      else longest.find(this.#at);
      const matchEnd = this.#at + longest.length;
      if (scoredTo < this.#at) scoredTo = this.#at;
      for (; scoredTo < matchEnd; scoredTo++) if (source[scoredTo + shift] === target[scoredTo]) score++;
      if ((longest.length === score && score !== 0) || longest.length > score + MARGIN) break;
      if (scoredTo > this.#at && source[this.#at + shift] === target[this.#at]) score--;
    }
    return score;
  }
}

/**
 * Decides where the present alignment ends and the next begins: each goes on into the gap as long as more than half
 * of its bytes agree; where both claim the same bytes, each gets the side on which it is right more often.
 */
function border(source: Uint8Array, target: Uint8Array, last: Alignment, found: Alignment): { forward: number; next: Alignment } {
  let forward = reachForward(source, target, last, found.at);
  if (found.at >= target.length) return { forward, next: { at: target.length, match: last.match + forward } };
  let backward = reachBackward(source, target, last, found);
  const overlap = last.at + forward - (found.at - backward);
  if (overlap > 0) {
    const kept = splitOverlap(
      source,
      target,
      overlap,
      last.match + forward - overlap,
      found.match - backward,
      found.at - backward,
    );
    forward += kept - overlap;
    backward -= kept;
  }
  return { forward, next: { at: found.at - backward, match: found.match - backward } };
}

function reachForward(source: Uint8Array, target: Uint8Array, { at, match }: Alignment, limit: number): number {
  const most = Math.min(limit - at, source.length - match);
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let i = 0; i < most; ) {
    if (source[match + i] === target[at + i]) score++;
    i++;
    if (score * 2 - i > bestScore * 2 - best) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

function reachBackward(source: Uint8Array, target: Uint8Array, last: Alignment, { at, match }: Alignment): number {
  const most = Math.min(at - last.at, match);
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let i = 1; i <= most; i++) {
    if (source[match - i] === target[at - i]) score++;
    if (score * 2 - i > bestScore * 2 - best) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

/** Says how many of the bytes from `at` that both alignments claim stay with the left one. */
function splitOverlap(source: Uint8Array, target: Uint8Array, overlap: number, left: number, right: number, at: number): number {
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let i = 0; i < overlap; i++) {
    const byte = target[at + i];
    if (byte === source[left + i]) score++;
    if (byte === source[right + i]) score--;
    if (score > bestScore) {
      bestScore = score;
      best = i + 1;
    }
  }
  return best;
}

/** Collects records in one growing buffer. */
class PatchWriter {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  #buffer: Buffer;
  #length = 0;

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = source;
    this.#target = target;
    this.#buffer = Buffer.allocUnsafe(target.length + 1024);
  }

  record(last: Alignment, diff: number, next: Alignment): void {
    const extra = next.at - (last.at + diff);
    const start = this.#reserve(CONTROL_BYTES + diff + extra);
    const control = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + start, CONTROL_BYTES);
    writeOffset(control, 0, diff);
    writeOffset(control, 8, extra);
    writeOffset(control, 16, next.match - (last.match + diff));
    const to = start + CONTROL_BYTES;
    for (let i = 0; i < diff; i++) {
      this.#buffer[to + i] = (this.#target[last.at + i] as number) - (this.#source[last.match + i] as number);
    }
    this.#buffer.set(this.#target.subarray(last.at + diff, next.at), to + diff);
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(size: number): number {
    const start = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const bigger = Buffer.allocUnsafe(this.#length + (this.#length >> 3));
      this.#buffer.copy(bigger, 0, 0, start);
      this.#buffer = bigger;
    }
    return start;
  }
}
