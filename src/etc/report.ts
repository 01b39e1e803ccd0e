/** What a plan says to people and programs: its noteworthy actions, and whether it may be deployed. */
import { HacktreeError } from '../core/index.ts';
import type { EtcAction, EtcOutcome, EtcPlan } from './types.ts';

/** A plan without its steps, as `--json` prints it and as it is kept with a deployment. */
export interface EtcReport {
  readonly counts: Readonly<Record<EtcOutcome, number>>;
  /** Bytes of file content written. */
  readonly bytes: number;
  /** All but the unchanged, in path order. */
  readonly actions: readonly Omit<EtcAction, 'steps'>[];
  /** Paths in conflict, in path order. */
  readonly conflicts: readonly string[];
}

/** Makes the report of a plan. */
export function reportEtcPlan(plan: EtcPlan): EtcReport {
  const actions = plan.actions.filter(({ outcome }) => outcome !== 'unchanged').map(({ steps: _, ...rest }) => rest);
  const conflicts = actions.filter(({ outcome }) => outcome === 'conflict').map(({ path }) => path);
  return { counts: plan.counts, bytes: plan.bytes, actions, conflicts };
}

/**
 * Requires that nothing in the plan forbids the deployment.
 * Errors: `etc-conflict` for conflicts that the policy refuses, `io` for files that cannot be read; both list the paths.
 */
export function requireDeployable(plan: EtcPlan): void {
  const refused = plan.actions.filter(({ isRefused }) => isRefused === true);
  const unreadable = refused.filter(({ outcome }) => outcome === 'error');
  if (unreadable.length > 0) throw refusal('io', 'Cannot read all of /etc', unreadable, []);
  if (refused.length === 0) return;
  const hints = [
    'resolve them in the running /etc, or deploy with --etc-conflict=keep or new, or change /etc/hacktree/etc-policy.conf',
  ];
  throw refusal('etc-conflict', 'Local changes to /etc conflict with new defaults', refused, hints);
}

function refusal(
  code: 'io' | 'etc-conflict',
  what: string,
  actions: readonly EtcAction[],
  hints: readonly string[],
): HacktreeError {
  const list = actions.map(({ path, reason }) => `${path} (${reason})`).join('; ');
  return new HacktreeError(code, `${what}: ${list}`, { details: { paths: actions.map(({ path }) => path) }, hints });
}
