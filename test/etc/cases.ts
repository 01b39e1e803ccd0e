/** Every case of (D, U, N) at one path `p`: missing, file, symlink and directory, unchanged, changed, type-changed. */
import type { Entry, TreeEntries } from './trees.ts';

/** What may stand at the path. Digits tell versions apart; 0 is the old default's. */
export const THINGS: Record<string, Entry | undefined> = {
  '-': undefined,
  f0: { file: 'zero\n' },
  f1: { file: 'one\n' },
  f2: { file: 'two\n' },
  l0: { link: 'zero' },
  l1: { link: 'one' },
  l2: { link: 'two' },
  d0: { dir: { child: 'zero\n', same: 's\n' } },
  d1: { dir: { child: 'one\n', same: 's\n', mine: 'm\n' } },
  d2: { dir: { child: 'zero\n', same: 't\n', theirs: 'n\n' } },
};

/** D, U, N. */
export const CASES = ['-', 'f0', 'l0', 'd0'].flatMap((d) =>
  ['-', 'f0', 'f1', 'l0', 'l1', 'd0', 'd1'].flatMap((u) =>
    ['-', 'f0', 'f1', 'f2', 'l0', 'l1', 'l2', 'd0', 'd1', 'd2'].map((n) => [d, u, n] as const),
  ),
);

/** The tree with a thing at `p`. */
export const treeAt = (thing: string): TreeEntries => (THINGS[thing] === undefined ? {} : { p: THINGS[thing] });
