/** `boot-complete`: marks the booted root good. */
import { markBooted } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { bootComplete } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof bootComplete>): Promise<unknown> {
  return changeSysroot(context, input, 'boot-complete', async (state) => {
    const root = await markBooted(state);
    context.line(`${root} is good`);
    return { root };
  });
}
