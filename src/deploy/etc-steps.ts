/**
 * What a deployment does with /etc: defaults and copy apart, merge with the previous root's or take the host's accounts,
 * local scripts, and afterwards the history. Everything but the history happens before the boot menu changes.
 */
import * as fs from 'node:fs';
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
  planEtcMerge,
  printScriptRuns,
  readHostAccounts,
  recordEtcHistory,
  reportEtcPlan,
  runDeployScripts,
  type ScriptsRequest,
} from '../etc/index.ts';
import { ensureDir, writeFileDurable } from '../sys/index.ts';
import { finishEtc, splitEtc } from './arrange.ts';
import { rootDir, type SysrootPaths, stateDirOf } from './layout.ts';
import type { DeployPlan } from './plan.ts';

export interface EtcStepOptions {
  readonly etcPolicy: EtcPolicy;
  /** Text of the host's fstab. */
  readonly hostFstab: string;
  /** Called with what was merged, before the boot menu changes. */
  readonly onEtcReport?: (report: EtcReport) => void;
  /** Receives sentences that the user should read. */
  readonly onWarning?: (text: string) => void;
  readonly onScript?: ScriptsRequest['onStart'];
  readonly onScriptFailure?: ScriptsRequest['onFailure'];
}

/** Makes the new root's /etc. Errors: `tree-invalid`, `etc-conflict`, system errors. */
export async function makeEtc(
  paths: SysrootPaths,
  tree: string,
  mergeRoot: string | undefined,
  options: EtcStepOptions,
): Promise<void> {
  splitEtc(tree);
  const [etc, defaults] = [join(tree, 'etc'), join(tree, 'usr/etc')];
  if (mergeRoot === undefined) {
    const hostEtc = join(paths.physical, 'etc');
    if (fs.existsSync(hostEtc)) {
      const accounts = readHostAccounts({ hostEtcDir: hostEtc, rootDir: tree, etcDir: etc, policy: options.etcPolicy });
      applyHostAccounts(accounts, etc);
      for (const conflict of accounts.conflicts) options.onWarning?.(conflict);
    }
  } else if (fs.existsSync(defaults)) {
    const old = rootDir(paths, mergeRoot);
    const plan = planEtcMerge({
      defaultsDir: join(old, 'usr/etc'),
      userDir: join(old, 'etc'),
      newDefaultsDir: defaults,
      policy: options.etcPolicy,
    });
    options.onEtcReport?.(reportEtcPlan(plan));
    for (const warning of applyEtcMerge(plan, etc).warnings) options.onWarning?.(warning);
    noteConflicts(plan, etc);
  }
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
  if (!fs.existsSync(newDefaultsDir)) return undefined;
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
