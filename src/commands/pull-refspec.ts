/** Pulls the ref that a deployed root follows, before it is deployed. */
import { pull } from '../remote/index.ts';
import type { Repo } from '../repo/index.ts';
import type { Context } from './context.ts';
import { reachOf } from './network.ts';

/** Pulls `REMOTE:REF`; a local ref is there already. Errors: as pull. */
export async function pullRefspec(context: Context, repo: Repo, refspec: string): Promise<void> {
  const colon = refspec.indexOf(':');
  if (colon < 0) return;
  await pull(repo, refspec.slice(0, colon), {
    ...reachOf(context, repo),
    refs: [refspec.slice(colon + 1)],
    onProgress: context.report,
    onLockWait: context.onLockWait,
    signal: context.signal,
  });
}
