/** `set-default`: chooses what boots by itself, or at the next start only. */
import { findRoot, withDefault, withOneShot, writeMenu } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { setDefault } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof setDefault>): Promise<unknown> {
  return changeSysroot(context, input, 'set-default', async (state) => {
    const id = input.root === 'host' ? 'host' : findRoot(state, input.root).root;
    await writeMenu(state, input.once ? withOneShot(state, id) : withDefault(state, id));
    context.line(input.once ? `${id} boots at the next start only` : `${id} boots by itself from now on`);
    return { root: id, once: input.once };
  });
}
