/** Finds the words that a mistyped one was meant to be. */

/** Words at most a third of their length away, or that begin with what was typed; nearest first, at most three. */
export function nearest(typed: string, words: readonly string[]): string[] {
  return words
    .map((word) => ({ word, distance: typed.length > 1 && word.startsWith(typed) ? 0 : editDistance(typed, word) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(Math.max(word.length, typed.length) / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ word }) => word);
}

/** Prints suggestions as a hint, or nothing when there are none. */
export function didYouMean(typed: string, words: readonly string[]): string[] {
  const near = nearest(typed, words);
  return near.length === 0 ? [] : [`Did you mean ${near.map((word) => `'${word}'`).join(' or ')}?`];
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
