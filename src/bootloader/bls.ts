/**
 * Boot Loader Specification, type 1: one text file per entry, as systemd-boot reads it.
 *
 * A file's name carries its id and its counter: `hacktree-ID+3.conf`, later `hacktree-ID+2-1.conf` (left, done), and
 * `hacktree-ID.conf` once it is proven. systemd-boot starts the first of its list: by sort-key, then version, newest
 * first, with entries that have no tries left behind all others. So what boots is said by sort-keys alone.
 *
 * **Source:** uapi-group.org, Boot Loader Specification, "Type #1"; "Automatic Boot Assessment" (systemd) for the counter.
 */
import type { BootEntry } from './types.ts';

const BLS_PREFIX = 'hacktree-';

export interface BlsName {
  readonly id: string;
  /** Undefined when the entry is not counted. */
  readonly triesLeft: number | undefined;
  readonly triesDone: number;
}

/** Names an entry's file. A `+` of the id is written `%2B`, the counter's own mark stays unambiguous. */
export function printBlsName({ id, triesLeft, triesDone }: BlsName): string {
  const done = triesDone > 0 ? `-${triesDone}` : '';
  const counter = triesLeft === undefined ? '' : `+${triesLeft}${done}`;
  return `${BLS_PREFIX}${id.replaceAll('+', '%2B')}${counter}.conf`;
}

/** Parses a file name; undefined when it is not one of hacktree's. */
export function parseBlsName(name: string): BlsName | undefined {
  const match = /^hacktree-([^+]+?)(?:\+(\d+)(?:-(\d+))?)?\.conf$/.exec(name);
  if (match?.[1] === undefined) return undefined;
  return {
    id: match[1].replaceAll('%2B', '+'),
    triesLeft: match[2] === undefined ? undefined : Number(match[2]),
    triesDone: Number(match[3] ?? 0),
  };
}

/**
 * Sort-keys. Digits sort before the names of systems, `~` after them. `low` is for entries that must not be started
 * before the host: those beside default and previous when either of the two is the host.
 */
export const BLS_SORT_KEYS = {
  default: '0-hacktree-0',
  previous: '0-hacktree-1',
  other: '0-hacktree-2',
  low: '~hacktree',
} as const;
export type BlsRank = keyof typeof BLS_SORT_KEYS;

/** Prints an entry; paths are absolute on the entry's own file system. */
export function printBlsEntry(entry: BootEntry, rank: BlsRank): string {
  return [
    '# Written by hacktree.',
    `title ${entry.title}`,
    `sort-key ${BLS_SORT_KEYS[rank]}`,
    `version ${entry.version}`,
    `linux /${entry.kernel}`,
    ...entry.initrds.map((initrd) => `initrd /${initrd}`),
    `options ${entry.arguments.join(' ')}`,
    '',
  ].join('\n');
}

export interface BlsEntry {
  readonly title: string;
  readonly sortKey: string;
  readonly version: string;
  readonly linux: string | undefined;
  readonly initrds: readonly string[];
  readonly options: string;
}

/** Parses any type 1 entry. Several `options` lines are joined; unknown keys are left out. */
export function parseBlsEntry(text: string): BlsEntry {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const match = /^\s*([a-z-]+)\s+(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], [...(values.get(match[1]) ?? []), match[2] ?? '']);
  }
  const first = (key: string): string | undefined => values.get(key)?.[0];
  return {
    title: first('title') ?? '',
    sortKey: first('sort-key') ?? '',
    version: first('version') ?? '',
    linux: first('linux'),
    initrds: values.get('initrd') ?? [],
    options: (values.get('options') ?? []).join(' '),
  };
}
