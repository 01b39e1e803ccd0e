/** `pull-local`: copies refs from a repository on this machine. */
import { printPullReport, pullLocal } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import { updateSummaryIfAsked } from '../auto-summary.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { openForChange } from '../open-repo.ts';
import { pullOptions } from '../pull-options.ts';
import type { Input } from '../spec.ts';
import type { pullLocal as spec } from '../table/mirrors.ts';
import { trustOf } from '../trust-keys.ts';

export async function run(context: Context, input: Input<typeof spec>): Promise<unknown> {
  const repo = openForChange(context);
  const { remote, gpgVerify, gpgVerifySummary } = input;
  if ((gpgVerify || gpgVerifySummary) && remote === undefined)
    throw usageError('Must specify remote name to enable gpg verification');
  const report = await pullLocal(repo, openRepo(input.source), {
    ...pullOptions(context, input),
    refs: input.refs,
    remote,
    gpgVerify,
    gpgVerifySummary,
    trust: trustOf(context),
  });
  context.line(printPullReport(report));
  await updateSummaryIfAsked(context, repo.path);
  return report;
}
