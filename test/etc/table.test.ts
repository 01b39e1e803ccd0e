/**
 * Every case of (D, U, N) for missing, file, symlink and directory, unchanged, changed and type-changed, against a table
 * written from the rules alone: who stands at the path afterwards, what is kept beside, and how it is reported.
 */
import { describe, expect, it } from '@jest/globals';
import { parseEtcPolicy } from '../../src/etc/index.ts';
import { CASES, THINGS, treeAt } from './cases.ts';
import { type Entry, mergeTrees, type TreeEntries, treeOf } from './trees.ts';

type Kind = 'none' | 'leaf' | 'dir';
const kindOf = (thing: string): Kind => (thing === '-' ? 'none' : thing.startsWith('d') ? 'dir' : 'leaf');

/**
 * Rows: kind of D; U: `=` as D, else its kind; N: `=` as D, `U` as U, else its kind; result; outcome.
 * Result: N or U alone; `U,N` = U with N beside as .hacktree-new; `N,U` = N with U beside as .hacktree-user;
 * `mine` = of U's directory what the user changed or added; `mine,N` with N beside; `both` = the directories merged.
 */
const TABLE = `
none none none  -       -
none none leaf  N       take-new
none none dir   N       take-new
none leaf none  U       keep-user
none leaf U     U       unchanged
none leaf leaf  U,N     conflict
none leaf dir   N,U     conflict
none dir  none  U       keep-user
none dir  leaf  U,N     conflict
none dir  U     U       unchanged
none dir  dir   both    unchanged
leaf =    =     N       unchanged
leaf =    none  -       take-new
leaf =    leaf  N       take-new
leaf =    dir   N       take-new
leaf none =     -       removed
leaf none none  -       removed
leaf none leaf  -       removed
leaf none dir   -       removed
leaf leaf =     U       keep-user
leaf leaf none  U       keep-user
leaf leaf U     U       unchanged
leaf leaf leaf  U,N     conflict
leaf leaf dir   N,U     conflict
leaf dir  =     U       keep-user
leaf dir  none  U       keep-user
leaf dir  leaf  U,N     conflict
leaf dir  U     U       unchanged
leaf dir  dir   both    unchanged
dir  =    =     N       unchanged
dir  =    none  -       take-new
dir  =    leaf  N       take-new
dir  =    dir   N       unchanged
dir  none =     -       removed
dir  none none  -       removed
dir  none leaf  -       removed
dir  none dir   -       removed
dir  leaf =     U       keep-user
dir  leaf none  U       keep-user
dir  leaf U     U       unchanged
dir  leaf leaf  U,N     conflict
dir  leaf dir   U,N     conflict
dir  dir  =     U       unchanged
dir  dir  none  mine    keep-user
dir  dir  leaf  mine,N  conflict
dir  dir  U     U       unchanged
dir  dir  dir   both    unchanged
`;

interface Row {
  readonly result: string;
  readonly outcome: string;
}

const ROWS = new Map<string, Row>(
  TABLE.trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([d, u, n, result = '', outcome = '']) => [`${d} ${u} ${n}`, { result, outcome }]),
);

function rowOf(d: string, u: string, n: string): Row {
  const userKind = u === d && d !== '-' ? '=' : kindOf(u);
  const exact = n === d && d !== '-' ? '=' : n === u && u !== '-' ? 'U' : kindOf(n);
  const row = ROWS.get(`${kindOf(d)} ${userKind} ${exact}`);
  if (row === undefined) throw new Error(`no row for ${d} ${u} ${n}: ${kindOf(d)} ${userKind} ${exact}`);
  return row;
}

