/** `init`: makes a repository. */
import { initRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { init } from '../table/repository.ts';

export async function run(context: Context, input: Input<typeof init>): Promise<void> {
  const path = input.path === undefined || context.frontEnd === 'ostree' ? context.repoPath : input.path;
  initRepo(path, { mode: input.mode, collectionId: input.collectionId });
}
