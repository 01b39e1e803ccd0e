/**
 * Upgrades: is there a newer commit of the ref that a root follows, and deploying it.
 *
 * What the mirror has is asked through a function, so that this folder knows no network; a failure to ask is an error
 * and never "no update".
 */
import { type Checksum, HacktreeError } from '../core/index.ts';
import { lookupString } from '../format/index.ts';
import { loadCommit, type Repo, tryResolveRev } from '../repo/index.ts';
import type { Deployment } from './deployment.ts';
import type { SysrootState } from './state.ts';

export interface CommitFacts {
  readonly commit: Checksum;
  readonly version: string | undefined;
  /** Seconds since 1970. */
  readonly timestampSec: bigint | undefined;
}

export interface UpgradeCheck {
  readonly root: string;
  readonly refspec: string;
  /** What this system runs from; undefined on the host. */
  readonly booted: CommitFacts | undefined;
  /** What is deployed of the ref: in the default root if that follows it, else in the newest. */
  readonly deployed: CommitFacts | undefined;
  /** What the mirror (or, for a local ref, the repository) has. */
  readonly available: CommitFacts;
  readonly isNewer: boolean;
}

/** Asks a remote for the commit of a ref. */
export type AskMirror = (remote: string, ref: string) => Promise<CommitFacts>;

/** The root whose ref an upgrade follows: the booted one, else the default, else the first with a ref. Errors: `root-not-found`. */
export function followedRoot({ deployments, booted, menu }: SysrootState): Deployment & { readonly refspec: string } {
  const withRef = deployments.filter((d): d is Deployment & { refspec: string } => d.refspec !== undefined);
  const found = withRef.find(({ root }) => root === booted) ?? withRef.find(({ root }) => root === menu.defaultId) ?? withRef[0];
  if (found !== undefined) return found;
  throw new HacktreeError('root-not-found', 'No deployed root follows a ref, so there is nothing to upgrade', {
    hints: ['deploy a ref instead of a commit, or use: hacktree switch REF'],
  });
}

/** Finds a root that has a commit and follows a ref: the default if it does, else the newest. */
export function deployedWith(
  { deployments, menu }: SysrootState,
  refspec: string,
  commit: Checksum,
): { readonly root: string; readonly isDefault: boolean } | undefined {
  const found = newestOf(
    deployments.filter((one) => one.isPresent && one.refspec === refspec && one.commit === commit),
    menu.defaultId,
  );
  return found && { root: found.root, isDefault: found.root === menu.defaultId };
}

function newestOf(deployments: readonly Deployment[], defaultId: string): Deployment | undefined {
  const byTime = deployments.toSorted((a, b) => (b.deployedSec ?? 0) - (a.deployedSec ?? 0));
  return deployments.find(({ root }) => root === defaultId) ?? byTime[0];
}

/** Compares what is booted, deployed and available. Errors: those of the question to the mirror, `ref-not-found`. */
export async function checkUpgrade(state: SysrootState, repo: Repo, ask: AskMirror): Promise<UpgradeCheck> {
  const followed = followedRoot(state);
  const colon = followed.refspec.indexOf(':');
  const available =
    colon < 0
      ? localFacts(repo, followed.refspec)
      : await ask(followed.refspec.slice(0, colon), followed.refspec.slice(colon + 1));
  const booted = state.deployments.find(({ root }) => root === state.booted);
  const deployed = newestOf(
    state.deployments.filter(({ refspec }) => refspec === followed.refspec),
    state.menu.defaultId,
  );
  return {
    root: followed.root,
    refspec: followed.refspec,
    booted: factsOf(repo, booted?.commit),
    deployed: factsOf(repo, deployed?.commit),
    available,
    isNewer: deployedWith(state, followed.refspec, available.commit) === undefined,
  };
}

function localFacts(repo: Repo, ref: string): CommitFacts {
  const commit = tryResolveRev(repo, ref);
  const facts = factsOf(repo, commit);
  if (facts !== undefined) return facts;
  throw new HacktreeError('ref-not-found', `Refspec '${ref}' not found`, { details: { path: repo.path, found: ref } });
}

function factsOf(repo: Repo, commit: Checksum | undefined): CommitFacts | undefined {
  if (commit === undefined) return undefined;
  const { metadata, timestampSec } = loadCommit(repo, commit);
  return { commit, version: lookupString(metadata, 'version'), timestampSec };
}

/** Refuses a commit older than the deployed one. Errors: `timestamp-older`. */
export function requireNotOlder(repo: Repo, now: Deployment, next: Checksum): void {
  if (now.commit === undefined) return;
  const [old, fresh] = [loadCommit(repo, now.commit), loadCommit(repo, next)];
  if (fresh.timestampSec >= old.timestampSec) return;
  const when = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();
  const message =
    `Upgrade target revision '${next}' with timestamp '${when(fresh.timestampSec)}' is chronologically older than current ` +
    `revision '${now.commit}' with timestamp '${when(old.timestampSec)}'; use --allow-downgrade to permit`;
  throw new HacktreeError('timestamp-older', message, {
    details: { expected: Number(old.timestampSec), found: Number(fresh.timestampSec) },
  });
}
