/**
 * Backends that speak through Boot Loader Specification files: systemd-boot, and `none` for image builders.
 *
 *     BOOT/loader/entries/hacktree-ID[+LEFT[-DONE]].conf   one per entry (bls.ts)
 *     BOOT/loader/loader.conf                              systemd-boot: the host's `default` line is put aside
 *
 * The file system is usually FAT: no links, no journal. A file is written under a name without `.conf`, which no
 * loader reads, then renamed. Entries are published from the new default on, before anything is removed; every state
 * between is a list of complete entries.
 *
 * A one-shot choice is the EFI variable LoaderEntryOneShot; where there are none (`none`, no efivarfs) it is refused.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import { BLS_SORT_KEYS, type BlsRank, parseBlsEntry, parseBlsName, printBlsEntry, printBlsName } from './bls.ts';
import { editLoaderConf, hostBlsArguments, listConf, newestHostEntry } from './bls-host.ts';
import { splitKargs } from './kargs.ts';
import { checkMenu, EMPTY_MENU, menuProblem } from './menu.ts';
import { type BootEntry, type Bootloader, type BootMenu, type BootPlan, type BootStep, HOST_ID } from './types.ts';
import { verifyMenu } from './verify.ts';

const ONE_SHOT_VARIABLE = 'LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

export interface BlsSite {
  readonly name: 'systemd-boot' | 'none';
  /** ESP or extended boot partition; for `none` any directory. */
  readonly bootDir: string;
  /** Where efivarfs is mounted. */
  readonly efiVariables: string;
}

interface EntryFile {
  readonly fileName: string;
  readonly text: string;
  readonly triesLeft: number | undefined;
  readonly rank: BlsRank;
  readonly entry: BootEntry;
}

/** Opens the boot loader of a site. */
export function openBls(site: BlsSite): Bootloader {
  const entriesDir = join(site.bootDir, 'loader/entries');
  const countsBoots = site.name === 'systemd-boot';
  const oneShot = site.name === 'systemd-boot' ? join(site.efiVariables, ONE_SHOT_VARIABLE) : undefined;
  const read = (): BootMenu => toMenu(loadEntries(entriesDir), readOneShot(oneShot));
  return {
    name: site.name,
    bootDir: site.bootDir,
    hostArguments: hostBlsArguments(entriesDir),
    countsBoots,
    read,
    plan(menu, options = {}) {
      checkMenu(menu, countsBoots);
      return planBls(menu, { site, entriesDir, oneShot, found: loadEntries(entriesDir), settleAlso: options.settleAlso ?? [] });
    },
    verify: (menu, digests, hashed) =>
      verifyMenu(menu, read(), { bootDir: site.bootDir, configPath: entriesDir, digests, hashed }),
    warnings: () =>
      countsBoots
        ? []
        : [
            {
              code: 'boot-counting-off',
              message: 'No boot loader is managed here: boot entries are written as files alone',
              consequence: 'Nothing counts boot attempts, and one-shot choices are not possible',
            },
          ],
  };
}

function loadEntries(entriesDir: string): EntryFile[] {
  return listConf(entriesDir).flatMap((fileName) => {
    const name = parseBlsName(fileName);
    if (name === undefined) return [];
    const text = readFile(join(entriesDir, fileName));
    const { title, version, linux, initrds, options, sortKey } = parseBlsEntry(text);
    const relative = (path: string): string => path.replace(/^\/+/, '');
    const ranks = Object.keys(BLS_SORT_KEYS) as BlsRank[];
    const entry: BootEntry = {
      id: name.id,
      title,
      version,
      kernel: relative(linux ?? ''),
      initrds: initrds.map(relative),
      arguments: splitKargs(options),
    };
    const rank = ranks.find((key) => BLS_SORT_KEYS[key] === sortKey) ?? 'low';
    return [{ fileName, text, triesLeft: name.triesLeft, rank, entry }];
  });
}

/** Says what the files mean, as systemd-boot orders them: an entry without tries left is behind all others. */
function toMenu(files: readonly EntryFile[], oneShotFile: string | undefined): BootMenu {
  if (files.length === 0) return EMPTY_MENU;
  const first = files.find(({ rank }) => rank === 'default');
  const previousId = files.find(({ rank }) => rank === 'previous')?.entry.id ?? HOST_ID;
  const isExhausted = first?.triesLeft === 0;
  const oneShot = oneShotFile === undefined ? undefined : parseBlsName(oneShotFile)?.id;
  return {
    entries: files.map(({ entry }) => entry).toSorted((a, b) => menuPosition(files, a.id) - menuPosition(files, b.id)),
    defaultId: first === undefined ? HOST_ID : isExhausted ? previousId : first.entry.id,
    previousId,
    triesLeft: isExhausted ? undefined : first?.triesLeft,
    oneShotId: files.find(({ entry }) => entry.id.toLowerCase() === oneShot)?.entry.id,
    fellBackId: isExhausted ? first.entry.id : undefined,
  };
}

const ORDER_LINE = /^# hacktree-order (\d+)$/m;

