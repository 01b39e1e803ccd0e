/** `etc status`: local changes of /etc, and conflicts that wait for a decision. */
import { compareEtc, listUnresolved, type UnresolvedConflict } from '../../etc/index.ts';
import type { Context } from '../context.ts';
import { printChange, readEtc } from '../etc-context.ts';
import type { Input } from '../spec.ts';
import type { etcStatus } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcStatus>): Promise<unknown> {
  const { etc } = readEtc(input, input.root);
  const changes = compareEtc(etc.defaultsDir, etc.etcDir);
  const unresolved = listUnresolved(etc);
  context.line(
    `/etc of ${etc.root}: ${count(changes.length, 'local change')}, ${count(unresolved.length, 'conflict')} to resolve`,
  );
  if (unresolved.length > 0) {
    context.line('\nConflicts, each settled by: hacktree etc resolve PATH --keep|--new');
    for (const conflict of unresolved) context.line(`     ${conflict.path}: ${whatOf(conflict)}`);
  }
  if (changes.length > 0) context.line('\nLocal changes, shown by: hacktree etc diff');
  for (const change of changes) printChange(context, change);
  return { root: etc.root, changes, unresolved };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function whatOf({ beside, kind, details }: UnresolvedConflict): string {
  if (beside === undefined) return details ?? '';
  return kind === 'new' ? `the new default is kept as ${beside}` : `the local version is kept as ${beside}`;
}
