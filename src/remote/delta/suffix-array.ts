/**
 * Suffix array of bytes in linear time: induced sorting (SA-IS) over typed arrays.
 *
 * The array lists where the suffixes of a text begin, in their sorted order. Idea: sort only the suffixes that begin
 * where the text turns from falling to rising (LMS), from them the others follow by two passes over the buckets of
 * first letters. LMS suffixes are sorted by naming the stretches between them and sorting the string of names the same
 * way, inside the same array. During a pass the sign of an entry says whether its predecessor still has to be placed.
 *
 * Memory: 4 bytes per byte of text, and small tables.
 *
 * **Source:** G. Nong, S. Zhang, W. H. Chan, "Two Efficient Algorithms for Linear Time Suffix Array Construction" (2010).
 */

/** Texts are bytes at the top and names below. */
type Text = Uint8Array | Int32Array;

/** Gives the starts of all suffixes of at most 2^31 - 1 bytes, smallest first; a prefix sorts before what extends it. */
export function suffixArray(bytes: Uint8Array): Int32Array {
  const order = new Int32Array(bytes.length);
  sortSuffixes(bytes, order, bytes.length, 256, new Int32Array(256));
  return order;
}

/** Sorts the `length` suffixes of a text with letters below `letters` into `order`; `buckets` has room for one number per letter. */
function sortSuffixes(text: Text, order: Int32Array, length: number, letters: number, buckets: Int32Array): void {
  if (length < 2) {
    order.fill(0, 0, length);
    return;
  }
  const count = sortLmsSubstrings(text, order, length, letters, buckets);
  const names = nameLmsSubstrings(text, order, length, count);
  if (names < count) {
    const reduced = order.subarray(length - count, length);
    compactNames(order, length, count);
    const free = order.subarray(count, length - count);
    const room = free.length >= names ? free.subarray(0, names) : new Int32Array(names);
    sortSuffixes(reduced, order, count, names, room);
    listLms(text, reduced, length);
    for (let i = 0; i < count; i++) order[i] = reduced[order[i] as number] as number;
  }
  placeSortedLms(text, order, length, count, bucketEnds(text, length, letters, buckets));
  induceAll(text, order, length, letters, buckets);
}

function countLetters(text: Text, length: number, letters: number, buckets: Int32Array): void {
  buckets.fill(0, 0, letters);
  for (let i = 0; i < length; i++) (buckets[text[i] as number] as number)++;
}

/** First free slot of each bucket, filled upwards. */
function bucketStarts(text: Text, length: number, letters: number, buckets: Int32Array): Int32Array {
  countLetters(text, length, letters, buckets);
  let sum = 0;
  for (let letter = 0; letter < letters; letter++) {
    const size = buckets[letter] as number;
    buckets[letter] = sum;
    sum += size;
  }
  return buckets;
}

/** End of each bucket, filled downwards. */
function bucketEnds(text: Text, length: number, letters: number, buckets: Int32Array): Int32Array {
  countLetters(text, length, letters, buckets);
  let sum = 0;
  for (let letter = 0; letter < letters; letter++) {
    sum += buckets[letter] as number;
    buckets[letter] = sum;
  }
  return buckets;
}

/**
 * Sorts the stretches from each LMS position to the next by induction; leaves their starts, sorted, at the front of
 * `order` and returns how many there are. Slots are 0 when empty: position 0 is never LMS.
 */
function sortLmsSubstrings(text: Text, order: Int32Array, length: number, letters: number, buckets: Int32Array): number {
  order.fill(0, 0, length);
  const ends = bucketEnds(text, length, letters, buckets);
  let isRising = false;
  for (let i = length - 2, next = text[length - 1] as number; i >= 0; i--) {
    const letter = text[i] as number;
    if (letter < next || (letter === next && isRising)) isRising = true;
    else {
      if (isRising) order[--(ends[next] as number)] = i + 1;
      isRising = false;
    }
    next = letter;
  }
  induceFallingLms(text, order, length, bucketStarts(text, length, letters, buckets));
  induceRisingLms(text, order, length, bucketEnds(text, length, letters, buckets));
  let count = 0;
  for (let i = 0; i < length; i++) {
    const entry = order[i] as number;
    if (entry < 0) order[count++] = ~entry;
  }
  return count;
}

/** Places falling positions from their successors; keeps, as positive entries, only those whose predecessor rises. */
function induceFallingLms(text: Text, order: Int32Array, length: number, starts: Int32Array): void {
  const last = length - 1;
  const lastLetter = text[last] as number;
  order[(starts[lastLetter] as number)++] = (text[last - 1] as number) < lastLetter ? ~last : last;
  for (let i = 0; i < length; i++) {
    const entry = order[i] as number;
    if (entry > 0) {
      const before = entry - 1;
      const letter = text[before] as number;
      order[(starts[letter] as number)++] = before > 0 && (text[before - 1] as number) < letter ? ~before : before;
      order[i] = 0;
    } else if (entry < 0) order[i] = ~entry;
  }
}

