/**
 * `deploy`, whole: lock, clean up after crashes, plan, check that it fits, make room if asked, apply.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { KargEdit } from '../bootloader/index.ts';
import { type Checksum, HacktreeError, isHacktreeError } from '../core/index.ts';
import { type ConflictRule, loadEtcPolicy, requireDeployable } from '../etc/index.ts';
import { type Repo, resolveRev } from '../repo/index.ts';
import { type ApplyOptions, applyDeploy, removeLeftovers } from './apply.ts';
import { applyCleanup, loadRetention, planCleanup } from './cleanup.ts';
import { type DeployEtcReport, previewEtc, reportEtc } from './etc-plan.ts';
import { recordHistory } from './etc-steps.ts';
import { rootDir } from './layout.ts';
import { type DeployPlan, type DeployRequest, planDeploy } from './plan.ts';
import { listStaged } from './remove.ts';
import { fitsAfter, requireSpace, requireWritable } from './space.ts';
import { readState, type SysrootState } from './state.ts';
import { lockSysroot, openSysrootRepo, type Sysroot } from './sysroot.ts';

export interface DeployOptions extends Omit<ApplyOptions, 'etcPolicy' | 'hostFstab' | 'onMenuWritten'> {
  /** Ref, remote:ref or commit. */
  readonly rev: string;
  readonly name?: string | undefined;
  readonly osName?: string | undefined;
  readonly kargs?: readonly KargEdit[];
  readonly notAsDefault?: boolean;
  readonly noMerge?: boolean;
  readonly ownVar?: boolean;
  readonly retain?: DeployRequest['retain'];
  readonly tries?: number;
  readonly makeRoom?: boolean;
  readonly dryRun?: boolean;
  readonly etcConflict?: ConflictRule | undefined;
  readonly wait?: boolean;
  readonly onWait?: (holder: string) => void;
}

export interface DeployResult {
  readonly plan: DeployPlan;
  /** What became or would become of /etc; undefined when a dry run may not see it. */
  readonly etc: DeployEtcReport | undefined;
  /** Roots removed to make room before the deployment. */
  readonly madeRoom: readonly string[];
}

const DEFAULT_TRIES = 3;

/** Deploys a commit. Errors: those of planDeploy and applyDeploy, `no-space`, `sysroot-locked`, `ref-not-found`. */
export async function deploy(sysroot: Sysroot, options: DeployOptions): Promise<DeployResult> {
  const lock =
    options.dryRun === true
      ? undefined
      : await lockSysroot(sysroot, { command: `deploy ${options.rev}`, wait: options.wait === true, onWait: options.onWait });
  try {
    return await deployLocked(sysroot, options);
  } finally {
    lock?.release();
  }
}

async function deployLocked(sysroot: Sysroot, options: DeployOptions): Promise<DeployResult> {
  const repo = openSysrootRepo(sysroot);
  const commit = resolveRev(repo, options.rev);
  let state = readState(sysroot);
  if (options.dryRun !== true && (state.orphans.length > 0 || listStaged(sysroot.paths).length > 0)) {
    removeLeftovers(sysroot.paths, state.orphans, new Set([state.booted]));
    state = readState(sysroot);
  }
  const request = makeRequest(options, commit, systemRootOf(state));
  let plan = await planDeploy(state, repo, request);
  const madeRoom: string[] = [];
  if (plan.space.some(({ fits }) => !fits)) {
    const room = planCleanup(state, request.policy, { all: true, nowSec: request.nowSec });
    const freeable = { ...room, names: [...room.roots, ...room.leftovers] };
    if (options.makeRoom !== true || options.dryRun === true || !fitsAfter(plan.space, freeable))
      requireSpace(plan.space, freeable);
    await applyCleanup(state, repo, room);
    madeRoom.push(...room.roots);
    state = readState(sysroot);
    plan = await planDeploy(state, repo, request);
    requireSpace(plan.space);
  }
  const around = surroundings(state, options, plan);
  if (options.dryRun === true) {
    return { plan, etc: await tryPreview(sysroot, repo, plan, { ...options, ...around }), madeRoom };
  }
  requireWritable([sysroot.paths.gnomeos, ...(state.bootloader === undefined ? [] : [state.bootloader.bootDir])]);
  let etc: DeployEtcReport | undefined;
  const onEtcReport = (report: DeployEtcReport): void => {
    etc = report;
    options.onEtcReport?.(report);
  };
  const onMenuWritten = async (): Promise<void> => {
    const warning = await recordHistory(sysroot.paths, plan, etc);
    if (warning !== undefined) options.onWarning?.(warning);
  };
  await applyDeploy(sysroot, repo, plan, { ...options, ...around, onEtcReport, onMenuWritten });
  return { plan, etc, madeRoom };
}

/** What would become of /etc; a warning for a caller who may not read all of it. Errors: `etc-conflict`, `tree-invalid`. */
async function tryPreview(
  { paths }: Sysroot,
  repo: Repo,
  { commit, mergeRoot }: DeployPlan,
  options: Pick<ApplyOptions, 'etcPolicy' | 'onEtcReport' | 'onWarning'>,
): Promise<DeployEtcReport | undefined> {
  try {
    const change = await previewEtc({ paths, repo, commit, mergeRoot, policy: options.etcPolicy });
    const report = reportEtc(change);
    options.onEtcReport?.(report);
    requireDeployable(change.plan);
    return report;
  } catch (error) {
    const isHidden = isHacktreeError(error) && (error.code === 'permission' || (error.code === 'io' && !isRoot()));
    if (!isHidden) throw error;
    options.onWarning?.('What would become of /etc is not shown: not all of it may be read by you');
    return undefined;
  }
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Where the running or future system's own configuration is: the booted root, else the host. */
function systemRootOf({ sysroot, booted }: SysrootState): string {
  return sysroot.bootedRoot === undefined ? sysroot.paths.physical : rootDir(sysroot.paths, booted);
}

function makeRequest(options: DeployOptions, commit: Checksum, systemRoot: string): DeployRequest {
  const isRef = !/^[0-9a-f]{64}$/.test(options.rev) && !options.rev.includes('^');
  const tries = options.tries ?? DEFAULT_TRIES;
  if (tries < 0 || tries > 9) throw new HacktreeError('usage', `--tries must be 0 to 9, not ${tries}`);
  return {
    commit,
    refspec: isRef ? options.rev : undefined,
    name: options.name,
    osName: options.osName,
    kargs: options.kargs ?? [],
    notAsDefault: options.notAsDefault === true,
    noMerge: options.noMerge === true,
    ownVar: options.ownVar === true,
    retain: options.retain ?? 'policy',
    tries,
    policy: loadRetention(systemRoot),
    nowSec: Math.floor(Date.now() / 1000),
  };
}

function surroundings(
  state: SysrootState,
  options: DeployOptions,
  plan: DeployPlan,
): Pick<ApplyOptions, 'etcPolicy' | 'hostFstab'> {
  const { paths } = state.sysroot;
  const mergeEtc = plan.mergeRoot === undefined ? join(paths.physical, 'etc') : join(rootDir(paths, plan.mergeRoot), 'etc');
  const fstab = join(paths.physical, 'etc/fstab');
  return {
    etcPolicy: loadEtcPolicy(mergeEtc, { conflict: options.etcConflict }),
    hostFstab: fs.existsSync(fstab) ? fs.readFileSync(fstab, 'utf8') : '',
  };
}
