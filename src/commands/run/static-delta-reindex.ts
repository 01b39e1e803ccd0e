/** `static-delta reindex`: writes the indexes of static deltas anew. */
import { isChecksum } from '../../core/index.ts';
import { reindexDeltas } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { deltaReindex } from '../table/deltas.ts';

export async function run(context: Context, { to }: Input<typeof deltaReindex>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  if (to !== undefined && !isChecksum(to)) {
    throw usageError(`Invalid rev ${to}`, ['--to takes a whole checksum; `hacktree rev-parse` gives the checksum of a ref.']);
  }
  await reindexDeltas(repo, { ...(to === undefined ? {} : { to }), onLockWait: context.onLockWait });
  return {};
}
