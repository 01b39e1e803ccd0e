/**
 * What a deployment makes of /etc, planned: the merge with the previous root's, or on a first deployment what the host gives.
 * Reads only. The same plan is shown by a dry run, which has no tree yet, and carried out by the deployment.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../checkout/index.ts';
import type { Checksum } from '../core/index.ts';
import {
  type EtcPlan,
  type EtcPolicy,
  type EtcReport,
  type HostAccounts,
  planEtcMerge,
  planHostFiles,
  readHostAccounts,
  reportEtcPlan,
} from '../etc/index.ts';
import type { Repo } from '../repo/index.ts';
import { commitEtc, commitHas } from './commit-tree.ts';
import { rootDir, type SysrootPaths } from './layout.ts';

export interface EtcSource {
  readonly paths: SysrootPaths;
  readonly repo: Repo;
  readonly commit: Checksum;
  /** undefined: there is none, the host's accounts and identity are taken. */
  readonly mergeRoot: string | undefined;
  readonly policy: EtcPolicy;
}

export interface EtcChange {
  readonly mergeRoot: string | undefined;
  readonly plan: EtcPlan;
  /** Of a first deployment: what is taken from the host. */
  readonly accounts: HostAccounts | undefined;
}

/** Plans. Errors: system errors; files of /etc that cannot be read are actions of the plan. */
export function planEtc({ paths, repo, commit, mergeRoot, policy }: EtcSource, newDefaultsDir: string): EtcChange {
  if (mergeRoot !== undefined) {
    const old = rootDir(paths, mergeRoot);
    const dirs = { defaultsDir: join(old, 'usr/etc'), userDir: join(old, 'etc'), newDefaultsDir };
    return { mergeRoot, plan: planEtcMerge({ ...dirs, policy }), accounts: undefined };
  }
  const hostEtcDir = join(paths.physical, 'etc');
  const hasShell = (shell: string): boolean => commitHas(repo, commit, shell);
  return {
    mergeRoot,
    plan: planHostFiles({ hostEtcDir, newDefaultsDir, policy }),
    accounts: readHostAccounts({ hostEtcDir, etcDir: newDefaultsDir, policy, hasShell }),
  };
}

/** Plans without a tree: the commit's defaults are copied to a private directory for as long as it takes. */
export async function previewEtc(source: EtcSource): Promise<EtcChange> {
  const scratch = fs.mkdtempSync(join(fs.existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'hacktree-etc-'));
  const defaults = join(scratch, 'etc');
  try {
    const subpath = commitEtc(source.repo, source.commit);
    if (subpath === undefined) fs.mkdirSync(defaults);
    else await checkout(source.repo, { rev: source.commit, destination: defaults, options: { subpath } });
    return planEtc(source, defaults);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** What becomes of /etc, for people and programs. */
export interface DeployEtcReport extends EtcReport {
  /** The root whose /etc is merged with the new defaults, or `host`. */
  readonly from: string;
  readonly accounts: Pick<HostAccounts, 'users' | 'groups' | 'conflicts'> | undefined;
}

/** Makes the report of a plan. */
export function reportEtc({ mergeRoot, plan, accounts }: EtcChange): DeployEtcReport {
  const { users, groups, conflicts } = accounts ?? { users: [], groups: [], conflicts: [] };
  return {
    ...reportEtcPlan(plan),
    from: mergeRoot ?? 'host',
    accounts: accounts === undefined ? undefined : { users, groups, conflicts },
  };
}
