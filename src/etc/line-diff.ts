/**
 * Finds which lines of one text stand in another, in order: the base of merging and of showing differences.
 *
 * Lines that occur exactly once in both texts are taken as anchors first (patience), because blank lines and lone
 * comment signs, of which configuration files are full, make a merely shortest edit line up unrelated blocks. What lies
 * between two anchors is searched again, and where no anchor is left, by the shortest edit in linear space. A search
 * that grows too dear ends early and calls the region wholly different: worse, never wrong.
 *
 * Source: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b for the linear space variant.
 */

/** Lines [baseStart, baseEnd) of the base are replaced by lines [otherStart, otherEnd) of the other text. */
export interface Hunk {
  readonly baseStart: number;
  readonly baseEnd: number;
  readonly otherStart: number;
  readonly otherEnd: number;
}

/** Edits after which the search for a region's shortest edit ends. */
const MAX_EDITS = 2000;

/** Returns the differences in order, none touching the next. */
export function diffLines(base: readonly string[], other: readonly string[]): Hunk[] {
  const matches = new Int32Array(base.length).fill(-1);
  const region = { a0: 0, a1: base.length, b0: 0, b1: other.length };
  // Most texts differ in few places: only the lines between the common start and end are numbered.
  if (trim({ base, other, matches }, region)) matchRegion({ ...numberLines(base, other, region), matches }, region);
  return hunksOf(matches, other.length);
}

/** Numbers the lines of a region so that equal lines, and only they, have equal numbers. */
function numberLines(
  base: readonly string[],
  other: readonly string[],
  { a0, a1, b0, b1 }: Region,
): Pick<Texts, 'base' | 'other'> {
  const numbers = new Map<string, number>();
  const number = (lines: readonly string[], start: number, end: number): Int32Array => {
    const found = new Int32Array(lines.length);
    for (let at = start; at < end; at++) {
      const line = lines[at] as string;
      const known = numbers.get(line) ?? numbers.size;
      if (known === numbers.size) numbers.set(line, known);
      found[at] = known;
    }
    return found;
  };
  return { base: number(base, a0, a1), other: number(other, b0, b1) };
}

interface Texts<Line = number> {
  /** Numbers of lines; only those of the region that is searched count. */
  readonly base: ArrayLike<Line>;
  readonly other: ArrayLike<Line>;
  /** For each line of the base, the line of the other text it stands for, or -1. */
  readonly matches: Int32Array;
}

interface Region {
  a0: number;
  a1: number;
  b0: number;
  b1: number;
}

function matchRegion(texts: Texts, region: Region): void {
  if (!trim(texts, region)) return;
  const anchors = findAnchors(texts, region);
  if (anchors.length === 0) {
    matchShortest(texts, region);
    return;
  }
  let { a0, b0 } = region;
  for (const [a, b] of anchors) {
    texts.matches[a] = b;
    matchRegion(texts, { a0, a1: a, b0, b1: b });
    a0 = a + 1;
    b0 = b + 1;
  }
  matchRegion(texts, { a0, a1: region.a1, b0, b1: region.b1 });
}

/** Matches the common start and end and takes them off; false when nothing is left to match. */
function trim<Line>({ base, other, matches }: Texts<Line>, region: Region): boolean {
  while (region.a0 < region.a1 && region.b0 < region.b1 && base[region.a0] === other[region.b0]) {
    matches[region.a0++] = region.b0++;
  }
  while (region.a0 < region.a1 && region.b0 < region.b1 && base[region.a1 - 1] === other[region.b1 - 1]) {
    matches[--region.a1] = --region.b1;
  }
  return region.a0 < region.a1 && region.b0 < region.b1;
}

const TWICE = -2;

/** Maps each line's number to its only place, or TWICE. */
function onlyPlaces(lines: ArrayLike<number>, start: number, end: number): Map<number, number> {
  const places = new Map<number, number>();
  for (let at = start; at < end; at++) {
    const line = lines[at] as number;
    places.set(line, places.has(line) ? TWICE : at);
  }
  return places;
}

/** Finds the longest rising run of lines that occur once on either side. */
function findAnchors({ base, other }: Texts, { a0, a1, b0, b1 }: Region): [number, number][] {
  const inOther = onlyPlaces(other, b0, b1);
  const pairs: [number, number][] = [];
  for (const [line, a] of onlyPlaces(base, a0, a1)) {
    const b = inOther.get(line);
    if (a !== TWICE && b !== undefined && b !== TWICE) pairs.push([a, b]);
  }
  return longestRise(pairs.sort((x, y) => x[0] - y[0]));
}

