/** Remote: mirrors: HTTP, summaries, static deltas, pull. Knows nothing of deployments or boot. */
export { type NetworkOptions, openRemoteAccess, type RemoteAccess } from './access.ts';
export * from './collection-refs.ts';
export * from './commit-signatures.ts';
export * from './delta/index.ts';
export * from './find-remotes.ts';
export { type MirrorIndexReport, writeMirrorIndex } from './mirror-index/write.ts';
export type { Cookie } from './net/cookies.ts';
export { parseNetrc } from './net/netrc.ts';
export type { Credentials } from './net/options.ts';
export type { PullPlan } from './pull/plan.ts';
export {
  type PulledRef,
  type PullLocalOptions,
  type PullOptions,
  type PullReport,
  pull,
  pullLocal,
} from './pull/pull.ts';
export { printDryRun, printPullReport } from './pull/report.ts';
export * from './remote-services.ts';
export type { RemoteSummary } from './remote-summary.ts';
export * from './remotes.ts';
export { type RunningServer, type ServeOptions, serveRepo } from './serve.ts';
export * from './sign-keys.ts';
export * from './summary-file.ts';
export * from './summary-text.ts';
export { Trust, type TrustOptions } from './trust.ts';