/** Position in the menu that was asked for: systemd-boot sorts for itself, but a menu read back keeps its order. */
function menuPosition(files: readonly EntryFile[], id: string): number {
  return Number(ORDER_LINE.exec(files.find(({ entry }) => entry.id === id)?.text ?? '')?.[1] ?? 0);
}

interface BlsSituation {
  readonly site: BlsSite;
  readonly entriesDir: string;
  readonly oneShot: string | undefined;
  readonly found: readonly EntryFile[];
  readonly settleAlso: readonly string[];
}

function planBls(menu: BootMenu, situation: BlsSituation): BootPlan {
  const { site, entriesDir, found } = situation;
  const wanted = menu.entries.map((entry, i) => wantedFile(menu, entry, i));
  const changed = wanted
    .filter(({ fileName, text }) => !found.some((file) => file.fileName === fileName && file.text === text))
    .toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
  const stale = found.filter(({ fileName }) => wanted.every((file) => file.fileName !== fileName));
  const files = changed.map(({ fileName, text }) => ({ path: join(entriesDir, fileName), text }));
  const loaderConf = site.name === 'systemd-boot' ? loaderConfChange(menu, site.bootDir) : [];
  const settle = (title: string, also: readonly string[] = []): BootStep => ({
    kind: 'settle',
    title,
    paths: [site.bootDir, ...also],
  });
  const all = [...files, ...loaderConf];
  const steps: BootStep[] = [];
  if (files.length > 0) steps.push({ kind: 'make-dir', title: 'make the directory of boot entries', path: entriesDir });
  for (const { path, text } of all) {
    steps.push({ kind: 'write-new', title: 'write a boot entry', path: `${path}.new`, text, mode: 0o644 });
  }
  if (all.length > 0) steps.push(settle('settle everything new', situation.settleAlso));
  const visibleFrom = steps.length;
  for (const { path } of all) {
    steps.push({ kind: 'rename', title: 'put a boot entry in place', from: `${path}.new`, to: path });
    steps.push(settle('settle the boot entry'));
  }
  for (const { fileName } of stale) {
    steps.push({ kind: 'remove', title: 'remove a boot entry', path: join(entriesDir, fileName) });
  }
  steps.push(...oneShotSteps(menu, situation));
  return { bootloader: site.name, steps, visibleFrom };
}

function wantedFile(menu: BootMenu, entry: BootEntry, order: number): { fileName: string; text: string; isDefault: boolean } {
  const isDefault = entry.id === menu.defaultId;
  const triesLeft = isDefault ? menu.triesLeft : undefined;
  const text = `# hacktree-order ${order}\n${printBlsEntry(entry, rankOf(menu, entry.id))}`;
  return { fileName: printBlsName({ id: entry.id, triesLeft, triesDone: 0 }), text, isDefault };
}

function rankOf(menu: BootMenu, id: string): BlsRank {
  if (menu.defaultId === HOST_ID) return 'low';
  if (id === menu.defaultId) return 'default';
  if (id === menu.previousId) return 'previous';
  return menu.previousId === HOST_ID ? 'low' : 'other';
}

function loaderConfChange(menu: BootMenu, bootDir: string): { path: string; text: string }[] {
  const path = join(bootDir, 'loader/loader.conf');
  if (!fs.existsSync(path)) return [];
  const old = readFile(path);
  const text = editLoaderConf(old, menu.defaultId === HOST_ID);
  return text === old ? [] : [{ path, text }];
}

function oneShotSteps(menu: BootMenu, { oneShot, entriesDir, found }: BlsSituation): BootStep[] {
  const current = toMenu(found, readOneShot(oneShot)).oneShotId;
  if (menu.oneShotId === current) return [];
  if (oneShot === undefined || !fs.existsSync(join(oneShot, '..'))) {
    throw new HacktreeError('not-supported', 'A one-shot boot entry needs EFI variables, and there are none here', {
      details: { path: oneShot },
      hints: ['choose the entry in the boot menu, or make it the default'],
    });
  }
  const value = menu.oneShotId === undefined ? undefined : entryFileId(menu.oneShotId, entriesDir);
  return [{ kind: 'set-efi-variable', title: 'set what boots once', path: oneShot, value }];
}

/** Name by which systemd-boot knows an entry: the file's, without counter, in lower case. */
function entryFileId(id: string, entriesDir: string): string {
  const host = id === HOST_ID ? newestHostEntry(entriesDir)?.fileName : undefined;
  if (id === HOST_ID && host === undefined) throw menuProblem('The host has no boot entry of its own that could be booted once');
  return (host ?? printBlsName({ id, triesLeft: undefined, triesDone: 0 })).toLowerCase();
}

function readOneShot(path: string | undefined): string | undefined {
  if (path === undefined || !fs.existsSync(path)) return undefined;
  return fs.readFileSync(path).subarray(4).toString('utf16le').replace(/\0+$/, '');
}

function readFile(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw wrapSystemError(error, 'Cannot read', path);
  }
}
