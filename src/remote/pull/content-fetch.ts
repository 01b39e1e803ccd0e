/** Fetches file objects through the pool, a batch per message, and collects what the content index wants to know of them. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import { ContentRecords } from '../../repo/index.ts';
import { type Pool, PoolRuns } from '../../sys/index.ts';
import { interrupted } from './interrupt.ts';
import type { PullBatchResult, PullTask } from './pull-worker.ts';
import { RowWriter } from './rows.ts';
import { type PullTotals, requireAll } from './tree-scan.ts';

const BATCH_OBJECTS = 64;

export interface ContentFetchOptions {
  readonly totals: PullTotals;
  readonly report: ReportProgress;
  readonly signal: AbortSignal | undefined;
  readonly count: number;
  /** Bytes to download, where known. */
  readonly bytesTotal: number | undefined;
}

/** Fetches and stages file objects; returns rows for the content index. Errors: those of the workers, `interrupted`. */
export async function fetchContent(
  pool: Pool<PullTask, PullBatchResult>,
  checksums: Iterable<Checksum>,
  options: ContentFetchOptions,
): Promise<ContentRecords> {
  const { totals, report, signal } = options;
  const records = new ContentRecords();
  let done = 0;
  const receive = (result: PullBatchResult): void => {
    totals.content += result.content;
    totals.contentBytes += result.contentBytes;
    totals.transferredBytes += result.transferredBytes;
    records.addRows(result.digests);
    done += result.content;
    report({
      phase: 'Receiving objects',
      objectsDone: done,
      objectsTotal: options.count,
      bytesDone: totals.transferredBytes,
      bytesTotal: options.bytesTotal,
    });
    requireAll(result.missing);
  };
  const runs = new PoolRuns(pool, receive);
  const rows = new RowWriter(pool.size > 0);
  // Few objects are dealt to all threads, many in large batches.
  const batch = Math.max(1, Math.min(BATCH_OBJECTS, Math.ceil(options.count / pool.capacity)));
  for (const checksum of checksums) {
    rows.add(checksum, 'file');
    if (rows.count < batch) continue;
    await runs.send({ kind: 'fetch', rows: rows.take() });
    if (signal?.aborted === true) break;
  }
  if (rows.count > 0) await runs.send({ kind: 'fetch', rows: rows.take() });
  await runs.finish();
  if (signal?.aborted === true) throw interrupted();
  return records;
}
