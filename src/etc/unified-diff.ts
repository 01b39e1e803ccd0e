/**
 * Prints the difference of two texts as a unified diff, three lines of context around each change.
 *
 * Source: POSIX diff, "Diff -u Output Format".
 */
import { tryUtf8 } from '../core/index.ts';
import { diffLines, type Hunk } from './line-diff.ts';

const CONTEXT = 3;

export interface DiffNames {
  readonly from: string;
  readonly to: string;
}

/** Tells whether bytes are to be shown and merged by lines: no NUL in them. */
export function isText(bytes: Uint8Array): boolean {
  return !bytes.includes(0);
}

/** Prints a unified diff; empty when the bytes are equal, one sentence when either side is binary. */
export function printUnifiedDiff(from: Buffer, to: Buffer, names: DiffNames): string {
  if (from.equals(to)) return '';
  if (!isText(from) || !isText(to)) return `Binary files ${names.from} and ${names.to} differ\n`;
  const a = linesWithEnds(from);
  const b = linesWithEnds(to);
  const parts = [`--- ${names.from}\n+++ ${names.to}\n`];
  for (const hunks of nearHunks(diffLines(a, b))) parts.push(printHunks(a, b, hunks));
  return parts.join('');
}

function linesWithEnds(bytes: Buffer): string[] {
  const text = tryUtf8(bytes) ?? bytes.toString('latin1');
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** Groups hunks whose context would overlap. */
function nearHunks(hunks: readonly Hunk[]): Hunk[][] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && hunk.baseStart - last.baseEnd <= 2 * CONTEXT) groups.at(-1)?.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}

function printHunks(a: readonly string[], b: readonly string[], hunks: readonly Hunk[]): string {
  const first = hunks[0] as Hunk;
  const last = hunks.at(-1) as Hunk;
  const lead = Math.min(CONTEXT, first.baseStart);
  const tail = Math.min(CONTEXT, a.length - last.baseEnd);
  const lines: string[] = [];
  const add = (sign: string, line: string): void => {
    lines.push(`${sign}${line}${line.endsWith('\n') ? '' : '\n\\ No newline at end of file\n'}`);
  };
  let at = first.baseStart - lead;
  for (const hunk of hunks) {
    for (; at < hunk.baseStart; at++) add(' ', a[at] as string);
    for (; at < hunk.baseEnd; at++) add('-', a[at] as string);
    for (let other = hunk.otherStart; other < hunk.otherEnd; other++) add('+', b[other] as string);
  }
  for (; at < last.baseEnd + tail; at++) add(' ', a[at] as string);
  const oldRange = printRange(first.baseStart - lead, last.baseEnd + tail);
  const newRange = printRange(first.otherStart - lead, last.otherEnd + tail);
  return `@@ -${oldRange} +${newRange} @@\n${lines.join('')}`;
}

function printRange(start: number, end: number): string {
  const count = end - start;
  if (count === 1) return `${start + 1}`;
  return `${count === 0 ? start : start + 1},${count}`;
}
