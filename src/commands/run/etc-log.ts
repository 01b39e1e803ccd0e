/** `etc log`: the history of /etc, newest first. */
import type { Context } from '../context.ts';
import { etcPath, openHistory, printEntry } from '../etc-context.ts';
import type { Input } from '../spec.ts';
import { sysrootOf } from '../sysroot-context.ts';
import type { etcLog } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcLog>): Promise<unknown> {
  const history = await openHistory(sysrootOf(input));
  const commits = await history.log({
    ...(input.from === undefined ? {} : { from: input.from }),
    ...(input.path === undefined ? {} : { path: etcPath(input.path) }),
    ...(input.count === undefined ? {} : { limit: input.count }),
  });
  for (const commit of commits) printEntry(context, commit);
  return { commits };
}
