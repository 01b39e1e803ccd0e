/** `cleanup`: removes leftovers, and roots that the policy lets go. */
import {
  applyCleanup,
  type CleanupPlan,
  loadRetention,
  openSysrootRepo,
  planCleanup,
  readState,
  type SysrootState,
} from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { changeSysroot, sysrootOf } from '../sysroot-context.ts';
import type { cleanup } from '../table/deploy.ts';

type CleanupInput = Input<typeof cleanup>;

export async function run(context: Context, input: CleanupInput): Promise<unknown> {
  if (input.dryRun) {
    const plan = planOf(readState(sysrootOf(input)));
    print(context, plan, 'Would remove');
    return { ...plan, dryRun: true };
  }
  return changeSysroot(context, input, 'cleanup', async (state) => {
    const plan = planOf(state);
    await applyCleanup(state, openSysrootRepo(state.sysroot), plan);
    print(context, plan, 'Removed');
    return { ...plan, dryRun: false };
  });
}

function planOf(state: SysrootState): CleanupPlan {
  return planCleanup(state, loadRetention(state.sysroot.paths.physical), { nowSec: Math.floor(Date.now() / 1000) });
}

function print(context: Context, { leftovers, roots, bootFiles, rootBytes, bootBytes }: CleanupPlan, verb: string): void {
  const names = [...leftovers, ...roots, ...bootFiles];
  if (names.length === 0) context.line('Nothing to remove');
  for (const name of names) context.line(`${verb} ${name}`);
  context.line(
    `${verb === 'Removed' ? 'Freed' : 'That would free'} ${rootBytes} bytes on the root file system and ${bootBytes} in /boot`,
  );
}
