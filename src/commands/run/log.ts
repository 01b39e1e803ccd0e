/** `log`: prints a commit and its ancestors. */
import { openRepo, printObject, resolveRev, walkHistory } from '../../repo/index.ts';
import { commitData, printCommit, signaturesOf } from '../commit-text.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { log } from '../table/history.ts';

export async function run(context: Context, input: Input<typeof log>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const commits: object[] = [];
  let isComplete = true;
  for (const step of walkHistory(repo, resolveRev(repo, input.rev))) {
    if (input.count !== undefined && commits.length >= input.count) break;
    if (step.kind === 'missing') {
      isComplete = false;
      context.line('<< History beyond this commit not fetched >>');
      break;
    }
    context.line(`commit ${step.facts.commit}`);
    if (input.raw) context.line(printObject(repo, { checksum: step.facts.commit, type: 'commit' }, { asStored: false }));
    else context.print(printCommit(step.facts));
    const signatures = context.frontEnd === 'hacktree' ? await signaturesOf(context, repo, step.facts.commit) : [];
    if (signatures.length > 0) context.line();
    commits.push(context.json ? { ...commitData(step.facts), signatures } : step.facts);
  }
  return { commits, isComplete };
}
