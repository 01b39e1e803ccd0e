/** What `index stats` and `index check` both print. */
import { printSize } from '../core/index.ts';
import type { IndexStats } from '../repo/index.ts';
import type { Context } from './context.ts';

/** Prints the counts, and names damaged segments on standard error. */
export function printIndexStats(context: Context, stats: IndexStats): void {
  const { recordCount, contentCount, segmentCount, bytes, damagedSegments } = stats;
  context.line(`${recordCount} records of ${contentCount} contents in ${segmentCount} segments, ${printSize(bytes)}`);
  for (const name of damagedSegments) context.message(`Damaged segment: ${name}`);
}
