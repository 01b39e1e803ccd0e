/**
 * Merges two changed versions of a text with their common base, line by line (diff3).
 *
 * Changes of one side alone are taken; the same change on both sides is taken once; changes that overlap or touch are
 * a conflict, and then there is no merged text at all: a configuration file with conflict marks in it is of no use to
 * the program that reads it. One exception: neighbouring lines that set different keys, as in `/etc/default/grub`, are
 * no conflict when one side changed one and the other the next (settings.ts). Texts are byte strings (latin1), so that every encoding survives. Lines are what stands
 * between line feeds; text that ends with one has an empty last line, which makes the missing final line feed a
 * difference like any other.
 *
 * Source: Khanna, Kunal, Pierce, "A Formal Investigation of Diff3" (2007).
 */
import { diffLines, type Hunk } from './line-diff.ts';
import { areIndependentSettings, isProgram } from './settings.ts';

export interface TextVersions {
  readonly base: Buffer;
  readonly user: Buffer;
  readonly next: Buffer;
}

export interface LineMerge {
  /** Undefined when there are conflicts. */
  readonly merged: Buffer | undefined;
  /** Places where both sides changed the same or adjacent lines differently: line numbers of the user's text, from 1. */
  readonly conflictLines: readonly number[];
}

/** Merges by lines. */
export function mergeByLines(versions: TextVersions): LineMerge {
  const base = splitLines(versions.base);
  const user = splitLines(versions.user);
  const next = splitLines(versions.next);
  const merged: string[] = [];
  const conflictLines: number[] = [];
  let at = 0;
  const hunks = { user: diffLines(base, user), next: diffLines(base, next) };
  const linesOf = ({ hunk, side }: SideHunk): string[] => [
    ...base.slice(hunk.baseStart, hunk.baseEnd),
    ...(side === 'user' ? user : next).slice(hunk.otherStart, hunk.otherEnd),
  ];
  const mayTouch = [base, user, next].some(isProgram)
    ? () => false
    : (one: SideHunk, other: SideHunk): boolean => areIndependentSettings(linesOf(one), linesOf(other));
  for (const group of groupHunks(hunks, mayTouch)) {
    for (; at < group.baseStart; at++) merged.push(base[at] as string);
    at = group.baseEnd;
    const ours = replaced(user, group, group.user);
    const theirs = replaced(next, group, group.next);
    if (group.next.length === 0 || sameLines(ours, theirs)) merged.push(...ours);
    else if (group.user.length === 0) merged.push(...theirs);
    else conflictLines.push(Math.min(firstLine(group, group.user), user.length));
  }
  for (; at < base.length; at++) merged.push(base[at] as string);
  return { merged: conflictLines.length > 0 ? undefined : Buffer.from(merged.join('\n'), 'latin1'), conflictLines };
}

/** Splits bytes into lines without their line feeds; the last one is empty when the text ends with a line feed. */
function splitLines(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\n');
}

interface HunkGroup {
  baseStart: number;
  baseEnd: number;
  readonly user: Hunk[];
  readonly next: Hunk[];
}

interface SideHunk {
  readonly hunk: Hunk;
  readonly side: 'user' | 'next';
}

/** Puts hunks of both sides that overlap, or touch and may not, into one group; groups come in order. */
function groupHunks(
  hunks: { readonly user: readonly Hunk[]; readonly next: readonly Hunk[] },
  mayTouch: (one: SideHunk, other: SideHunk) => boolean,
): HunkGroup[] {
  const sides = ['user', 'next'] as const;
  const all: SideHunk[] = sides.flatMap((side) => hunks[side].map((hunk) => ({ hunk, side })));
  all.sort((x, y) => x.hunk.baseStart - y.hunk.baseStart || x.hunk.baseEnd - y.hunk.baseEnd);
  const groups: HunkGroup[] = [];
  let last: SideHunk | undefined;
  for (const one of all) {
    const { hunk, side } = one;
    let group = groups.at(-1);
    const isApart = group === undefined || last === undefined || hunk.baseStart > group.baseEnd;
    const touches = !isApart && hunk.baseStart === group?.baseEnd && (!isInsertion(hunk) || !isInsertion(last?.hunk));
    if (group === undefined || isApart || (touches && last !== undefined && mayTouch(last, one))) {
      group = { baseStart: hunk.baseStart, baseEnd: hunk.baseEnd, user: [], next: [] };
      groups.push(group);
    }
    group.baseEnd = Math.max(group.baseEnd, hunk.baseEnd);
    group[side].push(hunk);
    last = one;
  }
  return groups;
}

function isInsertion(hunk: Hunk | undefined): boolean {
  return hunk !== undefined && hunk.baseStart === hunk.baseEnd;
}

/** Where the group starts in a side that has hunks in it. */
function firstLine(group: HunkGroup, hunks: readonly Hunk[]): number {
  const first = hunks[0] as Hunk;
  return first.otherStart - (first.baseStart - group.baseStart) + 1;
}

/** What one side has in place of the group's base lines; nothing when it changed none of them. */
function replaced(lines: readonly string[], group: HunkGroup, hunks: readonly Hunk[]): string[] {
  const first = hunks[0];
  const last = hunks.at(-1);
  if (first === undefined || last === undefined) return [];
  const start = first.otherStart - (first.baseStart - group.baseStart);
  const end = last.otherEnd + (group.baseEnd - last.baseEnd);
  return lines.slice(start, end);
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
