/** `static-delta list`: lists the static deltas of the repository. */
import { listDeltaNames } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<unknown> {
  const deltas = listDeltaNames(openRepo(context.repoPath));
  if (deltas.length === 0) context.line('(No static deltas)');
  for (const name of deltas) context.line(name);
  return { deltas };
}
