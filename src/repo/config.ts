/**
 * The repository's config file, with its `[core]` keys typed and defaulted. Unknown keys are kept.
 *
 * Source: ostree-format 6, 8.
 */
import * as fs from 'node:fs';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import { KeyFile } from '../format/index.ts';
import { writeFileDurable } from '../sys/index.ts';
import { configFile, type RepoMode } from './layout.ts';

export interface RepoConfig {
  readonly keyFile: KeyFile;
  readonly mode: RepoMode;
  readonly collectionId: string | undefined;
  readonly parentPath: string | undefined;
  readonly fsync: boolean;
  readonly perObjectFsync: boolean;
  readonly disableXattrs: boolean;
  readonly enableUncompressedCache: boolean;
  readonly locking: boolean;
  /** -1 waits for ever, 0 fails at once. */
  readonly lockTimeoutSec: number;
  readonly tmpExpirySec: number;
  /** 0..99; not used when minFreeSpaceBytes is set. */
  readonly minFreeSpacePercent: number;
  readonly minFreeSpaceBytes: number | undefined;
  /** Text of min-free-space-size as written, for messages. */
  readonly minFreeSpaceText: string | undefined;
  readonly tombstoneCommits: boolean;
  readonly autoUpdateSummary: boolean;
  readonly noDeltasInSummary: boolean;
  readonly indexedDeltas: boolean;
  /** Static deltas are used only when they are signed with a trusted key. */
  readonly signVerifyDeltas: boolean;
  readonly addRemotesConfigDir: boolean;
  /** 1..9. */
  readonly zlibLevel: number;
  /** `[archive] packs`, hacktree's own: whether a mirror has packs of small files beside its index. */
  readonly hasFilePacks: boolean;
}

const MODE_NAMES: Record<string, RepoMode> = {
  bare: 'bare',
  'bare-user': 'bare-user',
  'bare-user-only': 'bare-user-only',
  'bare-split-xattrs': 'bare-split-xattrs',
  archive: 'archive',
  'archive-z2': 'archive',
};

const SIZE_UNITS: Record<string, number> = { MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

/** Reads a mode name of the command line or config file; undefined when unknown. */
export function parseRepoMode(text: string): RepoMode | undefined {
  return MODE_NAMES[text];
}

/** The mode as the config file and the summary write it: archive is `archive-z2`. */
export function printRepoMode(mode: RepoMode): string {
  return mode === 'archive' ? 'archive-z2' : mode;
}

/** Reads and checks the config file. Errors: `repo-config`, `repo-not-found`. */
export function readConfig(repoPath: string): RepoConfig {
  const path = configFile(repoPath);
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw wrapSystemError(error, 'opening repo: reading', path);
  }
  return interpretConfig(KeyFile.parse(text, path), path);
}

/** Writes a changed key file durably. */
export function writeConfig(repoPath: string, keyFile: KeyFile): void {
  const path = configFile(repoPath);
  const mode = fs.statSync(path, { throwIfNoEntry: false })?.mode ?? 0o644;
  writeFileDurable(path, Buffer.from(keyFile.print()), { mode: mode & 0o7777 });
}

/** Checks a key file as a repository's config. Errors: `repo-config`. */
export function interpretConfig(keyFile: KeyFile, path: string): RepoConfig {
  const flag = (key: string, fallback: boolean): boolean => keyFile.getBoolean('core', key) ?? fallback;
  const integer = (key: string, fallback: number): number => keyFile.getInteger('core', key) ?? fallback;
  const version = keyFile.get('core', 'repo_version');
  if (version !== '1') throw invalid(path, 'Invalid repository version', '1', version);
  if (keyFile.getBoolean('core', 'archive') === true)
    throw invalid(path, 'This version no longer supports archive repositories', 'mode=', 'archive=true');
  const modeText = keyFile.get('core', 'mode') ?? 'bare';
  const mode = parseRepoMode(modeText);
  if (mode === undefined)
    throw invalid(path, `Invalid mode '${modeText}' in repository configuration`, Object.keys(MODE_NAMES).join(', '), modeText);
  const percent = integer('min-free-space-percent', 3);
  if (percent < 0 || percent > 99) throw invalid(path, 'min-free-space-percent is out of range', '0..99', String(percent));
  const sizeText = keyFile.get('core', 'min-free-space-size');
  return {
    keyFile,
    mode,
    collectionId: keyFile.getString('core', 'collection-id'),
    parentPath: keyFile.getString('core', 'parent'),
    fsync: flag('fsync', true),
    perObjectFsync: flag('per-object-fsync', false),
    disableXattrs: flag('disable-xattrs', false),
    enableUncompressedCache: flag('enable-uncompressed-cache', true),
    locking: flag('locking', true),
    lockTimeoutSec: integer('lock-timeout-secs', 300),
    tmpExpirySec: integer('tmp-expiry-secs', 86400),
    minFreeSpacePercent: percent,
    minFreeSpaceBytes: sizeText === undefined ? undefined : parseSize(sizeText, path),
    minFreeSpaceText: sizeText,
    tombstoneCommits: flag('tombstone-commits', false),
    autoUpdateSummary: flag('auto-update-summary', flag('commit-update-summary', false)),
    noDeltasInSummary: flag('no-deltas-in-summary', false),
    indexedDeltas: flag('indexed-deltas', false),
    signVerifyDeltas: flag('sign-verify-deltas', false),
    addRemotesConfigDir: flag('add-remotes-config-dir', false),
    zlibLevel: Math.min(9, Math.max(1, keyFile.getInteger('archive', 'zlib-level') ?? 6)),
    hasFilePacks: keyFile.getBoolean('archive', 'packs') ?? true,
  };
}

function parseSize(text: string, path: string): number {
  const match = /^(\d+)(MB|GB|TB)$/.exec(text.trim());
  if (match?.[1] === undefined || match[2] === undefined) {
    throw invalid(path, "It should be of the format '123MB', '123GB' or '123TB': min-free-space-size", 'NMB, NGB or NTB', text);
  }
  return Number(match[1]) * (SIZE_UNITS[match[2]] ?? 0);
}

function invalid(path: string, message: string, expected: string, found: string | undefined): HacktreeError {
  return new HacktreeError('repo-config', `${message}: ${path}, expected ${expected}, found ${found ?? 'nothing'}`, {
    details: { path, expected, found: found ?? 'nothing' },
  });
}
