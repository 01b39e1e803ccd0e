/**
 * The state of a sysroot: its deployments in menu order, and what each is to the machine. Read only; needs no lock, no
 * privileges and no writable disk.
 */
import { type Bootloader, type BootMenu, EMPTY_MENU, HOST_ID } from '../bootloader/index.ts';
import { isHacktreeError } from '../core/index.ts';
import { type Deployment, listRootDirs, readDeployment } from './deployment.ts';
import type { SysrootPaths } from './layout.ts';
import { isDoomed } from './remove.ts';
import { type Sysroot, sysrootBootloader } from './sysroot.ts';

export interface SysrootState {
  readonly sysroot: Sysroot;
  /** undefined when no boot loader was found. */
  readonly bootloader: Bootloader | undefined;
  readonly menu: BootMenu;
  /** In the order of the menu. */
  readonly deployments: readonly Deployment[];
  /** Roots that the menu does not name and that the next change removes: they never came up, or their removal was begun. */
  readonly orphans: readonly string[];
  /** Other roots that the menu does not name: it was lost, or /boot is not mounted. They stay. */
  readonly unlisted: readonly string[];
  /** Root this system runs from, or HOST_ID. */
  readonly booted: string;
  /** Newest root that came up well, other than one on trial. */
  readonly lastGood: string | undefined;
}

/** Reads the state. */
export function readState(sysroot: Sysroot): SysrootState {
  const bootloader = openOrNone(sysroot);
  const menu = readMenu(bootloader);
  const named = menu.entries.map(({ id }) => id).filter((id) => !id.endsWith(ONCE_SUFFIX));
  const deployments = named.map((id) => readDeployment(sysroot.paths, id));
  const notNamed = listRootDirs(sysroot.paths).filter((root) => !named.includes(root));
  const orphans = bootloader === undefined ? [] : notNamed.filter((root) => isRemovable(sysroot.paths, root));
  const unlisted = notNamed.filter((root) => !orphans.includes(root));
  const good = deployments.filter(
    ({ goodSec, isPresent, failure }) => goodSec !== undefined && isPresent && failure === undefined,
  );
  const lastGood = good.toSorted((a, b) => (b.goodSec ?? 0) - (a.goodSec ?? 0))[0]?.root;
  return { sysroot, bootloader, menu, deployments, orphans, unlisted, booted: sysroot.bootedRoot ?? HOST_ID, lastGood };
}

function isRemovable(paths: SysrootPaths, root: string): boolean {
  return readDeployment(paths, root).goodSec === undefined || isDoomed(paths, root);
}

/** A trial that was set up elsewhere means nothing where boots are not counted. */
function readMenu(bootloader: Bootloader | undefined): BootMenu {
  const menu = bootloader?.read() ?? EMPTY_MENU;
  return bootloader?.countsBoots === true ? menu : { ...menu, triesLeft: undefined };
}

/** Ends the id of an entry that is a root with arguments for one boot only. */
export const ONCE_SUFFIX = '+once';

function openOrNone(sysroot: Sysroot): Bootloader | undefined {
  try {
    return sysrootBootloader(sysroot);
  } catch (error) {
    if (isHacktreeError(error) && error.code === 'bootloader-missing') return undefined;
    throw error;
  }
}

/** What boots when the default is given up: the default in force if it is good, else the last good root, else the host. */
export function fallbackOf({ menu, deployments, lastGood, booted }: SysrootState, except: string): string {
  const isGood = (id: string): boolean => {
    const deployment = deployments.find(({ root }) => root === id);
    return deployment?.isPresent === true && deployment.failure === undefined && deployment.goodSec !== undefined;
  };
  for (const id of [booted, menu.defaultId, lastGood])
    if (id !== undefined && id !== except && id !== HOST_ID && isGood(id)) return id;
  return HOST_ID;
}

/** Why the root that boots if the default fails must stay. */
export const FALLBACK = 'what boots if the default fails';

/** Roots that must stay whatever a policy says, with the reason. */
export function protectedRoots(state: SysrootState): Map<string, string> {
  const reasons = new Map<string, string>();
  const add = (root: string | undefined, reason: string): void => {
    if (root !== undefined && root !== HOST_ID && !reasons.has(root)) reasons.set(root, reason);
  };
  add(state.booted, 'booted');
  add(state.menu.defaultId, 'the default');
  add(state.menu.previousId, FALLBACK);
  add(state.lastGood, 'the last good one');
  for (const { root, pin } of state.deployments) if (pin !== undefined) add(root, 'pinned');
  return reasons;
}
