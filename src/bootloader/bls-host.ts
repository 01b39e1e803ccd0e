/**
 * Reads what the host itself has under `loader/`: its newest type 1 entry, and its loader.conf.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { type BlsEntry, parseBlsEntry, parseBlsName } from './bls.ts';
import { splitKargs } from './kargs.ts';

const LOADER_ARGUMENT = /^(BOOT_IMAGE=|initrd=|hacktree=|boot=hacktree$|\$)/;

/** Leaves out what a boot loader adds, what hacktree sets, and GRUB variables. */
export function withoutLoaderArguments(words: readonly string[]): string[] {
  return words.filter((word) => !LOADER_ARGUMENT.test(word));
}

export interface HostBlsEntry extends BlsEntry {
  readonly fileName: string;
}

/** The host's newest entry by file name; undefined when there is none. */
export function newestHostEntry(entriesDir: string): HostBlsEntry | undefined {
  const names = listConf(entriesDir).filter((name) => parseBlsName(name) === undefined);
  const fileName = names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (fileName === undefined) return undefined;
  return { fileName, ...parseBlsEntry(fs.readFileSync(join(entriesDir, fileName), 'utf8')) };
}

/** Kernel command line of the host's newest entry. */
export function hostBlsArguments(entriesDir: string): string[] {
  return withoutLoaderArguments(splitKargs(newestHostEntry(entriesDir)?.options ?? ''));
}

/** Names of the entry files of a directory, sorted; none when it is not there. */
export function listConf(entriesDir: string): string[] {
  try {
    return fs
      .readdirSync(entriesDir)
      .filter((name) => name.endsWith('.conf'))
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw wrapSystemError(error, 'Cannot read', entriesDir);
  }
}

const MARK = '#hacktree# ';

/**
 * Edits a loader.conf: the host's `default` line would win over the order of the entries, so it is put behind a mark while
 * one of hacktree's entries is the default, and taken back when the host is.
 */
export function editLoaderConf(text: string, hostIsDefault: boolean): string {
  return text
    .split('\n')
    .map((line) => {
      if (hostIsDefault) return line.startsWith(MARK) ? line.slice(MARK.length) : line;
      return /^\s*default\s/.test(line) ? `${MARK}${line}` : line;
    })
    .join('\n');
}
