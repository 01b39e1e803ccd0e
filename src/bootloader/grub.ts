/**
 * The GRUB backend: stock GRUB 2.06 and later, BIOS and UEFI, with `/boot/grub` or `/boot/grub2`.
 *
 *     BOOT/grub/grub.cfg       the distribution's; read, never written
 *     BOOT/grub/custom.cfg     the user's; hacktree adds one marked line, once
 *     BOOT/grub/hacktree.cfg   hacktree's menu (grub-script.ts); replaced by one rename
 *     BOOT/grub/grubenv        1024 bytes changed in place: default, previous, tries, one-shot
 *
 * The menu is always changed before the environment block. A block that names an entry the menu does not have is met by
 * the script with its own default, so a stop between the two boots a complete root either way.
 *
 * A change of default or tries alone writes nothing but the block, and works on a full disk.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { hostBlsArguments } from './bls-host.ts';
import { inspectBootDisk } from './boot-disk.ts';
import { type GrubHost, parseGrubHost } from './grub-host.ts';
import { GRUB_VARIABLES, parseGrubScript, printGrubScript } from './grub-script.ts';
import { emptyGrubenv, parseGrubenv } from './grubenv.ts';
import { checkMenu, EMPTY_MENU } from './menu.ts';
import { planSwap, type Replacement } from './swap.ts';
import {
  type Bootloader,
  type BootMenu,
  type BootPlan,
  type BootStep,
  type BootWarning,
  HOST_ID,
  type PlanOptions,
} from './types.ts';
import { verifyMenu } from './verify.ts';

const V = GRUB_VARIABLES;

/** The line in custom.cfg. Old GRUBs set no config_directory. */
const SOURCE_LINE =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GRUB's variables
  'if [ -f "${config_directory}/hacktree.cfg" ]; then source "${config_directory}/hacktree.cfg"; elif [ -f "${prefix}/hacktree.cfg" ]; then source "${prefix}/hacktree.cfg"; fi # added by hacktree: its boot menu';

interface GrubState {
  readonly host: GrubHost;
  readonly script: string | undefined;
  readonly custom: string | undefined;
  readonly env: ReadonlyMap<string, string> | undefined;
  readonly mode: number;
}

/** Returns the directory of GRUB's configuration below a boot directory, undefined when there is none. */
export function findGrubDir(bootDir: string): string | undefined {
  return ['grub', 'grub2'].map((name) => join(bootDir, name)).find((dir) => fs.existsSync(join(dir, 'grub.cfg')));
}

/** Opens the GRUB of a boot directory. `grubDir` is that of findGrubDir. Errors: `permission`, `io`. */
export function openGrub(bootDir: string, grubDir: string): Bootloader {
  const paths = grubPaths(grubDir);
  const host = parseGrubHost(readText(paths.host) ?? '');
  const disk = inspectBootDisk(bootDir, paths.env);
  const countsBoots = disk.envObstacle === undefined;
  const load = (): GrubState => loadState(paths, host);
  return {
    name: 'grub',
    bootDir,
    hostArguments: host.arguments.length > 0 ? host.arguments : hostBlsArguments(join(bootDir, 'loader/entries')),
    countsBoots,
    read: () => toMenu(load()),
    plan(menu, options = {}) {
      checkMenu(menu, countsBoots);
      return planGrub(menu, load(), { bootDir, paths, settleAlso: options.settleAlso ?? [], exists: fs.existsSync });
    },
    verify: (menu, digests, hashed) => verifyMenu(menu, toMenu(load()), { bootDir, configPath: paths.script, digests, hashed }),
    warnings: () => grubWarnings(load(), disk, paths),
  };
}

interface GrubPaths {
  readonly host: string;
  readonly custom: string;
  readonly script: string;
  readonly env: string;
}

function grubPaths(dir: string): GrubPaths {
  const at = (name: string): string => join(dir, name);
  return { host: at('grub.cfg'), custom: at('custom.cfg'), script: at('hacktree.cfg'), env: at('grubenv') };
}

function loadState(paths: GrubPaths, host: GrubHost): GrubState {
  const env = readBytes(paths.env);
  return {
    host,
    script: readText(paths.script),
    custom: readText(paths.custom),
    env: env === undefined ? undefined : parseGrubenv(env),
    mode: fs.statSync(paths.host).mode & 0o777,
  };
}

/** Says what the script and the environment block together mean, as the script itself would. */
function toMenu({ script, env }: Pick<GrubState, 'script' | 'env'>): BootMenu {
  if (script === undefined) return EMPTY_MENU;
  const { entries, fallbackDefaultId } = parseGrubScript(script);
  const known = (id: string | undefined): id is string => id === HOST_ID || entries.some((entry) => entry.id === id);
  const named = env?.get(V.default);
  const previous = env?.get(V.previous);
  const tries = env?.get(V.tries) ?? '';
  const oneShot = env?.get(V.oneShot);
  return {
    entries,
    defaultId: known(named) ? named : fallbackDefaultId,
    previousId: known(previous) ? previous : HOST_ID,
    triesLeft: known(named) && named !== HOST_ID && /^[0-9]$/.test(tries) ? Number(tries) : undefined,
    oneShotId: known(oneShot) ? oneShot : undefined,
    fellBackId: env?.get(V.fellBack) || undefined,
  };
}

