/**
 * What a deployment does with /etc: defaults and copy apart, merge with the previous root's or take the host's accounts,
 * local scripts, and afterwards the history. Everything but the history happens before the boot menu changes.
 */
import { join } from 'node:path';
import { HacktreeError } from '../core/index.ts';
import {
  applyEtcMerge,
  applyHostAccounts,
  ETC_HISTORY_NAME,
  type EtcPolicy,
  type EtcReport,
  listDeployScripts,
  noteConflicts,
  printScriptRuns,
  recordEtcHistory,
  runDeployScripts,
  type ScriptsRequest,
} from '../etc/index.ts';
import { ensureDir, writeFileDurable } from '../sys/index.ts';
import { finishEtc, splitEtc } from './arrange.ts';
import { type DeployEtcReport, type EtcSource, planEtc, reportEtc } from './etc-plan.ts';
import { rootDir, type SysrootPaths, stateDirOf } from './layout.ts';
import type { DeployPlan } from './plan.ts';

export interface EtcStepOptions {
  readonly etcPolicy: EtcPolicy;
  /** Text of the host's fstab. */
  readonly hostFstab: string;
  /** Called with what is going to become of /etc, before it is made. */
  readonly onEtcReport?: (report: DeployEtcReport) => void;
  /** Receives sentences that the user should read. */
  readonly onWarning?: (text: string) => void;
  readonly onScript?: ScriptsRequest['onStart'];
  readonly onScriptFailure?: ScriptsRequest['onFailure'];
}

/** Makes the new root's /etc. Errors: `tree-invalid`, `etc-conflict`, system errors. */
export function makeEtc(source: EtcSource, tree: string, options: EtcStepOptions): void {
  splitEtc(tree);
  const etc = join(tree, 'etc');
  const change = planEtc(source, join(tree, 'usr/etc'));
  options.onEtcReport?.(reportEtc(change));
  for (const warning of applyEtcMerge(change.plan, etc).warnings) options.onWarning?.(warning);
  noteConflicts(change.plan, etc);
  if (change.accounts !== undefined) applyHostAccounts(change.accounts, etc);
  finishEtc(tree, options.hostFstab);
}

/** Runs the local scripts in the new root; their output is kept with the deployment. Errors: `deploy-script`. */
export async function runLocalScripts(
  paths: SysrootPaths,
  root: string,
  tree: string,
  varDir: string,
  options: EtcStepOptions,
): Promise<void> {
  const { scripts, skipped } = listDeployScripts(join(tree, 'etc'), options.etcPolicy);
  for (const { name, reason } of skipped) options.onWarning?.(`etc/hacktree/deploy.d/${name} was not run: ${reason}`);
  if (scripts.length === 0) return;
  const result = await runDeployScripts({
    rootDir: tree,
    varDir,
    scripts,
    onStart: options.onScript,
    onFailure: options.onScriptFailure,
  });
  ensureDir(stateDirOf(paths, root));
  writeFileDurable(join(stateDirOf(paths, root), 'scripts.log'), Buffer.from(printScriptRuns(result.runs)));
  if (result.isOk) return;
  const failed = result.runs.at(-1);
  throw new HacktreeError('deploy-script', `The script ${failed?.name} failed: ${failed?.outcome}`, {
    details: { found: failed?.outcome, output: failed?.output },
    hints: [...(failed?.output.trim().split('\n').slice(-5) ?? []), '--shell-on-error opens a shell in the new root instead'],
  });
}

/** Records the deployment in the history of /etc. Returns a warning, never an error. */
export async function recordHistory(
  paths: SysrootPaths,
  plan: DeployPlan,
  report: EtcReport | undefined,
): Promise<string | undefined> {
  const dir = rootDir(paths, plan.root);
  const newDefaultsDir = join(dir, 'usr/etc');
  const old = plan.mergeRoot === undefined ? undefined : rootDir(paths, plan.mergeRoot);
  const { warning } = await recordEtcHistory({
    historyDir: join(paths.gnomeos, ETC_HISTORY_NAME),
    newDefaultsDir,
    resultDir: join(dir, 'etc'),
    toRoot: plan.root,
    ...(plan.deployment.version === undefined ? {} : { version: plan.deployment.version }),
    ...(old === undefined || plan.mergeRoot === undefined || report === undefined
      ? {}
      : { from: { root: plan.mergeRoot, defaultsDir: join(old, 'usr/etc'), userDir: join(old, 'etc'), report } }),
    timeSec: plan.deployment.deployedSec ?? 0,
  });
  return warning;
}
