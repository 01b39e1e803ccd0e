/** `unpin`: lets a pinned root go when the policy says so. */
import { findRoot, unpinRoot } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { unpin } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof unpin>): Promise<unknown> {
  return changeSysroot(context, input, 'unpin', (state) => {
    const { root } = findRoot(state, input.root);
    unpinRoot(state, root);
    context.line(`Unpinned ${root}`);
    return { root };
  });
}
