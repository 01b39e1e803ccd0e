/** `reset`: points a ref to another commit. */
import { HacktreeError, parseRefspec } from '../../core/index.ts';
import { openRepo, readRef, resolveRev, updateRefs } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { reset } from '../table/repository.ts';

export async function run(context: Context, input: Input<typeof reset>): Promise<void> {
  const repo = openRepo(context.repoPath);
  const target = input.ref.includes('^') ? undefined : parseRefspec(input.ref);
  if (target === undefined || target.remote !== undefined || readRef(repo, target) === undefined) {
    throw new HacktreeError('ref-not-found', `Invalid ref '${input.ref}'`, {
      details: { path: repo.path, expected: 'an existing local ref', found: input.ref },
    });
  }
  const commit = resolveRev(repo, input.commit);
  await updateRefs(repo, [{ target, commit }], { onLockWait: context.onLockWait });
}