interface GrubSituation extends Required<PlanOptions> {
  readonly bootDir: string;
  readonly paths: GrubPaths;
  readonly exists: (path: string) => boolean;
}

/** Plans the way from a state to a menu. Pure but for `exists`. Errors: `boot-menu-invalid`. */
function planGrub(menu: BootMenu, state: GrubState, situation: GrubSituation): BootPlan {
  const { paths } = situation;
  const script = newScript(menu, state, situation);
  const files: Replacement[] = [];
  if (state.env === undefined) files.push({ path: paths.env, text: emptyGrubenv().toString('latin1'), mode: state.mode });
  if (script !== state.script) files.push({ path: paths.script, text: script, mode: state.mode });
  if (!hasSourceLine(state.custom)) {
    files.push({ path: paths.custom, text: withSourceLine(state.custom), mode: customMode(state, paths) });
  }
  const swap = planSwap(files, { ...situation, known: [paths.env, paths.script, paths.custom] });
  const set = environmentChanges(menu, state, new Set(toMenu(state).entries.map(({ id }) => id)));
  const environment: BootStep[] =
    Object.keys(set).length === 0 ? [] : [{ kind: 'set-grubenv', title: 'set what boots by default', path: paths.env, set }];
  return {
    bootloader: 'grub',
    steps: [...swap.prepare, ...swap.publish, ...environment, ...swap.tidy],
    visibleFrom: swap.prepare.length,
  };
}

/**
 * The script for a menu. Its own default is the one in force now where that stays listed, so that the environment block's
 * single write is what switches. A script that says the same already is left as it is.
 */
function newScript(menu: BootMenu, state: GrubState, { bootDir }: GrubSituation): string {
  const ownPartition = isMountPoint(bootDir);
  const print = (fallbackDefaultId: string): string =>
    printGrubScript({ entries: menu.entries, fallbackDefaultId }, state.host, ownPartition ? '' : '/boot');
  const isListed = (id: string): boolean => id === HOST_ID || menu.entries.some((entry) => entry.id === id);
  if (state.script !== undefined) {
    const { fallbackDefaultId } = parseGrubScript(state.script);
    if (isListed(fallbackDefaultId) && print(fallbackDefaultId) === state.script) return state.script;
  }
  const current = toMenu(state).defaultId;
  return print(isListed(current) ? current : menu.defaultId);
}

function environmentChanges(menu: BootMenu, { env }: GrubState, oldIds: ReadonlySet<string>): Record<string, string | undefined> {
  const wanted: Record<string, string | undefined> = {
    [V.default]: menu.defaultId,
    [V.previous]: menu.previousId,
    [V.tries]: menu.triesLeft === undefined ? undefined : String(menu.triesLeft),
    [V.fellBack]: menu.fellBackId,
  };
  const oneShot = env?.get(V.oneShot);
  const ours = oneShot !== undefined && (oneShot === HOST_ID || oldIds.has(oneShot));
  if (menu.oneShotId !== undefined || ours) wanted[V.oneShot] = menu.oneShotId;
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => (env?.get(name) || undefined) !== value));
}

function hasSourceLine(custom: string | undefined): boolean {
  return custom?.split('\n').includes(SOURCE_LINE) === true;
}

function withSourceLine(custom: string | undefined): string {
  const text = custom ?? '';
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${SOURCE_LINE}\n`;
}

function customMode(state: GrubState, paths: GrubPaths): number {
  return (fs.statSync(paths.custom, { throwIfNoEntry: false })?.mode ?? state.mode) & 0o777;
}

function isMountPoint(dir: string): boolean {
  return fs.statSync(dir).dev !== fs.statSync(dirname(dir)).dev;
}

function grubWarnings(state: GrubState, disk: ReturnType<typeof inspectBootDisk>, paths: GrubPaths): BootWarning[] {
  const warnings: BootWarning[] = [];
  if (disk.envObstacle !== undefined) {
    warnings.push({
      code: 'grubenv-not-writable',
      message: `${disk.envObstacle}, so it cannot count boot attempts`,
      consequence: 'A root that does not come up is not left by itself: choose another in the boot menu',
    });
  }
  if (disk.unreadable.length > 0) {
    warnings.push({
      code: 'file-system-unreadable',
      message: `The file system of ${dirname(paths.host)} has features GRUB cannot read: ${disk.unreadable.join(', ')}`,
      consequence: 'GRUB finds neither its menu nor the kernels; make /boot anew without these features',
    });
  }
  if (disk.doubtful.length > 0) {
    warnings.push({
      code: 'file-system-doubtful',
      message: `The file system of ${dirname(paths.host)} has features that not every GRUB reads: ${disk.doubtful.join(', ')}`,
      consequence: 'Fine with Debian 12 and GRUB 2.12; GRUB 2.06 as released does not start from it',
    });
  }
  if (!state.host.sourcesCustomCfg) {
    warnings.push({
      code: 'custom-cfg-not-sourced',
      message: `${paths.host} does not source custom.cfg, so the boot menu never reads ${paths.script}`,
      consequence: 'Deployed roots do not show up in the menu; enable /etc/grub.d/41_custom and run update-grub once',
    });
  }
  return warnings;
}

function readBytes(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, 'Cannot read', path);
  }
}

const readText = (path: string): string | undefined => readBytes(path)?.toString('utf8');
