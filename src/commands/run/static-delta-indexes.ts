/** `static-delta indexes`: lists the commits to which there is an index of static deltas. */
import { listDeltaIndexes } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<unknown> {
  const commits = listDeltaIndexes(openRepo(context.repoPath));
  if (commits.length === 0) context.line('(No static deltas indexes)');
  for (const commit of commits) context.line(commit);
  return { commits };
}
