/** Line differences and merges: known cases, and properties over random texts. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diffLines, type Hunk } from '../../../src/etc/line-diff.ts';
import { mergeByLines } from '../../../src/etc/line-merge.ts';
import { printUnifiedDiff } from '../../../src/etc/unified-diff.ts';

function merge(base: string, user: string, next: string): string | readonly number[] {
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  const { merged, conflictLines } = mergeByLines({ base: bytes(base), user: bytes(user), next: bytes(next) });
  return merged?.toString('latin1') ?? conflictLines;
}

/** Applies hunks to a: what a diff has to be able to do. */
function patch(a: readonly string[], b: readonly string[], hunks: readonly Hunk[]): string[] {
  const result: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    result.push(...a.slice(at, hunk.baseStart), ...b.slice(hunk.otherStart, hunk.otherEnd));
    at = hunk.baseEnd;
  }
  return [...result, ...a.slice(at)];
}

const changedLines = (hunks: readonly Hunk[]): number =>
  hunks.reduce((sum, { baseStart, baseEnd, otherStart, otherEnd }) => sum + baseEnd - baseStart + otherEnd - otherStart, 0);

/** Length of the longest common subsequence, by the textbook's table. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const nextRow = [0];
    for (const [j, other] of b.entries()) {
      const best = Math.max(row[j + 1] as number, nextRow[j] as number);
      nextRow.push(line === other ? (row[j] as number) + 1 : best);
    }
    row = nextRow;
  }
  return row.at(-1) as number;
}

const repeatedLines = fc.array(fc.constantFrom('a', 'b', ''), { maxLength: 30 });

describe('diffLines', () => {
  it('finds nothing between equal texts and everything between strange ones', () => {
    expect(diffLines(['a', 'b'], ['a', 'b'])).toEqual([]);
    expect(diffLines(['a'], ['b', 'c'])).toEqual([{ baseStart: 0, baseEnd: 1, otherStart: 0, otherEnd: 2 }]);
    expect(diffLines([], [])).toEqual([]);
  });

  it('turns one text into the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', '')),
        fc.array(fc.constantFrom('a', 'b', 'c', 'x', '')),
        (a, b) => {
          expect(patch(a, b, diffLines(a, b))).toEqual(b);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is a shortest edit where no line can be an anchor', () => {
    let tried = 0;
    fc.assert(
      fc.property(repeatedLines, repeatedLines, (a, b) => {
        const [x, y] = withoutCommonEnds(a, b);
        const occursOnce = (lines: readonly string[], line: string): boolean =>
          lines.filter((other) => other === line).length === 1;
        fc.pre(!x.some((line) => occursOnce(x, line) && occursOnce(y, line)));
        tried++;
        expect(changedLines(diffLines(x, y))).toBe(x.length + y.length - 2 * commonLength(x, y));
      }),
      { numRuns: 500 },
    );
    expect(tried).toBeGreaterThan(100);
  });

  it('anchors on lines that occur once, as people would', () => {
    const a = ['[one]', 'x=1', '', '[two]', 'x=2', ''];
    const b = ['[zero]', 'x=0', '', '[one]', 'x=1', '', '[two]', 'x=2', ''];
    expect(diffLines(a, b)).toEqual([{ baseStart: 0, baseEnd: 0, otherStart: 0, otherEnd: 3 }]);
  });

  it('ends early on long strange texts and is right all the same', () => {
    const a = Array.from({ length: 9000 }, (_, i) => `${(i * 7919) % 50}`);
    const b = Array.from({ length: 9000 }, (_, i) => `${(i * i) % 53}`);
    expect(patch(a, b, diffLines(a, b))).toEqual(b);
  });
});

function withoutCommonEnds(a: readonly string[], b: readonly string[]): [string[], string[]] {
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

describe('mergeByLines', () => {
  const base = 'a\nb\nc\nd\ne\n';
  it.each([
    ['changes in different places', 'a\nB\nc\nd\ne\n', 'a\nb\nc\nD\ne\n', 'a\nB\nc\nD\ne\n'],
    ['the same change', 'a\nX\nc\nd\ne\n', 'a\nX\nc\nd\ne\n', 'a\nX\nc\nd\ne\n'],
    ['an insertion and a deletion', 'a\nb\nnew\nc\nd\ne\n', 'a\nb\nc\nd\n', 'a\nb\nnew\nc\nd\n'],
    ['additions at both ends', 'first\na\nb\nc\nd\ne\n', 'a\nb\nc\nd\ne\nlast\n', 'first\na\nb\nc\nd\ne\nlast\n'],
    ['a missing final line feed', 'a\nb\nc\nd\ne', 'A\nb\nc\nd\ne\n', 'A\nb\nc\nd\ne'],
    ['everything deleted by one, nothing by the other', '', base, ''],
    ['the same deletion', 'a\ne\n', 'a\ne\n', 'a\ne\n'],
    ['bytes that are no UTF-8', 'a\n\xff\xfe\nc\nd\ne\n', 'a\nb\nc\nd\n\xe9\n', 'a\n\xff\xfe\nc\nd\n\xe9\n'],
    ['carriage returns', 'a\nb\r\nc\nd\ne\n', 'a\nb\nc\nd\nE\n', 'a\nb\r\nc\nd\nE\n'],
  ])('merges %s', (_, user, next, merged) => {
    expect(merge(base, user, next)).toBe(merged);
  });

  it.each([
    ['different changes of one line', 'a\nX\nc\nd\ne\n', 'a\nY\nc\nd\ne\n', [2]],
    ['changes of adjacent lines', 'a\nX\nc\nd\ne\n', 'a\nb\nY\nd\ne\n', [2]],
    ['different insertions at one place', 'a\nX\nb\nc\nd\ne\n', 'a\nY\nb\nc\nd\ne\n', [2]],
    ['a change of a deleted line', 'a\nb\nc\nd\n', 'a\nb\nc\nd\nE\n', [5]],
    ['two places', 'A\nb\nc\nd\nE\n', '1\nb\nc\nd\n5\n', [1, 5]],
  ])('finds a conflict in %s', (_, user, next, lines) => {
    expect(merge(base, user, next)).toEqual(lines);
  });

  const grub = 'TIMEOUT=5\nDISTRIBUTOR=old\nCMDLINE="quiet"\n# comment\n\nVIDEO=1\n';
  it.each([
    [
      'the next line',
      grub.replace('"quiet"', '"quiet splash"'),
      grub.replace('old', 'new'),
      'TIMEOUT=5\nDISTRIBUTOR=new\nCMDLINE="quiet splash"\n# comment\n\nVIDEO=1\n',
    ],
    [
      'the line before',
      grub.replace('=5', '=1'),
      grub.replace('old', 'new'),
      'TIMEOUT=1\nDISTRIBUTOR=new\nCMDLINE="quiet"\n# comment\n\nVIDEO=1\n',
    ],
    [
      'lines on both sides',
      grub.replace('=5', '=1').replace('quiet', 'x'),
      grub.replace('old', 'new'),
      'TIMEOUT=1\nDISTRIBUTOR=new\nCMDLINE="x"\n# comment\n\nVIDEO=1\n',
    ],
    [
      'a line added below one',
      grub.replace('old\n', 'old\nMINE=1\n'),
      grub.replace('old', 'new'),
      'TIMEOUT=5\nDISTRIBUTOR=new\nMINE=1\nCMDLINE="quiet"\n# comment\n\nVIDEO=1\n',
    ],
    [
      'a line added above one',
      grub.replace('DIS', 'MINE=1\nDIS'),
      grub.replace('old', 'new'),
      'TIMEOUT=5\nMINE=1\nDISTRIBUTOR=new\nCMDLINE="quiet"\n# comment\n\nVIDEO=1\n',
    ],
    [
      'a deleted line',
      grub.replace('TIMEOUT=5\n', ''),
      grub.replace('old', 'new'),
      'DISTRIBUTOR=new\nCMDLINE="quiet"\n# comment\n\nVIDEO=1\n',
    ],
  ])('merges neighbouring settings: %s', (_, user, next, merged) => {
    expect(merge(grub, user, next)).toBe(merged);
    expect(merge(grub, next, user)).toBe(merged);
  });

  it.each([
    ['both sides insert at one place', grub, grub.replace('CMD', 'A=1\nCMD'), grub.replace('CMD', 'B=1\nCMD')],
    ['the key is the same', 'deb a\ndeb b\n', 'deb A\ndeb b\n', 'deb a\ndeb B\n'],
    [
      'it is a program',
      `#!/bin/sh\n${grub}`,
      `#!/bin/sh\n${grub.replace('quiet', 'x')}`,
      `#!/bin/sh\n${grub.replace('old', 'new')}`,
    ],
    ['a line is indented', 'a=1\n b=1\n', 'a=2\n b=1\n', 'a=1\n b=2\n'],
    ['a line goes on below', 'a=1 \\\nb=1\n', 'a=2 \\\nb=1\n', 'a=1 \\\nb=2\n'],
    ['a section starts', '[a]\nb=1\n', '[A]\nb=1\n', '[a]\nb=2\n'],
  ])('does not merge neighbouring lines when %s', (_, base, user, next) => {
    expect(merge(base, user, next)).toBeInstanceOf(Array);
    expect(merge(base, next, user)).toBeInstanceOf(Array);
  });

  const text = fc
    .array(fc.constantFrom('a', 'b=1', 'b=2', 'c=1', 'c=2', 'd=1', ''), { maxLength: 25 })
    .map((lines) => lines.join('\n'));

  it('gives the changed side where only one changed', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(merge(a, b, a)).toBe(b);
        expect(merge(a, a, b)).toBe(b);
        expect(merge(a, b, b)).toBe(b);
      }),
    );
  });

  it('does not depend on which side is called the user', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const one = merge(a, b, c);
        const other = merge(a, c, b);
        expect(typeof one).toBe(typeof other);
        if (typeof one === 'string') expect(other).toBe(one);
      }),
    );
  });
});

describe('printUnifiedDiff', () => {
  const names = { from: 'a', to: 'b' };
  const print = (a: string, b: string): string => printUnifiedDiff(Buffer.from(a), Buffer.from(b), names);

  it('prints hunks with context and counts', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`);
    const changed = lines.with(1, 'second\n').with(17, 'eighteenth');
    expect(print(lines.join(''), changed.join(''))).toBe(
      '--- a\n+++ b\n@@ -1,5 +1,5 @@\n line 1\n-line 2\n+second\n line 3\n line 4\n line 5\n' +
        '@@ -15,6 +15,5 @@\n line 15\n line 16\n line 17\n-line 18\n-line 19\n+eighteenthline 19\n line 20\n',
    );
  });

  it('tells of missing final line feeds, empty and binary files', () => {
    expect(print('x', 'y\n')).toBe('--- a\n+++ b\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n');
    expect(print('', 'y\n')).toBe('--- a\n+++ b\n@@ -0,0 +1 @@\n+y\n');
    expect(print('x\0', 'y')).toBe('Binary files a and b differ\n');
    expect(print('x', 'x')).toBe('');
  });
});
