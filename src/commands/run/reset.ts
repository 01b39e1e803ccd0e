/** `reset`: points a ref to another commit. */
import { HacktreeError, parseRefspec } from '../../core/index.ts';
import { failIfAsked, readRef, resolveRev, updateRefs } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { openForChange } from '../open-repo.ts';
import type { Input } from '../spec.ts';
import type { reset } from '../table/repository.ts';

export async function run(context: Context, input: Input<typeof reset>): Promise<void> {
  const repo = openForChange(context);
  const target = input.ref.includes('^') ? undefined : parseRefspec(input.ref);
  if (target === undefined || target.remote !== undefined || readRef(repo, target) === undefined) {
    throw new HacktreeError('ref-not-found', `Invalid ref '${input.ref}'`, {
      details: { path: repo.path, expected: 'an existing local ref', found: input.ref },
    });
  }
  const commit = resolveRev(repo, input.commit);
  failIfAsked(repo);
  await updateRefs(repo, [{ target, commit }], { onLockWait: context.onLockWait });
}
