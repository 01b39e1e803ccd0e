/**
 * Plans a deployment: everything that will be done, as named steps, with the space it takes and the menu before and
 * after. Nothing is written. apply.ts executes the steps in order.
 *
 * Order: the tree is made under a staging name, then /etc and /var, kernel files, records; all of it is brought to the
 * disk; the root gets its name; then the boot menu changes in one atomic write; then what was written is verified;
 * only then is anything old removed. A stop before the menu's write leaves a leftover root that nothing names.
 */
import { join } from 'node:path';
import {
  type BootEntry,
  type Bootloader,
  type BootMenu,
  type BootStep,
  buildOverlay,
  HOST_ID,
  type KargEdit,
} from '../bootloader/index.ts';
import { type Checksum, type ContentDigest, HacktreeError, sha256 } from '../core/index.ts';
import { lookupString } from '../format/index.ts';
import { loadCommit, type Repo } from '../repo/index.ts';
import { type LocatedKernel, locateKernel, measureTree, prettyName, type TreeNeeds, treeKargs } from './commit-tree.ts';
import type { Deployment } from './deployment.ts';
import { bootChecksumOf, hashKernel, type KernelPair } from './hash-kernel.ts';
import { entryKargs } from './kargs-layers.ts';
import { BOOT_SUBDIR, rootDir, stagingDir } from './layout.ts';
import { measureNeeds } from './needs.ts';
import { type RetentionPolicy, rootsToDrop } from './retention.ts';
import { chooseRootName } from './root-name.ts';
import type { SpaceCheck } from './space.ts';
import { fallbackOf, protectedRoots, type SysrootState } from './state.ts';
import { isVarEmpty, updateStamp } from './var.ts';

export interface DeployRequest {
  readonly commit: Checksum;
  /** Where upgrades come from. */
  readonly refspec: string | undefined;
  readonly name: string | undefined;
  /** Shares /var and merges /etc with roots of the same OS name. Default: that of the merge root, else `default`. */
  readonly osName: string | undefined;
  readonly kargs: readonly KargEdit[];
  readonly notAsDefault: boolean;
  /** Fresh /etc and no kernel arguments of an earlier root. */
  readonly noMerge: boolean;
  readonly ownVar: boolean;
  /** Which roots stay besides those that must: all, or those before or after the booted one. */
  readonly retain: 'policy' | 'all' | 'pending' | 'rollback';
  /** Boots that the new root has to prove itself; 0 trusts it at once. */
  readonly tries: number;
  readonly policy: RetentionPolicy;
  /** Seconds since 1970. */
  readonly nowSec: number;
}

export type DeployStep =
  | { readonly kind: 'checkout'; readonly title: string; readonly commit: Checksum; readonly to: string }
  | { readonly kind: 'arrange'; readonly title: string; readonly tree: string }
  | { readonly kind: 'etc'; readonly title: string; readonly tree: string; readonly mergeRoot: string | undefined }
  | { readonly kind: 'fill-var'; readonly title: string; readonly tree: string; readonly varName: string }
  | { readonly kind: 'scripts'; readonly title: string; readonly tree: string; readonly varName: string }
  | { readonly kind: 'boot-file'; readonly title: string; readonly from: string; readonly to: string }
  | { readonly kind: 'overlay'; readonly title: string; readonly to: string }
  | { readonly kind: 'record'; readonly title: string; readonly deployment: Deployment }
  | { readonly kind: 'doom'; readonly title: string; readonly roots: readonly string[] }
  | { readonly kind: 'sync'; readonly title: string; readonly paths: readonly string[] }
  | { readonly kind: 'publish'; readonly title: string; readonly from: string; readonly to: string }
  | { readonly kind: 'boot'; readonly title: string; readonly step: BootStep }
  | {
      readonly kind: 'verify';
      readonly title: string;
      readonly menu: BootMenu;
      readonly digests: ReadonlyMap<string, ContentDigest>;
    }
  | { readonly kind: 'unstamp'; readonly title: string; readonly path: string }
  | { readonly kind: 'remove-root'; readonly title: string; readonly root: string }
  | { readonly kind: 'remove-unused-boot-files'; readonly title: string };

export interface DeployPlan {
  readonly root: string;
  readonly commit: Checksum;
  readonly mergeRoot: string | undefined;
  readonly deployment: Deployment;
  readonly menuBefore: BootMenu;
  readonly menuAfter: BootMenu;
  /** Roots that go once the new one is in the menu. */
  readonly drops: readonly string[];
  readonly space: readonly SpaceCheck[];
  readonly steps: readonly DeployStep[];
  /** Index of the first step that changes what the machine boots. */
  readonly visibleFrom: number;
}

/** Plans. Errors: `kernel-missing`, `bootloader-missing`, `root-exists`, `ref-invalid`, `karg-invalid`, `object-missing`. */
export async function planDeploy(state: SysrootState, repo: Repo, request: DeployRequest): Promise<DeployPlan> {
  const { bootloader } = state;
  if (bootloader === undefined) throw noBootloader();
  const { files } = locateKernel(repo, request.commit);
  const hashing = hashKernel(files); // in another thread, all that this one does meanwhile takes as long
  hashing.catch(() => {});
  const needs = measureTree(repo, request.commit);
  const bootChecksum = bootChecksumOf(files);
  return makePlan({ state, bootloader, repo, request, files, bootChecksum, digests: await hashing, needs });
}

