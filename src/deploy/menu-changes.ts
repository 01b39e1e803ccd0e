/**
 * Changes of the boot menu that make no root: rollback, another default, one boot only, removing roots, kernel arguments.
 * Each is a new menu, applied by the boot loader in one atomic write and then verified. No root is rewritten.
 */
import { applyBootPlan, type BootMenu, HOST_ID, type KargEdit } from '../bootloader/index.ts';
import { type ContentDigest, HacktreeError } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import { listUnusedBootFiles, removeUnusedBootFiles } from './boot-files.ts';
import { treeKargs } from './commit-tree.ts';
import { type Deployment, readDeployment, writeDeployment } from './deployment.ts';
import { entryKargs } from './kargs-layers.ts';
import { stateDirOf } from './layout.ts';
import { removeRecord, writeRecord } from './records.ts';
import { doomRoot, releaseCommit, removeRoot } from './remove.ts';
import { FALLBACK, fallbackOf, ONCE_SUFFIX, protectedRoots, type SysrootState } from './state.ts';
import { verifyMenu } from './sysroot.ts';

/** Finds a root by its name, with or without `root-`. Errors: `root-not-found`, listing what there is. */
export function findRoot({ deployments, unlisted, sysroot }: SysrootState, name: string): Deployment {
  const names = [name, `root-${name}`];
  const found = deployments.find(({ root }) => names.includes(root));
  if (found !== undefined) return found;
  const notInMenu = unlisted.find((root) => names.includes(root));
  if (notInMenu !== undefined) return readDeployment(sysroot.paths, notInMenu);
  const known = deployments.map(({ root }) => root).join(', ');
  throw new HacktreeError('root-not-found', `No deployed root named ${name}`, {
    details: { found: name, expected: known },
    hints: [known === '' ? 'nothing is deployed' : `deployed: ${known}`],
  });
}

/** Writes a menu and verifies it. Errors: `bootloader-missing`, `bootloader-verify`, system errors. */
export async function writeMenu(state: SysrootState, menu: BootMenu): Promise<void> {
  const { bootloader, sysroot } = state;
  if (bootloader === undefined) throw new HacktreeError('bootloader-missing', 'No supported boot loader was found on this disk');
  await applyBootPlan(bootloader.plan(menu));
  const digests = new Map(
    state.deployments
      .filter(({ root }) => menu.entries.some(({ id }) => id === root))
      .flatMap(({ bootFiles }) => [...bootFiles] as [string, ContentDigest][]),
  );
  verifyMenu(sysroot, menu, digests);
}

/** The menu with another default. The one in force becomes the fallback unless it failed. */
export function withDefault(state: SysrootState, id: string): BootMenu {
  const { menu } = state;
  const previousId = fallbackOf(state, id);
  return { ...menu, defaultId: id, previousId, triesLeft: undefined, oneShotId: undefined };
}

/**
 * Where a rollback goes: the booted root if another one is the default (chosen in the menu, or the default is new), else the
 * fallback of the default, else the newest other root that is good, else the host.
 */
export function rollbackTarget(state: SysrootState): string {
  const { menu } = state;
  if (state.booted !== HOST_ID && state.booted !== menu.defaultId && state.deployments.some(({ root }) => root === state.booted))
    return state.booted;
  const current = state.booted === HOST_ID ? menu.defaultId : state.booted;
  const isUsable = (id: string): boolean =>
    id !== current && (id === HOST_ID || state.deployments.some(({ root, isPresent }) => root === id && isPresent));
  if (menu.previousId !== HOST_ID && isUsable(menu.previousId)) return menu.previousId;
  const other = state.deployments.find(
    ({ root, goodSec, failure }) => root !== current && goodSec !== undefined && failure === undefined && isUsable(root),
  );
  if (other !== undefined) return other.root;
  const any = state.deployments.find(({ root, failure }) => root !== current && failure === undefined && isUsable(root));
  if (any !== undefined) return any.root;
  if (current === HOST_ID)
    throw new HacktreeError('root-not-found', 'There is nothing to roll back to: the host is the default already');
  return HOST_ID;
}

/** The menu that boots a root (or the host) at the next start only. */
export function withOneShot({ menu }: SysrootState, id: string): BootMenu {
  return { ...menu, oneShotId: id };
}

