/** `etc gc`: forgets old history of /etc. */
import { etcHistoryDir } from '../../deploy/index.ts';
import { gcEtcHistory } from '../../etc/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import { changeSysroot } from '../sysroot-context.ts';
import type { etcGc } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcGc>): Promise<unknown> {
  const { keep } = input;
  if (keep === undefined || keep < 1) throw usageError('--keep=N says how many deployments to keep, at least 1');
  return changeSysroot(context, input, 'etc gc', async ({ sysroot, deployments }) => {
    const roots = deployments.map(({ root }) => root);
    const found = await gcEtcHistory(etcHistoryDir(sysroot), keep, roots);
    for (const branch of found.branchesDeleted) context.line(`Forgot the branch ${branch}`);
    context.line(`Kept ${found.commitsKept} commits; deleted ${found.objectsDeleted} objects, ${found.bytesFreed} bytes`);
    return found;
  });
}
