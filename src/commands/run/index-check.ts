/** `index check`: compares the content index with the objects. */
import { checkContentIndex, openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { printIndexStats } from '../index-report.ts';
import type { Input } from '../spec.ts';
import type { indexCheck } from '../table/repository.ts';

export async function run(context: Context, { threads }: Input<typeof indexCheck>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const limits = threads === undefined ? {} : { threads };
  const report = await checkContentIndex(repo, { ...limits, onProgress: context.report, signal: context.signal });
  printIndexStats(context, report);
  if (report.staleRecords > 0) context.line(`${report.staleRecords} records of objects that are gone`);
  if (report.unindexedObjects > 0) context.line(`${report.unindexedObjects} file objects not indexed`);
  for (const { object, digest, actual } of report.wrongRecords) {
    context.message(`Wrong record of ${object}: says ${digest}, content is ${actual}`);
  }
  if (!report.ok) {
    context.message('error: The content index is damaged');
    context.message('hint: `hacktree index rebuild` makes it anew.');
    context.endAs('index-corrupt');
  }
  return report;
}
