/** `rollback`: makes the previous good root the default again. */
import { rollbackTarget, withDefault, writeMenu } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { rollback } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof rollback>): Promise<unknown> {
  return changeSysroot(context, input, 'rollback', async (state) => {
    const target = rollbackTarget(state);
    await writeMenu(state, withDefault(state, target));
    context.line(`${target} boots next; it was ${state.menu.defaultId}`);
    return { default: target, before: state.menu.defaultId };
  });
}
