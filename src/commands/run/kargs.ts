/** `kargs`: shows or changes the kernel arguments of a root. */
import type { KargEdit } from '../../bootloader/index.ts';
import {
  editKargsOnce,
  editRootKargs,
  findRoot,
  openSysrootRepo,
  readState,
  rootKargs,
  type SysrootState,
} from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import { changeSysroot, sysrootOf } from '../sysroot-context.ts';
import type { kargs } from '../table/deploy.ts';

type KargsInput = Input<typeof kargs>;

export async function run(context: Context, input: KargsInput): Promise<unknown> {
  const edits = editsOf(input);
  if (edits.length > 0) return change(context, input, edits);
  if (input.once) throw usageError('--once needs an argument to change, such as --append=K=V');
  const state = readState(sysrootOf(input));
  const deployment = findRoot(state, nameOf(input, state));
  const found = rootKargs(state, openSysrootRepo(state.sysroot), deployment);
  for (const { argument, origin } of found) context.line(`${origin.padEnd(8)} ${argument}`);
  return { root: deployment.root, kargs: found };
}

function editsOf(input: KargsInput): KargEdit[] {
  const edits = (op: KargEdit['op'], words: readonly string[]): KargEdit[] => words.map((argument) => ({ op, argument }));
  return [
    ...edits('delete', input.delete),
    ...edits('replace', input.replace),
    ...edits('append', input.append),
    ...edits('append-if-missing', input.appendIfMissing),
  ];
}

const nameOf = (input: KargsInput, state: SysrootState): string => input.root ?? state.menu.defaultId;

function change(context: Context, input: KargsInput, edits: KargEdit[]): Promise<unknown> {
  return changeSysroot(context, input, 'kargs', async (state) => {
    const deployment = findRoot(state, nameOf(input, state));
    const repo = openSysrootRepo(state.sysroot);
    if (input.once) await editKargsOnce(state, repo, deployment, edits);
    else await editRootKargs(state, repo, deployment, edits);
    context.line(`Kernel arguments of ${deployment.root} changed${input.once ? ' for the next start only' : ''}`);
    return { root: deployment.root, edits, once: input.once };
  });
}
