/**
 * Uses the mirror's content index: which of the missing objects can be made of content that is here, and how large the rest
 * is. Downloads nothing but parts of the index.
 */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import { ContentRecords, openContentIndex, type Repo } from '../../repo/index.ts';
import { batchSize, type Pool, PoolRuns } from '../../sys/index.ts';
import type { RemoteAccess } from '../access.ts';
import { MirrorIndex } from '../mirror-index/read.ts';
import { IndexRecords } from '../mirror-index/records.ts';
import { Candidates, type MakeItems, MakeItemWriter } from './make-items.ts';
import type { PullBatchResult, PullTask } from './pull-worker.ts';
import type { PullTotals } from './tree-scan.ts';

export interface ReusePlan {
  /** What the mirror says of missing objects; none without an index. */
  readonly records: IndexRecords;
  /** Rows of records whose objects can be made here. */
  readonly usable: readonly number[];
  readonly candidates: Candidates;
  /** By offset in the mirror's index. */
  readonly headers: ReadonlyMap<number, Uint8Array>;
}

const LARGE_BYTES = 1 << 20;

export const NO_REUSE: ReusePlan = {
  records: IndexRecords.NONE,
  usable: [],
  candidates: new Candidates(0),
  headers: new Map(),
};

/** Looks missing objects up in the mirror's index and in the repository's own. */
export async function planReuse(repo: Repo, access: RemoteAccess, missing: readonly Checksum[]): Promise<ReusePlan> {
  const mirror = missing.length === 0 ? undefined : await MirrorIndex.open(access);
  if (mirror === undefined) return NO_REUSE;
  const records = await mirror.find(missing);
  const candidates = candidatesHere(repo, records);
  const rows = Array.from({ length: records.count }, (_, row) => row);
  const found = rows.filter((row) => candidates.count(row) > 0 || records.isSymlink(row));
  const headers = await mirror.headers(new Map(found.map((row) => [records.headerOffset(row), records.headerLength(row)])));
  const usable = found.filter((row) => headers.get(records.headerOffset(row))?.length === records.headerLength(row));
  return { records, usable: largeFirst(records, usable), candidates, headers };
}

/** A large object that one thread begins when the others have nothing left to do would keep all waiting. */
function largeFirst(records: IndexRecords, rows: readonly number[]): readonly number[] {
  const large = rows.filter((row) => records.contentBytes(row) >= LARGE_BYTES);
  large.sort((a, b) => records.contentBytes(b) - records.contentBytes(a));
  return [...large, ...rows.filter((row) => records.contentBytes(row) < LARGE_BYTES)];
}

/** Looks for objects here that hold the content of records. */
function candidatesHere(repo: Repo, records: IndexRecords): Candidates {
  const candidates = new Candidates(records.count);
  const own = openContentIndex(repo);
  try {
    own.findEach(
      records.digests,
      (row) => !records.isSymlink(row),
      (row, bytes, at) => candidates.add(row, bytes, at),
    );
  } finally {
    own.close();
  }
  return candidates;
}

/** So many that the thread which deals them seldom interrupts those that work. */
const BATCH_ITEMS = 256;

export interface ReuseResult {
  readonly madeCount: number;
  /** Missing objects that were not made. */
  readonly rest: readonly Checksum[];
  readonly contentBytes: number;
  /** Rows for the content index. */
  readonly digests: Buffer;
}

/** Makes what can be made. Errors: `no-space` and system errors; a wrong record is only left out. */
export async function makeFromContent(
  pool: Pool<PullTask, PullBatchResult>,
  missing: readonly Checksum[],
  plan: ReusePlan,
  { totals, report }: { readonly totals: PullTotals; readonly report: ReportProgress },
): Promise<ReuseResult> {
  const { records, usable } = plan;
  const made = new Uint8Array(records.count);
  const digests = new ContentRecords();
  let madeCount = 0;
  let contentBytes = 0;
  const receive = (result: PullBatchResult): void => {
    for (const item of result.made) {
      const row = usable[item] as number;
      made[row] = 1;
      totals.savedByIndex += records.archivedBytes(row);
    }
    madeCount += result.made.length;
    contentBytes += result.contentBytes;
    digests.addRows(result.digests);
    report({ phase: 'Reusing content', objectsDone: madeCount, objectsTotal: usable.length, bytesDone: contentBytes });
  };
  const runs = new PoolRuns(pool, receive);
  for (let at = 0; at < usable.length; ) {
    const end = at + batchSize(pool, usable.length - at, BATCH_ITEMS);
    const { rows, headers } = itemsAt(plan, at, end);
    await runs.send({ kind: 'make', first: at, rows, headers });
    at = end;
  }
  await runs.finish();
  return { madeCount, rest: withoutMade(missing, records, made, madeCount), contentBytes, digests: digests.bytes };
}

function itemsAt({ records, usable, candidates, headers }: ReusePlan, start: number, end: number): MakeItems {
  const writer = new MakeItemWriter(end - start);
  for (const row of usable.slice(start, end)) {
    const header = headers.get(records.headerOffset(row));
    if (header !== undefined) writer.add(records, row, candidates, header);
  }
  return writer.items();
}

function withoutMade(
  missing: readonly Checksum[],
  records: IndexRecords,
  made: Uint8Array,
  madeCount: number,
): readonly Checksum[] {
  if (madeCount === 0) return missing;
  if (madeCount === missing.length) return [];
  const table = records.table((row) => made[row] === 1);
  return missing.filter((checksum) => !table.has(checksum, 'file'));
}
