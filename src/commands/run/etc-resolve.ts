/** `etc resolve`: settles a conflict. */
import { resolveConflict } from '../../etc/index.ts';
import type { Context } from '../context.ts';
import { changeEtc, etcPath } from '../etc-context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { etcResolve } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcResolve>): Promise<unknown> {
  const path = etcPath(input.path);
  if (input.keep === input.new) throw usageError('Say what is to stand: --keep the local version, or take the --new default');
  const choice = input.keep ? 'keep' : 'new';
  return changeEtc(context, input, `resolve ${path} --${choice}`, async (etc, _sysroot, save) => {
    await save();
    const resolved = resolveConflict(etc, path, choice);
    context.line(`${path} in /etc of ${etc.root}: ${input.keep ? 'the local version stays' : 'the new default was taken'}`);
    return { root: etc.root, path, choice, resolved };
  });
}
