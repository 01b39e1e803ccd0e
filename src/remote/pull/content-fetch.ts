/** Fetches file objects through the pool, a batch per message, and collects what the content index wants to know of them. */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import { ContentRecords } from '../../repo/index.ts';
import { batchSize, PoolRuns } from '../../sys/index.ts';
import { interrupted } from './interrupt.ts';
import type { TaskDigests } from './known-digests.ts';
import type { PullPool } from './pools.ts';
import type { PackedTask, PullBatchResult, PullTask } from './pull-worker.ts';
import { type ObjectRows, RowWriter } from './rows.ts';
import type { PackedObjects } from './source.ts';
import { type PullTotals, requireAll } from './tree-scan.ts';

const BATCH_OBJECTS = 64;

export interface ContentFetchOptions {
  readonly totals: PullTotals;
  readonly report: ReportProgress;
  readonly signal: AbortSignal | undefined;
  readonly count: number;
  /** Bytes to download, where known. */
  readonly bytesTotal: number | undefined;
  /** What is known of contents without hashing them. */
  readonly digestsOf: (some: readonly Checksum[]) => TaskDigests;
}

/**
 * Fetches and stages file objects, those of `packed` from packs; returns rows for the content index. Errors: those of the workers,
 * `interrupted`.
 */
export async function fetchContent(
  pool: PullPool,
  checksums: readonly Checksum[],
  packed: readonly PackedObjects[],
  { totals, report, signal, count, bytesTotal, digestsOf }: ContentFetchOptions,
): Promise<ContentRecords> {
  const records = new ContentRecords();
  const passedOver: Checksum[] = [];
  let done = 0;
  const receive = (result: PullBatchResult): void => {
    totals.content += result.content;
    totals.contentBytes += result.contentBytes;
    totals.transferredBytes += result.transferredBytes;
    records.addRows(result.digests);
    passedOver.push(...result.passedOver);
    done += result.content;
    const { transferredBytes: bytesDone } = totals;
    report({ phase: 'Receiving objects', objectsDone: done, objectsTotal: count, bytesDone, bytesTotal });
    requireAll(result.missing);
  };
  const run = async (tasks: Iterable<PullTask>): Promise<void> => {
    const runs = new PoolRuns(pool, receive);
    for (const task of tasks) {
      if (signal?.aborted === true) break;
      await runs.send(task);
    }
    await runs.finish();
    if (signal?.aborted === true) throw interrupted();
  };
  const inPacks = new Set(packed.flatMap((each) => each.checksums));
  const others = checksums.filter((checksum) => !inPacks.has(checksum));
  const rowsOf = (some: readonly Checksum[]): Rows => ({ rows: packRows(pool, some), digests: digestsOf(some) });
  await run(alternating(fetchTasks(pool, others, rowsOf), packedTasks(packed, rowsOf)));
  await run(fetchTasks(pool, passedOver, rowsOf));
  return records;
}

type Rows = Pick<PackedTask, 'rows' | 'digests'>;
type MakeRows = (some: readonly Checksum[]) => Rows;

function* fetchTasks(pool: PullPool, checksums: readonly Checksum[], rowsOf: MakeRows): Generator<PullTask> {
  for (let at = 0; at < checksums.length; ) {
    const end = at + batchSize(pool, checksums.length - at, BATCH_OBJECTS);
    yield { kind: 'fetch', ...rowsOf(checksums.slice(at, end)) };
    at = end;
  }
}

function* packedTasks(packed: readonly PackedObjects[], rowsOf: MakeRows): Generator<PullTask> {
  for (const { checksums, ...rest } of packed) yield { kind: 'packed', ...rowsOf(checksums), ...rest };
}

function packRows(pool: PullPool, checksums: readonly Checksum[]): ObjectRows {
  const rows = new RowWriter(pool.size > 0);
  for (const checksum of checksums) rows.add(checksum, 'file');
  return rows.take();
}

/** Takes from both in turn: what is in no pack is large, and threads that have only that leave much memory to be collected. */
function* alternating<T>(...sources: readonly Iterator<T>[]): Generator<T> {
  for (let left = sources; left.length > 0; ) {
    const next = left.map((source) => source.next());
    for (const { done, value } of next) if (done !== true) yield value;
    left = left.filter((_, i) => next[i]?.done !== true);
  }
}
