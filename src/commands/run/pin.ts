/** `pin`: keeps a root whatever the policy says. */
import { findRoot, pinRoot } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { pin } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof pin>): Promise<unknown> {
  return changeSysroot(context, input, 'pin', (state) => {
    const { root } = findRoot(state, input.root);
    pinRoot(state, root, input.reason);
    context.line(`Pinned ${root}`);
    return { root, reason: input.reason ?? null };
  });
}
