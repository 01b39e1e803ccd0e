/** `rev-parse`: prints the commits that revisions mean. */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { listCommits, openRepo, type Repo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { revParse } from '../table/history.ts';

export async function run(context: Context, input: Input<typeof revParse>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  if (input.single && input.revs.length > 0) throw usageError('Cannot specify arguments with --single');
  if (!input.single && input.revs.length === 0) throw usageError('REV must be specified');
  const commits: { rev: string | null; commit: Checksum }[] = [];
  const add = (rev: string | null, commit: Checksum): void => {
    commits.push({ rev, commit });
    context.line(commit);
  };
  if (input.single) add(null, singleCommit(repo));
  for (const rev of input.revs) add(rev, resolveRev(repo, rev));
  return { commits };
}

function singleCommit(repo: Repo): Checksum {
  const commits = listCommits(repo);
  const [only] = commits;
  if (only !== undefined && commits.length === 1) return only;
  throw new HacktreeError('ref-not-found', commits.length === 0 ? 'No commit objects found' : 'Multiple commit objects found', {
    details: { path: repo.path, expected: 1, found: commits.length },
  });
}
