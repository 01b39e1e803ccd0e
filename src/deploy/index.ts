/**
 * Deploy: roots under /gnomeos, their state and the order of steps that makes an upgrade atomic. Knows nothing of flags or
 * terminals. Start with plan.ts.
 */
export { type ApplyOptions, applyDeploy, removeLeftovers } from './apply.ts';
export { applyCleanup, type CleanupPlan, loadRetention, planCleanup } from './cleanup.ts';
export { type DeployOptions, type DeployResult, deploy } from './deploy.ts';
export type { Deployment } from './deployment.ts';
export { etcHistoryDir, etcOfRoot, type RootEtc, saveEtcState } from './etc-of-root.ts';
export type { DeployEtcReport } from './etc-plan.ts';
export { RUN_PREFIX, type SysrootPaths, sysrootPaths } from './layout.ts';
export {
  bootBytesFreed,
  editKargsOnce,
  editRootKargs,
  findRoot,
  markBooted,
  pinRoot,
  rollbackTarget,
  rootKargs,
  undeploy,
  unpinRoot,
  withDefault,
  withOneShot,
  writeMenu,
} from './menu-changes.ts';
export { type NamespaceRequest, needsOwnNamespace, runInOwnNamespace } from './own-namespace.ts';
export { type DeployPlan, type DeployRequest, type DeployStep, planDeploy } from './plan.ts';
export { type RunRequest, runInRoot } from './run-root.ts';
export { readState, type SysrootState } from './state.ts';
export { type RootStatus, type SysrootStatus, sysrootStatus } from './status.ts';
export { initSysroot, lockSysroot, openSysroot, openSysrootRepo, type Sysroot, type SysrootOptions } from './sysroot.ts';
export {
  type AskMirror,
  type CommitFacts,
  checkUpgrade,
  deployedWith,
  followedRoot,
  requireNotOlder,
  type UpgradeCheck,
} from './upgrade.ts';