interface PlanInput {
  readonly state: SysrootState;
  readonly bootloader: Bootloader;
  readonly repo: Repo;
  readonly request: DeployRequest;
  readonly files: LocatedKernel['files'];
  readonly bootChecksum: Checksum;
  readonly digests: KernelPair<ContentDigest>;
  readonly needs: TreeNeeds;
}

function makePlan(input: PlanInput): DeployPlan {
  const { state, bootloader, repo, request, files, bootChecksum, needs } = input;
  const { sysroot } = state;
  const mergeRoot = request.noMerge ? undefined : chooseMergeRoot(state, request.osName);
  const deployment = describe(input, mergeRoot);
  const { root, varName } = deployment;
  const overlay = overlayName();
  const entry = makeEntry(state, repo, request, deployment, overlay);
  const { menu: menuAfter, drops } = changeMenu(state, request, entry, bootloader.countsBoots);
  const tree = stagingDir(sysroot.paths, root);
  const fillsVar = isVarEmpty(sysroot.paths, varName);
  const stamp = updateStamp(sysroot.paths, varName);
  const bootFiles = [
    { from: files[0].path, to: entry.kernel },
    { from: files[1].path, to: entry.initrds[0] ?? '' },
  ];
  const bootPlan = bootloader.plan(menuAfter, { settleAlso: [sysroot.paths.gnomeos] });
  const before: DeployStep[] = [
    { kind: 'checkout', title: `check ${request.commit} out`, commit: request.commit, to: tree },
    { kind: 'arrange', title: 'make mount points', tree },
    { kind: 'etc', title: mergeRoot === undefined ? 'make /etc' : `merge /etc of ${mergeRoot}`, tree, mergeRoot: mergeRoot },
    ...(fillsVar ? [{ kind: 'fill-var', title: `fill /var of ${varName}`, tree, varName } as const] : []),
    { kind: 'scripts', title: 'run local scripts', tree, varName },
    ...bootFiles.map(
      ({ from, to }) => ({ kind: 'boot-file', title: `copy ${to}`, from, to: join(bootloader.bootDir, to) }) as const,
    ),
    { kind: 'overlay', title: 'write the extra initramfs', to: join(bootloader.bootDir, overlay.path) },
    { kind: 'record', title: 'record the deployment', deployment },
    ...(drops.length === 0 ? [] : [{ kind: 'doom', title: `note that ${drops.join(', ')} will go`, roots: drops } as const]),
    { kind: 'sync', title: 'bring everything to the disk', paths: [sysroot.paths.gnomeos, bootloader.bootDir] },
    { kind: 'publish', title: `name it ${root}`, from: tree, to: rootDir(sysroot.paths, root) },
  ];
  const steps: DeployStep[] = [
    ...before,
    ...bootPlan.steps.map((step) => ({ kind: 'boot', title: step.title, step }) as const),
    {
      kind: 'verify',
      title: 'verify the boot menu',
      menu: menuAfter,
      digests: deployment.bootFiles as ReadonlyMap<string, ContentDigest>,
    },
    ...(stamp === undefined
      ? []
      : [{ kind: 'unstamp', title: 'let systemd update /var at the next boot', path: stamp } as const]),
    ...drops.map((dropped) => ({ kind: 'remove-root', title: `remove ${dropped}`, root: dropped }) as const),
    { kind: 'remove-unused-boot-files', title: 'remove kernels that no root needs' },
  ];
  const kernelBytes = files[0].sizeBytes + files[1].sizeBytes;
  const { bootDir } = bootloader;
  const space = measureNeeds(state, { tree: needs, kernelBytes, bootChecksum, fillsVar, mergeRoot, bootDir });
  return {
    root,
    commit: request.commit,
    mergeRoot,
    deployment,
    menuBefore: state.menu,
    menuAfter,
    drops,
    space,
    steps,
    visibleFrom: before.length + bootPlan.visibleFrom,
  };
}

function noBootloader(): HacktreeError {
  return new HacktreeError(
    'bootloader-missing',
    'No supported boot loader was found on this disk, so a new root could not be booted',
    {
      hints: ['for images, write plain boot entries with --bootloader=none'],
    },
  );
}

/** The root whose /etc and arguments are carried over, of this OS name: the booted one, else the default, else the first in the menu. */
function chooseMergeRoot({ deployments, booted, menu }: SysrootState, osName: string | undefined): string | undefined {
  const candidates = deployments.filter((d) => d.isPresent && (osName === undefined || d.osName === osName));
  const named = (id: string): Deployment | undefined => candidates.find(({ root }) => root === id);
  return (named(booted) ?? named(menu.defaultId) ?? candidates[0])?.root;
}

