/** `index rebuild`: makes the content index anew. */
import { openRepo, rebuildContentIndex } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { indexRebuild } from '../table/repository.ts';

export async function run(context: Context, { threads }: Input<typeof indexRebuild>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const limits = threads === undefined ? {} : { threads };
  const report = await rebuildContentIndex(repo, { ...limits, onProgress: context.report, signal: context.signal });
  context.line(`${report.recordCount} contents of ${report.objectCount} file objects indexed`);
  if (report.unreadableCount > 0)
    context.warn(`${report.unreadableCount} file objects are damaged and left out; fsck names them`);
  return report;
}
