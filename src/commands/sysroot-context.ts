/**
 * What the deploy commands share: opening the sysroot that the options name, locking it, running again in a mount
 * namespace of its own inside a deployed root, and printing deployments.
 */
import type { BootloaderName, KargEdit } from '../bootloader/index.ts';
import {
  type DeployOptions,
  type DeployPlan,
  lockSysroot,
  needsOwnNamespace,
  openSysroot,
  readState,
  runInOwnNamespace,
  type Sysroot,
  type SysrootState,
} from '../deploy/index.ts';
import { endProcess } from '../repo/index.ts';
import type { Context } from './context.ts';
import { printEtcReport } from './etc-report.ts';

export interface SysrootInput {
  readonly sysroot: string | undefined;
  readonly bootloader: string | undefined;
}

export interface ChangingInput extends SysrootInput {
  readonly wait: boolean;
}

const directoryOf = (input: SysrootInput): string => input.sysroot ?? '/';

/** Opens the sysroot. Errors: `sysroot-not-found`. */
export function sysrootOf(input: SysrootInput): Sysroot {
  return openSysroot(directoryOf(input), { bootloader: input.bootloader as BootloaderName | undefined });
}

/** Inside a deployed root, starts this command again where /sysroot and /boot are writable, and ends with its status. */
export function becomeWriter(context: Context, input: SysrootInput): void {
  const request = { directory: directoryOf(input), environment: context.surroundings.env, argv: process.argv };
  if (needsOwnNamespace(request)) endProcess(runInOwnNamespace(request));
}

/** Opens and locks the sysroot for a change, and gives its state. The lock ends with the function. */
export async function changeSysroot<T>(
  context: Context,
  input: ChangingInput,
  command: string,
  change: (state: SysrootState) => Promise<T> | T,
): Promise<T> {
  becomeWriter(context, input);
  const sysroot = sysrootOf(input);
  const lock = await lockSysroot(sysroot, {
    command,
    wait: input.wait,
    onWait: (holder) => context.message(`Waiting for ${holder}...`),
  });
  try {
    return await change(readState(sysroot));
  } finally {
    lock.release();
  }
}

export interface DeployingInput {
  readonly karg: readonly string[];
  readonly kargAppend: readonly string[];
  readonly kargDelete: readonly string[];
  readonly tries: number | undefined;
  readonly retain: boolean;
  readonly makeRoom: boolean;
  readonly etcConflict: string | undefined;
  readonly shellOnError: boolean;
  readonly wait: boolean;
}

/** The options that deploy, upgrade and switch have in common. */
export function deployOptions(context: Context, input: DeployingInput): Omit<DeployOptions, 'rev'> {
  const edits = (op: KargEdit['op'], words: readonly string[]): KargEdit[] => words.map((argument) => ({ op, argument }));
  return {
    kargs: [...edits('delete', input.kargDelete), ...edits('replace', input.karg), ...edits('append', input.kargAppend)],
    tries: input.tries,
    retain: input.retain ? 'all' : 'policy',
    makeRoom: input.makeRoom,
    etcConflict: input.etcConflict as DeployOptions['etcConflict'],
    wait: input.wait,
    onWait: (holder) => context.message(`Waiting for ${holder}...`),
    onStep: ({ title }) => context.note(`${title}...`),
    onWarning: (text) => context.warn(text),
    onEtcReport: (report) => context.message(printEtcReport(report, false)),
    onScript: ({ name }) => context.note(`running etc/hacktree/deploy.d/${name}...`),
    ...(input.shellOnError && context.surroundings.stderrIsTerminal
      ? {
          onScriptFailure: async (run, openShell) => {
            context.message(`${run.name}: ${run.outcome}\n${run.output}`);
            context.message('A shell in the new root; exit 0 goes on, anything else undoes the deployment.');
            return (await openShell()) === 0;
          },
        }
      : {}),
    onProgress: context.report,
    signal: context.signal,
  };
}

/** Prints a plan, for --dry-run. */
export function printPlan(context: Context, plan: DeployPlan): void {
  context.line(`${plan.root}: commit ${plan.commit}`);
  for (const { name, bytes, inodes, freeBytes, fits } of plan.space) {
    context.line(
      `  ${name}: ${bytes} bytes and ${inodes} inodes needed, ${freeBytes} bytes free${fits ? '' : ' (does not fit)'}`,
    );
  }
  for (const { title } of plan.steps) context.line(`  ${title}`);
  context.line(`boot menu now:  ${menuText(plan.menuBefore)}`);
  context.line(`boot menu then: ${menuText(plan.menuAfter)}`);
}

/** The entries in order, the default in brackets. */
function menuText({ entries, defaultId }: DeployPlan['menuBefore']): string {
  return [...entries.map(({ id }) => id), 'host'].map((id) => (id === defaultId ? `[${id}]` : id)).join(', ');
}

/** Says what a deployment did: the root, what boots next, and the roots that went. */
export function printDeployed(context: Context, { root, menuAfter, drops }: DeployPlan, madeRoom: readonly string[]): void {
  context.line(`Deployed ${root}${menuAfter.defaultId === root ? '; it boots next' : ''}`);
  if (madeRoom.length > 0) context.line(`Removed to make room: ${madeRoom.join(', ')}`);
  if (drops.length > 0) context.line(`Removed by the retention policy: ${drops.join(', ')}`);
}

/** Plain data of a plan, for --json. */
export function planData({ root, commit, mergeRoot, drops, space, steps, menuBefore, menuAfter }: DeployPlan): object {
  return {
    root,
    commit,
    mergeRoot: mergeRoot ?? null,
    drops,
    space,
    steps: steps.map(({ kind, title }) => ({ kind, title })),
    menuBefore,
    menuAfter,
  };
}