/** The menu without some roots: the host takes over as what boots if the default fails. Errors: `root-protected` with the reason. */
function withoutRoots(state: SysrootState, roots: readonly string[]): BootMenu {
  const reasons = protectedRoots(state);
  for (const root of roots) {
    const isSpare = reasons.get(root) === FALLBACK && (root !== state.lastGood || state.menu.defaultId === HOST_ID);
    const reason = isSpare ? undefined : reasons.get(root);
    if (reason === undefined) continue;
    throw new HacktreeError('root-protected', `${root} cannot be removed: it is ${reason}`, {
      details: { found: root, reason },
      hints: [reason === 'pinned' ? `unpin it with: hacktree unpin ${root}` : 'make another root the default and boot it first'],
    });
  }
  const isGone = (id: string): boolean => roots.some((root) => id === root || id === `${root}${ONCE_SUFFIX}`);
  const { menu } = state;
  const entries = menu.entries.filter(({ id }) => !isGone(id));
  const rest = { ...state, deployments: state.deployments.filter(({ root }) => !isGone(root)) };
  return {
    ...menu,
    entries,
    previousId: isGone(menu.previousId) ? fallbackOf(rest, menu.defaultId) : menu.previousId,
    oneShotId: menu.oneShotId !== undefined && isGone(menu.oneShotId) ? undefined : menu.oneShotId,
    fellBackId: menu.fellBackId !== undefined && isGone(menu.fellBackId) ? undefined : menu.fellBackId,
  };
}

/** Takes roots out of the menu, then removes them and the kernels that only they needed. */
export async function undeploy(state: SysrootState, repo: Repo, roots: readonly string[]): Promise<void> {
  const menu = withoutRoots(state, roots);
  for (const root of roots) doomRoot(state.sysroot.paths, root);
  await writeMenu(state, menu);
  for (const root of roots) {
    releaseCommit(repo, root);
    removeRoot(state.sysroot.paths, root);
  }
  removeUnusedBootFiles(state.sysroot, menu);
}

/** Bytes that removing roots gives back in /boot. */
export function bootBytesFreed(state: SysrootState, roots: readonly string[]): number {
  if (state.bootloader === undefined) return 0;
  const unused = listUnusedBootFiles(state.bootloader.bootDir, withoutRoots(state, roots));
  return unused.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function pinRoot({ sysroot }: SysrootState, root: string, reason: string | undefined): void {
  writeRecord(stateDirOf(sysroot.paths, root), 'pin', { reason, time: String(Math.floor(Date.now() / 1000)) });
}

export function unpinRoot({ sysroot }: SysrootState, root: string): void {
  removeRecord(stateDirOf(sysroot.paths, root), 'pin');
}

/** Changes the machine's kernel arguments of a root, for good. Errors: `karg-invalid`. */
export async function editRootKargs(
  state: SysrootState,
  repo: Repo,
  deployment: Deployment,
  edits: readonly KargEdit[],
): Promise<void> {
  const changed: Deployment = { ...deployment, machineKargs: [...deployment.machineKargs, ...edits] };
  const argumentsNow = rootKargs(state, repo, changed).map(({ argument }) => argument);
  writeDeployment(state.sysroot.paths, changed);
  const entries = state.menu.entries.map((entry) =>
    entry.id === deployment.root ? { ...entry, arguments: argumentsNow } : entry,
  );
  await writeMenu(state, { ...state.menu, entries });
}

/** Boots a root once with other arguments: an entry beside its own, for the next start only. Errors: `karg-invalid`. */
export async function editKargsOnce(
  state: SysrootState,
  repo: Repo,
  deployment: Deployment,
  edits: readonly KargEdit[],
): Promise<void> {
  const id = `${deployment.root}${ONCE_SUFFIX}`;
  const argumentsOnce = rootKargs(state, repo, deployment, edits).map(({ argument }) => argument);
  const at = state.menu.entries.findIndex((entry) => entry.id === deployment.root);
  const own = state.menu.entries[at];
  if (own === undefined) throw new HacktreeError('root-not-found', `${deployment.root} is not in the boot menu`);
  const others = state.menu.entries.filter((entry) => entry.id !== id);
  const entries = others.toSpliced(others.indexOf(own) + 1, 0, {
    ...own,
    id,
    title: `${own.title} (once)`,
    arguments: argumentsOnce,
  });
  await writeMenu(state, { ...state.menu, entries, oneShotId: id });
}

/** Kernel arguments of a root with their origins. */
export function rootKargs(
  state: SysrootState,
  repo: Repo,
  deployment: Deployment,
  oneShot?: readonly KargEdit[],
): ReturnType<typeof entryKargs> {
  return entryKargs({
    root: deployment.root,
    hostArguments: state.bootloader?.hostArguments ?? [],
    tree: deployment.commit === undefined ? [] : treeKargs(repo, deployment.commit),
    machine: deployment.machineKargs,
    ...(oneShot === undefined ? {} : { oneShot }),
  });
}

/** Marks the booted root good, as the unit in the booted root does by itself. Errors: `root-not-found` on the host. */
export async function markBooted(state: SysrootState): Promise<string> {
  const { booted, menu, sysroot } = state;
  if (booted === HOST_ID) throw new HacktreeError('root-not-found', 'This system was not booted from a deployed root');
  writeRecord(stateDirOf(sysroot.paths, booted), 'good', { time: String(Math.floor(Date.now() / 1000)) });
  removeRecord(stateDirOf(sysroot.paths, booted), 'failed');
  if (menu.defaultId === booted && menu.triesLeft !== undefined) await writeMenu(state, { ...menu, triesLeft: undefined });
  return booted;
}