function longestRise(pairs: readonly [number, number][]): [number, number][] {
  const tails: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  for (const [i, [, b]] of pairs.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[tails[middle] as number] as [number, number])[1] < b) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[i] = tails[low - 1] as number;
    tails[low] = i;
  }
  const run: [number, number][] = [];
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i] as number) run.push(pairs[i] as [number, number]);
  return run.reverse();
}

/** Splits the region where the shortest edit's two halves meet, and matches both parts. */
function matchShortest(texts: Texts, region: Region): void {
  if (!trim(texts, region)) return;
  const split = findMiddle(texts, region);
  if (split === undefined) return;
  matchShortest(texts, { ...region, a1: split[0], b1: split[1] });
  matchShortest(texts, { ...region, a0: split[0], b0: split[1] });
}

/**
 * Searches from both ends at once for a point on a shortest edit; undefined when that needs too many edits. The region
 * is trimmed and has at least one line on either side, so the point is never one of its corners.
 */
function findMiddle({ base, other }: Texts, { a0, a1, b0, b1 }: Region): [number, number] | undefined {
  const n = a1 - a0;
  const m = b1 - b0;
  const delta = n - m;
  const limit = Math.min(Math.ceil((n + m) / 2), MAX_EDITS);
  const forward = new Reach(n, m, limit);
  const backward = new Reach(n, m, limit);
  for (let edits = 0; edits <= limit; edits++) {
    for (let k = forward.lowest(edits); k <= edits && k <= n; k += 2) {
      let x = forward.step(k, edits);
      if (x < 0) continue;
      while (x < n && x - k < m && base[a0 + x] === other[b0 + x - k]) x++;
      forward.set(k, x);
      if (Math.abs(delta - k) < edits && backward.meets(delta - k, edits - 1, x)) return [a0 + x, b0 + x - k];
    }
    for (let k = backward.lowest(edits); k <= edits && k <= n; k += 2) {
      let x = backward.step(k, edits);
      if (x < 0) continue;
      while (x < n && x - k < m && base[a1 - 1 - x] === other[b1 - 1 - x + k]) x++;
      backward.set(k, x);
      if (Math.abs(delta - k) <= edits && forward.meets(delta - k, edits, x)) return [a1 - x, b1 - x + k];
    }
  }
  return undefined;
}

/** How far edits of one direction have come on each diagonal k (lines of the base used less lines of the other). */
class Reach {
  readonly #n: number;
  readonly #m: number;
  readonly #zero: number;
  readonly #furthest: Int32Array;

  constructor(n: number, m: number, limit: number) {
    this.#n = n;
    this.#m = m;
    this.#zero = limit + 1;
    this.#furthest = new Int32Array(2 * this.#zero + 1).fill(-1);
  }

  /** The first diagonal that this many edits can end on. */
  lowest(edits: number): number {
    return -edits + 2 * Math.max(0, Math.ceil((edits - this.#m) / 2));
  }

  /** Base lines used after one more edit that ends on k; -1 when there is no such edit. */
  step(k: number, edits: number): number {
    if (edits === 0) return 0;
    const left = this.#furthest[this.#zero + k - 1] as number;
    const above = this.#furthest[this.#zero + k + 1] as number;
    const deleted = left >= 0 && left < this.#n ? left + 1 : -1;
    const inserted = above >= 0 && above - k <= this.#m ? above : -1;
    return Math.max(deleted, inserted);
  }

  set(k: number, x: number): void {
    this.#furthest[this.#zero + k] = x;
  }

  /** Tells whether the other direction, at x on the same diagonal, has met this one, last moved by so many edits. */
  meets(k: number, edits: number, x: number): boolean {
    const mine = this.#furthest[this.#zero + k] as number;
    return mine >= 0 && ((k - edits) & 1) === 0 && mine + x >= this.#n;
  }
}

function hunksOf(matches: Int32Array, otherLength: number): Hunk[] {
  const hunks: Hunk[] = [];
  let baseStart = 0;
  let otherStart = 0;
  for (let at = 0; at <= matches.length; at++) {
    const match = at === matches.length ? otherLength : (matches[at] as number);
    if (match < 0) continue;
    if (at > baseStart || match > otherStart) hunks.push({ baseStart, baseEnd: at, otherStart, otherEnd: match });
    baseStart = at + 1;
    otherStart = match + 1;
  }
  return hunks;
}
