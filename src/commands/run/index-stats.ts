/** `index stats`: how large the content index is. */
import { openRepo, readIndexStats } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { printIndexStats } from '../index-report.ts';

export async function run(context: Context): Promise<unknown> {
  const stats = readIndexStats(openRepo(context.repoPath));
  printIndexStats(context, stats);
  return stats;
}