function describe({ state, repo, request, bootChecksum, digests }: PlanInput, mergeRoot: string | undefined): Deployment {
  const commit = loadCommit(repo, request.commit);
  const version = lookupString(commit.metadata, 'version');
  const merged = state.deployments.find(({ root }) => root === mergeRoot);
  const taken = new Set([...state.deployments.map(({ root }) => root), ...state.orphans, ...state.unlisted]);
  const ref = request.refspec?.replace(/^[^:]*:/, '');
  const root = chooseRootName({ name: request.name, version, ref, timestampSec: commit.timestampSec }, taken);
  const osName = request.osName ?? merged?.osName ?? 'default';
  const files = `${BOOT_SUBDIR}/${bootChecksum}`;
  const pretty = prettyName(repo, request.commit) ?? 'Linux';
  return {
    root,
    commit: request.commit,
    refspec: request.refspec,
    version,
    osName,
    varName: request.ownVar ? root : osName,
    deployedSec: request.nowSec,
    bootChecksum,
    bootFiles: new Map<string, string>([
      [`${files}/vmlinuz`, digests[0]],
      [`${files}/initrd.img`, digests[1]],
      [overlayName().path, overlayName().digest],
    ]),
    machineKargs: [...(merged?.machineKargs ?? []), ...request.kargs],
    title: `${pretty} (${version !== undefined && !pretty.includes(version) ? `${version}, ` : ''}${root})`,
    pin: undefined,
    goodSec: undefined,
    failure: undefined,
    isPresent: true,
  };
}

/** Path below the boot loader's directory and digest of this version's extra initramfs. */
function overlayName(): { readonly path: string; readonly digest: ContentDigest } {
  const digest = sha256(buildOverlay()).toString('hex') as ContentDigest;
  return { path: `${BOOT_SUBDIR}/overlay-${digest.slice(0, 16)}.img`, digest };
}

function makeEntry(
  state: SysrootState,
  repo: Repo,
  request: DeployRequest,
  deployment: Deployment,
  overlay: { readonly path: string },
): BootEntry {
  const { root, title, version, bootChecksum, machineKargs } = deployment;
  const kargs = entryKargs({
    root,
    hostArguments: state.bootloader?.hostArguments ?? [],
    tree: treeKargs(repo, request.commit),
    machine: machineKargs,
  });
  return {
    id: root,
    title,
    version: version ?? root,
    kernel: `${BOOT_SUBDIR}/${bootChecksum}/vmlinuz`,
    initrds: [`${BOOT_SUBDIR}/${bootChecksum}/initrd.img`, overlay.path],
    arguments: kargs.map(({ argument }) => argument),
  };
}

/** The menu with the new entry, and the roots that leave it. */
function changeMenu(
  state: SysrootState,
  request: DeployRequest,
  entry: BootEntry,
  countsBoots: boolean,
): { menu: BootMenu; drops: string[] } {
  const asDefault = !request.notAsDefault;
  const previousId = fallbackOf(state, entry.id);
  const mustStay = new Set([...protectedRoots(state).keys(), entry.id, previousId, ...retained(state, request)]);
  if (asDefault && state.menu.defaultId !== state.booted && state.menu.defaultId !== state.lastGood)
    mustStay.delete(state.menu.defaultId);
  for (const { root, pin } of state.deployments) if (pin !== undefined) mustStay.add(root);
  const present = state.deployments.filter(({ isPresent }) => isPresent);
  const gone = state.deployments.filter(({ isPresent }) => !isPresent).map(({ root }) => root);
  const drops = rootsToDrop({
    deployments: present,
    mustStay,
    policy: { ...request.policy, keepLast: request.policy.keepLast - 1 },
    nowSec: request.nowSec,
  });
  const old = state.menu.entries.filter(
    ({ id }) => !drops.includes(id) && !gone.includes(id) && present.some(({ root }) => root === id),
  );
  const at = asDefault ? 0 : old.findIndex(({ id }) => id === state.menu.defaultId) + 1;
  const entries = old.toSpliced(at, 0, entry);
  const keeps = (id: string): string => (id === HOST_ID || entries.some((other) => other.id === id) ? id : HOST_ID);
  const menu: BootMenu = asDefault
    ? {
        entries,
        defaultId: entry.id,
        previousId: keeps(previousId),
        triesLeft: countsBoots && request.tries > 0 ? request.tries : undefined,
        oneShotId: undefined,
        fellBackId:
          state.menu.fellBackId === undefined || keeps(state.menu.fellBackId) === HOST_ID ? undefined : state.menu.fellBackId,
      }
    : {
        ...state.menu,
        entries,
        defaultId: keeps(state.menu.defaultId),
        previousId: keeps(state.menu.previousId),
        oneShotId: undefined,
      };
  return { menu, drops };
}

function retained({ deployments, booted }: SysrootState, { retain }: DeployRequest): string[] {
  if (retain === 'policy') return [];
  const at = deployments.findIndex(({ root }) => root === booted);
  if (retain === 'all' || at < 0) return deployments.map(({ root }) => root);
  return deployments.filter((_, i) => (retain === 'pending' ? i < at : i > at)).map(({ root }) => root);
}
