/** `upgrade`: fetches the newest commit of the ref that is followed, and deploys it. */
import { spawnSync } from 'node:child_process';
import {
  type CommitFacts,
  checkUpgrade,
  deploy,
  deployedWith,
  followedRoot,
  openSysrootRepo,
  readState,
  requireNotOlder,
  type UpgradeCheck,
} from '../../deploy/index.ts';
import { askRemoteRef } from '../../remote/index.ts';
import { resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { reachOf } from '../network.ts';
import { pullRefspec } from '../pull-refspec.ts';
import type { Input } from '../spec.ts';
import { becomeWriter, deployOptions, planData, printDeployed, sysrootOf } from '../sysroot-context.ts';
import type { upgrade } from '../table/deploy.ts';

type UpgradeInput = Input<typeof upgrade>;

export async function run(context: Context, input: UpgradeInput): Promise<unknown> {
  return input.check ? check(context, input) : upgradeNow(context, input);
}

/** Asking a mirror writes into the repository for a moment, so this too needs it writable. */
async function check(context: Context, input: UpgradeInput): Promise<unknown> {
  becomeWriter(context, input);
  const sysroot = sysrootOf(input);
  const repo = openSysrootRepo(sysroot);
  const found = await checkUpgrade(readState(sysroot), repo, (remote, ref) =>
    askRemoteRef(repo, remote, ref, reachOf(context, repo)),
  );
  printCheck(context, found);
  return found;
}

function printCheck(context: Context, { refspec, booted, deployed, available, isNewer }: UpgradeCheck): void {
  const line = (name: string, facts: CommitFacts | undefined): void =>
    context.line(
      `${name.padEnd(10)} ${facts === undefined ? '-' : `${facts.commit}${facts.version === undefined ? '' : ` (${facts.version})`}`}`,
    );
  context.line(`Following ${refspec}`);
  line('Booted:', booted);
  line('Deployed:', deployed);
  line('Available:', available);
  context.line(isNewer ? 'Update available.' : 'No update available.');
}

async function upgradeNow(context: Context, input: UpgradeInput): Promise<unknown> {
  becomeWriter(context, input);
  const sysroot = sysrootOf(input);
  const repo = openSysrootRepo(sysroot);
  const followed = followedRoot(readState(sysroot));
  await pullRefspec(context, repo, followed.refspec);
  const next = resolveRev(repo, followed.refspec);
  const present = deployedWith(readState(sysroot), followed.refspec, next);
  if (present !== undefined) {
    context.line('No update available.');
    context.line(
      present.isDefault
        ? `${present.root} has it and boots by itself.`
        : `${present.root} has it; to boot it: hacktree set-default ${present.root}`,
    );
    return { isUpgraded: false, root: present.root, commit: next };
  }
  if (!input.allowDowngrade) requireNotOlder(repo, followed, next);
  const { plan, etc, madeRoom } = await deploy(sysroot, { ...deployOptions(context, input), rev: followed.refspec });
  printDeployed(context, plan, madeRoom);
  if (input.reboot) reboot(context);
  return { isUpgraded: true, ...planData(plan), dryRun: false, etc: etc ?? null, madeRoom };
}

function reboot(context: Context): void {
  context.finish();
  const { status } = spawnSync('systemctl', ['reboot'], { stdio: 'inherit' });
  if (status !== 0) spawnSync('reboot', [], { stdio: 'inherit' });
}
