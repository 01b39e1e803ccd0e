/**
 * Uses the mirror's content index: which of the missing objects can be made of content that is here, and how large the rest
 * is. Downloads nothing but parts of the index.
 */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import { openContentIndex, type Repo } from '../../repo/index.ts';
import { type Pool, PoolRuns } from '../../sys/index.ts';
import type { RemoteAccess } from '../access.ts';
import type { IndexRecord } from '../mirror-index/layout.ts';
import { MirrorIndex } from '../mirror-index/read.ts';
import type { MakeItem } from './make-file.ts';
import type { PullBatchResult, PullTask } from './pull-worker.ts';
import type { PullTotals } from './tree-scan.ts';

export interface ReusePlan {
  /** What the mirror says of missing objects; empty without an index. */
  readonly records: ReadonlyMap<Checksum, IndexRecord>;
  readonly items: readonly MakeItem[];
}

/** Looks missing objects up in the mirror's index and in the repository's own. */
export async function planReuse(repo: Repo, access: RemoteAccess, missing: readonly Checksum[]): Promise<ReusePlan> {
  const mirror = missing.length === 0 ? undefined : await MirrorIndex.open(access);
  if (mirror === undefined) return { records: new Map(), items: [] };
  const records = await mirror.find(missing);
  const usable = candidatesHere(repo, [...records.values()]);
  const headers = await mirror.headers(usable.map(({ record }) => record));
  return { records, items: usable.flatMap((each) => itemOf(each, headers)) };
}

/** A record of the mirror's index, and the objects here that hold its content. */
interface Usable {
  readonly record: IndexRecord;
  readonly candidates: readonly Checksum[];
}

/** Leaves out records whose content is not here. */
function candidatesHere(repo: Repo, records: readonly IndexRecord[]): Usable[] {
  const own = openContentIndex(repo);
  try {
    const here = own.findAll(records.flatMap(({ digest }) => digest ?? []));
    return records.flatMap((record): Usable[] => {
      if (record.digest === undefined) return [{ record, candidates: [] }];
      const candidates = here.get(record.digest)?.slice(0, MAX_CANDIDATES);
      return candidates === undefined ? [] : [{ record, candidates }];
    });
  } finally {
    own.close();
  }
}

function itemOf({ record, candidates }: Usable, headers: ReadonlyMap<number, Uint8Array>): MakeItem[] {
  const header = headers.get(record.headerOffset);
  if (header === undefined || header.length !== record.headerLength) return [];
  return [{ checksum: record.checksum, digest: record.digest, header, candidates }];
}

const MAX_CANDIDATES = 4;
const BATCH_ITEMS = 64;

export interface ReuseResult {
  readonly made: ReadonlySet<Checksum>;
  readonly contentBytes: number;
  /** Rows for the content index. */
  readonly digests: Buffer;
}

/** Makes what can be made. Errors: `no-space` and system errors; a wrong record is only left out. */
export async function makeFromContent(
  pool: Pool<PullTask, PullBatchResult>,
  { records, items }: ReusePlan,
  { totals, report }: { readonly totals: PullTotals; readonly report: ReportProgress },
): Promise<ReuseResult> {
  const made = new Set<Checksum>();
  const rows: Uint8Array[] = [];
  let contentBytes = 0;
  const receive = (result: PullBatchResult): void => {
    for (const checksum of result.made) {
      made.add(checksum);
      totals.savedByIndex += records.get(checksum)?.archivedBytes ?? 0;
    }
    contentBytes += result.contentBytes;
    rows.push(result.digests);
    report({ phase: 'Reusing content', objectsDone: made.size, objectsTotal: items.length, bytesDone: contentBytes });
  };
  const runs = new PoolRuns(pool, receive);
  for (let at = 0; at < items.length; at += BATCH_ITEMS)
    await runs.send({ kind: 'make', items: items.slice(at, at + BATCH_ITEMS) });
  await runs.finish();
  return { made, contentBytes, digests: Buffer.concat(rows) };
}
