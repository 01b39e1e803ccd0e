/** Remote: mirrors: HTTP, summaries, static deltas, pull. Knows nothing of deployments or boot. */
export { type NetworkOptions, openRemoteAccess, type RemoteAccess } from './access.ts';
export * from './delta/index.ts';
export {
  type PulledRef,
  type PullLocalOptions,
  type PullOptions,
  type PullPlan,
  type PullReport,
  pull,
  pullLocal,
} from './pull/pull.ts';
export * from './remotes.ts';
export { Trust, type TrustOptions } from './trust.ts';
