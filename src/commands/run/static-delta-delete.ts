/** `static-delta delete`: deletes a static delta of the repository. */
import { deleteDelta, readDeltaName } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { deltaDelete } from '../table/deltas.ts';

export async function run(context: Context, { delta }: Input<typeof deltaDelete>): Promise<unknown> {
  deleteDelta(openRepo(context.repoPath), readDeltaName(delta));
  return { deleted: delta };
}
