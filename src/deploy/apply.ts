/**
 * Executes the steps of a deployment in order, and undoes what an unfinished one left as long as the boot menu is
 * untouched. Decides nothing: that was the plan's.
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { applyBootStep, buildOverlay } from '../bootloader/index.ts';
import { checkout } from '../checkout/index.ts';
import { HacktreeError, type ReportProgress, wrapSystemError } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import { copyContent, ensureDir, syncFileSystem, writeFileDurable } from '../sys/index.ts';
import { makeMountPoints } from './arrange.ts';
import { removeUnusedBootFiles } from './boot-files.ts';
import { writeDeployment } from './deployment.ts';
import { type EtcStepOptions, makeEtc, runLocalScripts } from './etc-steps.ts';
import { hashFiles } from './hash-files.ts';
import { rootDir, STAGING_PREFIX, type SysrootPaths, stateDirOf } from './layout.ts';
import type { DeployPlan, DeployStep } from './plan.ts';
import { doomRoot, holdCommit, listStaged, releaseCommit, removeRoot, spareRoot } from './remove.ts';
import { type Sysroot, sysrootBootloader, verifyMenu } from './sysroot.ts';
import { createVar } from './var.ts';

type VerifyStep = Extract<DeployStep, { readonly kind: 'verify' }>;

export interface ApplyOptions extends EtcStepOptions {
  readonly onStep?: (step: DeployStep, index: number) => void;
  readonly onProgress?: ReportProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What else there is to do once the menu is written: done while the files in /boot are hashed. */
  readonly onMenuWritten?: () => Promise<void>;
}

/** Applies a plan. Errors: those of the step that failed; before the menu's write everything made is removed again. */
export async function applyDeploy(sysroot: Sysroot, repo: Repo, plan: DeployPlan, options: ApplyOptions): Promise<void> {
  for (const [index, step] of plan.steps.entries()) {
    options.onStep?.(step, index);
    try {
      if (index < plan.visibleFrom) options.signal?.throwIfAborted();
      await applyStep(sysroot, repo, plan, step, options);
    } catch (error) {
      if (index < plan.visibleFrom) undo(sysroot, repo, plan, index);
      if (options.signal?.aborted === true) throw new HacktreeError('interrupted', 'Interrupted; the boot menu is unchanged');
      const { path = sysroot.paths.gnomeos } = error as NodeJS.ErrnoException;
      throw wrapSystemError(error, `Deploying ${plan.root}: cannot ${step.title}:`, path);
    }
  }
}

async function applyStep(sysroot: Sysroot, repo: Repo, plan: DeployPlan, step: DeployStep, options: ApplyOptions): Promise<void> {
  const { paths } = sysroot;
  switch (step.kind) {
    case 'checkout':
      fs.rmSync(step.to, { recursive: true, force: true });
      await checkout(repo, {
        rev: step.commit,
        destination: step.to,
        options: { fsync: false },
        onProgress: options.onProgress,
        signal: options.signal,
      });
      return;
    case 'arrange':
      return makeMountPoints(step.tree);
    case 'etc':
      return makeEtc(
        { paths, repo, commit: plan.commit, mergeRoot: step.mergeRoot, policy: options.etcPolicy },
        step.tree,
        options,
      );
    case 'fill-var':
      return createVar(paths, step.varName, step.tree);
    case 'scripts':
      return runLocalScripts(paths, plan.root, step.tree, join(paths.vars, step.varName), options);
    case 'boot-file':
      return copyBootFile(step.from, step.to);
    case 'overlay':
      if (!fs.existsSync(step.to)) placeFile(step.to, buildOverlay());
      return;
    case 'record':
      holdCommit(repo, plan.root, plan.commit);
      return writeDeployment(paths, step.deployment);
    case 'doom':
      for (const root of step.roots) doomRoot(paths, root);
      return;
    case 'sync':
      for (const path of step.paths) syncFileSystem(path);
      return;
    case 'publish':
      return publish(step.from, step.to);
    case 'boot':
      await applyBootStep(step.step);
      return;
    case 'verify':
      return verify(sysroot, step, options);
    case 'unstamp':
      fs.rmSync(step.path, { force: true });
      return;
    case 'remove-root':
      releaseCommit(repo, step.root);
      return removeRoot(paths, step.root);
    case 'remove-unused-boot-files':
      removeUnusedBootFiles(sysroot, plan.menuAfter);
      return;
  }
}

/** A file that cannot be hashed is one that the menu's own check finds and names. */
async function verify(sysroot: Sysroot, { menu, digests }: VerifyStep, { onMenuWritten }: ApplyOptions): Promise<void> {
  const { bootDir } = sysrootBootloader(sysroot);
  const files = [...digests.keys()].map((path) => ({ path: join(bootDir, path) }));
  const hashing = hashFiles(files).catch(() => undefined);
  await onMenuWritten?.();
  const hashes = await hashing;
  const hashed = hashes && new Map(files.map(({ path }, i) => [path, hashes[i]?.digest as string]));
  verifyMenu(sysroot, menu, digests, hashed);
}

/** Kernel files are shared by checksum: one that is there is the same. On the repository's own file system it is a link. */
function copyBootFile(from: string, to: string): void {
  if (fs.existsSync(to)) return;
  ensureDir(dirname(to));
  const temporary = join(dirname(to), `${STAGING_PREFIX}${basename(to)}`);
  fs.rmSync(temporary, { force: true });
  try {
    fs.linkSync(from, temporary);
  } catch {
    copyDurably(from, temporary);
  }
  fs.renameSync(temporary, to);
}

function copyDurably(from: string, to: string): void {
  const source = fs.openSync(from, 'r');
  try {
    const target = fs.openSync(to, 'wx', 0o600);
    try {
      copyContent(source, target, fs.fstatSync(source).size);
      fs.fsyncSync(target);
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(source);
  }
}

function placeFile(path: string, bytes: Uint8Array): void {
  ensureDir(dirname(path));
  writeFileDurable(path, bytes);
}

function publish(from: string, to: string): void {
  fs.renameSync(from, to);
  syncFileSystem(dirname(to));
}

/** Removes what an unfinished deployment made up to a step. What cannot be removed is left to the next command. */
function undo(sysroot: Sysroot, repo: Repo, plan: DeployPlan, index: number): void {
  const { paths } = sysroot;
  const isVarNew = plan.steps.slice(0, index).some(({ kind }) => kind === 'fill-var');
  try {
    releaseCommit(repo, plan.root);
    for (const path of [
      join(paths.gnomeos, `${STAGING_PREFIX}${plan.root}`),
      rootDir(paths, plan.root),
      stateDirOf(paths, plan.root),
      ...(isVarNew ? [join(paths.vars, plan.deployment.varName)] : []),
    ]) {
      fs.rmSync(path, { recursive: true, force: true });
    }
    for (const root of plan.drops) spareRoot(paths, root);
    removeUnusedBootFiles(sysroot, plan.menuBefore);
  } catch {
    // The error that stopped the deployment is the one to tell.
  }
}

/** Removes the staging trees that a crash left, and roots that no boot entry names. Returns what was removed. */
export function removeLeftovers(paths: SysrootPaths, orphans: readonly string[], keep: ReadonlySet<string>): string[] {
  const staged = listStaged(paths);
  for (const name of staged) fs.rmSync(join(paths.gnomeos, name), { recursive: true, force: true });
  const gone = orphans.filter((root) => !keep.has(root));
  for (const root of gone) removeRoot(paths, root);
  return [...staged, ...gone];
}
