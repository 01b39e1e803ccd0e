/** `static-delta apply-offline`: makes a commit out of the files of a static delta. */
import { applyDeltaOffline } from '../../remote/index.ts';
import type { Context } from '../context.ts';
import { openForChange } from '../open-repo.ts';
import type { Input } from '../spec.ts';
import type { deltaApply } from '../table/deltas.ts';
import { keyTrust } from '../trust-keys.ts';

export async function run(context: Context, input: Input<typeof deltaApply>): Promise<unknown> {
  const trust = keyTrust(context, input);
  const commit = await applyDeltaOffline(openForChange(context), input.path, { trust, onLockWait: context.onLockWait });
  if (context.frontEnd === 'hacktree') context.line(commit);
  return { commit };
}