/** Places rising positions from their successors; keeps, as negative entries, only LMS positions. */
function induceRisingLms(text: Text, order: Int32Array, length: number, ends: Int32Array): void {
  for (let i = length - 1; i >= 0; i--) {
    const entry = order[i] as number;
    if (entry <= 0) continue;
    const before = entry - 1;
    const letter = text[before] as number;
    order[--(ends[letter] as number)] = before > 0 && (text[before - 1] as number) > letter ? ~before : before;
    order[i] = 0;
  }
}

/**
 * Gives equal LMS stretches equal names, in sorted order from 0. The name of the stretch at p is left in the slot
 * count + p / 2 as its complement; LMS positions are at least two apart. Returns the number of names.
 */
function nameLmsSubstrings(text: Text, order: Int32Array, length: number, count: number): number {
  order.fill(0, count, length);
  markLengths(text, order, length, count);
  let names = -1;
  let previous = -1;
  let previousLength = 0;
  for (let i = 0; i < count; i++) {
    const start = order[i] as number;
    const slot = count + (start >> 1);
    const size = order[slot] as number;
    // The last stretch runs into the end of the text, which no other does.
    let isSame = previous >= 0 && size === previousLength && start + size < length && previous + size < length;
    for (let k = 0; isSame && k < size; k++) isSame = text[start + k] === text[previous + k];
    if (!isSame) {
      names++;
      previous = start;
      previousLength = size;
    }
    order[slot] = ~names;
  }
  return names + 1;
}

/** Puts the length of each LMS stretch, up to and with the first letter of the next, into its slot. */
function markLengths(text: Text, order: Int32Array, length: number, count: number): void {
  let isRising = false;
  let end = length;
  for (let i = length - 2, next = text[length - 1] as number; i >= 0; i--) {
    const letter = text[i] as number;
    if (letter < next || (letter === next && isRising)) isRising = true;
    else {
      if (isRising) {
        order[count + ((i + 1) >> 1)] = end - i;
        end = i + 1;
      }
      isRising = false;
    }
    next = letter;
  }
}

/** Moves the names, in the order of the text, to the end of `order`. */
function compactNames(order: Int32Array, length: number, count: number): void {
  let to = length;
  for (let i = length - 1; i >= count; i--) {
    const entry = order[i] as number;
    if (entry < 0) order[--to] = ~entry;
  }
}

/** Lists the LMS positions in the order of the text. */
function listLms(text: Text, list: Int32Array, length: number): void {
  let isRising = false;
  let to = list.length;
  for (let i = length - 2, next = text[length - 1] as number; i >= 0; i--) {
    const letter = text[i] as number;
    if (letter < next || (letter === next && isRising)) isRising = true;
    else {
      if (isRising) list[--to] = i + 1;
      isRising = false;
    }
    next = letter;
  }
}

/** Moves the sorted LMS positions from the front of `order` to the ends of their buckets; all else becomes 0. */
function placeSortedLms(text: Text, order: Int32Array, length: number, count: number, ends: Int32Array): void {
  order.fill(0, count, length);
  for (let i = count - 1; i >= 0; i--) {
    const start = order[i] as number;
    order[i] = 0;
    order[--(ends[text[start] as number] as number)] = start;
  }
}

/** Places everything else: falling positions upwards from their successors, then rising ones downwards. */
function induceAll(text: Text, order: Int32Array, length: number, letters: number, buckets: Int32Array): void {
  const starts = bucketStarts(text, length, letters, buckets);
  const last = length - 1;
  const lastLetter = text[last] as number;
  order[(starts[lastLetter] as number)++] = (text[last - 1] as number) < lastLetter ? ~last : last;
  for (let i = 0; i < length; i++) {
    const entry = order[i] as number;
    order[i] = ~entry;
    if (entry <= 0) continue;
    const before = entry - 1;
    const letter = text[before] as number;
    order[(starts[letter] as number)++] = before > 0 && (text[before - 1] as number) < letter ? ~before : before;
  }
  const ends = bucketEnds(text, length, letters, buckets);
  for (let i = length - 1; i >= 0; i--) {
    const entry = order[i] as number;
    if (entry <= 0) {
      order[i] = ~entry;
      continue;
    }
    const before = entry - 1;
    const letter = text[before] as number;
    order[--(ends[letter] as number)] = before === 0 || (text[before - 1] as number) > letter ? ~before : before;
  }
}