/** The expected tree; directories d1 and d2 merge as their descriptions say. */
function expectedTree(result: string, d: string, u: string, n: string): TreeEntries {
  const [user, next] = [THINGS[u], THINGS[n]];
  const at = (name: string, entry: Entry | undefined): TreeEntries => (entry === undefined ? {} : { [name]: entry });
  switch (result) {
    case '-':
      return {};
    case 'N':
      return at('p', next);
    case 'U':
      return at('p', user);
    case 'U,N':
      return { ...at('p', user), ...at('p.hacktree-new', next) };
    case 'N,U':
      return { ...at('p', next), ...at('p.hacktree-user', user) };
    case 'mine':
      return { p: { dir: { child: 'one\n', mine: 'm\n' } } };
    case 'mine,N':
      return { p: { dir: { child: 'one\n', mine: 'm\n' } }, ...at('p.hacktree-new', next) };
    default:
      return { p: { dir: mergedDirectories(d, u, n) } };
  }
}

/** U = d0 or d1 where the new default is d0 or d2, written out. */
function mergedDirectories(d: string, u: string, n: string): TreeEntries {
  if (d === 'd0') return { child: 'one\n', same: 't\n', mine: 'm\n', theirs: 'n\n' };
  const cases: Record<string, TreeEntries> = {
    'd0 d1': { child: 'zero\n', 'child.hacktree-new': 'one\n', same: 's\n', mine: 'm\n' },
    'd0 d2': { child: 'zero\n', same: 's\n', 'same.hacktree-new': 't\n', theirs: 'n\n' },
    'd1 d0': { child: 'one\n', 'child.hacktree-new': 'zero\n', same: 's\n', mine: 'm\n' },
    'd1 d2': {
      child: 'one\n',
      'child.hacktree-new': 'zero\n',
      same: 's\n',
      'same.hacktree-new': 't\n',
      mine: 'm\n',
      theirs: 'n\n',
    },
  };
  const found = cases[`${u} ${n}`];
  if (found === undefined) throw new Error(`no merged directory for ${d} ${u} ${n}`);
  return found;
}

describe('the merge table', () => {
  it('covers every row with a case', () => {
    const used = new Set(CASES.map(([d, u, n]) => rowOf(d, u, n)));
    expect(used.size).toBe(ROWS.size);
  });

  it.each(CASES)('D=%s U=%s N=%s', (d, u, n) => {
    const { result, outcome } = rowOf(d, u, n);
    const { plan, tree, warnings } = mergeTrees({ base: treeAt(d), user: treeAt(u), next: treeAt(n) });
    expect(tree).toEqual(treeOf(expectedTree(result, d, u, n)));
    const action = plan.actions.find(({ path }) => path === 'p');
    expect(action?.outcome ?? '-').toBe(outcome);
    expect(warnings).toEqual([]);
  });

  it.each(CASES)('with the policy new, D=%s U=%s N=%s has N wherever both changed', (d, u, n) => {
    const { outcome, result } = rowOf(d, u, n);
    const { plan, tree } = mergeTrees(
      { base: treeAt(d), user: treeAt(u), next: treeAt(n) },
      parseEtcPolicy('', { conflict: 'new' }),
    );
    if (outcome !== 'conflict') {
      if (result !== 'both') expect(tree).toEqual(treeOf(expectedTree(result, d, u, n)));
      return;
    }
    const expected = { ...treeAt(n), 'p.hacktree-user': THINGS[u] as Entry };
    expect(tree).toEqual(treeOf(expected));
    expect(plan.actions.find(({ path }) => path === 'p')?.outcome).toBe('conflict');
  });

  it.each(CASES)('with the policy fail, D=%s U=%s N=%s is refused exactly where there is a conflict', (d, u, n) => {
    const { outcome, result } = rowOf(d, u, n);
    const run = (): unknown =>
      mergeTrees({ base: treeAt(d), user: treeAt(u), next: treeAt(n) }, parseEtcPolicy('', { conflict: 'fail' }));
    const hasConflictBelow = result === 'both' && d !== 'd0';
    if (outcome === 'conflict' || hasConflictBelow) expect(run).toThrow(expect.objectContaining({ code: 'etc-conflict' }));
    else expect(run).not.toThrow();
  });
});
