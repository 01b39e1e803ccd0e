/** `remote delete`: takes a remote out of the configuration. */
import { deleteRemote } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { remoteDelete } from '../table/remotes.ts';

export async function run(context: Context, input: Input<typeof remoteDelete>): Promise<unknown> {
  const isDeleted = deleteRemote(openRepo(context.repoPath), input.name, { ifExists: input.ifExists });
  return { name: input.name, isDeleted };
}
