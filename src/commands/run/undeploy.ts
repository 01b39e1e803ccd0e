/** `undeploy`: removes a root and its boot entry. */
import { findRoot, openSysrootRepo, undeploy as removeRoots } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { undeploy } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof undeploy>): Promise<unknown> {
  return changeSysroot(context, input, 'undeploy', async (state) => {
    const { root } = findRoot(state, input.root);
    await removeRoots(state, openSysrootRepo(state.sysroot), [root]);
    context.line(`Removed ${root}`);
    return { root };
  });
}
