/**
 * The missing file objects of a pull: made of content that is here, taken from packs, or fetched by themselves, in this order. How
 * much there is to do is known, and found to fit, before the first of them.
 */
import type { Checksum, ReportProgress } from '../../core/index.ts';
import type { Commit } from '../../format/index.ts';
import { ContentRecords, checkSpace, type Repo, type Transaction } from '../../repo/index.ts';
import type { RemoteAccess } from '../access.ts';
import { fetchContent } from './content-fetch.ts';
import { lookUpDigests } from './known-digests.ts';
import { planPacked } from './packed.ts';
import { type PullPlan, planContent } from './plan.ts';
import { type PullPools, poolFor } from './pools.ts';
import { makeFromContent, NO_REUSE, planReuse } from './reuse.ts';
import type { PullTotals } from './tree-scan.ts';

export interface FilesJob {
  readonly transaction: Transaction;
  readonly pools: PullPools;
  readonly access: RemoteAccess;
  readonly totals: PullTotals;
  readonly report: ReportProgress;
  readonly signal: AbortSignal | undefined;
  /** Does what ostree would not: its bytes are not among those that the last line tells. */
  readonly asOverhead: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether packs of the source may be used. */
  readonly usesPacks: boolean;
  /** A repository on this machine whose objects are read, and whose index is believed. */
  readonly trusted: Repo | undefined;
  /** Nothing is fetched. */
  readonly isDryRun: boolean;
}

export interface FilesResult {
  readonly plan: Omit<PullPlan, 'deltas'>;
  /** For the content index. */
  readonly records: ContentRecords;
  /** Objects made of content that was here. */
  readonly madeCount: number;
  /** Objects that came from the source. */
  readonly fetched: readonly Checksum[];
}

/** Brings missing file objects into staging. Errors: `no-space`, `object-missing`, `interrupted`, those of the source. */
export async function fetchFiles(job: FilesJob, missing: readonly Checksum[], commits: readonly Commit[]): Promise<FilesResult> {
  const { transaction, pools, access, totals, report, signal } = job;
  const { repo } = transaction;
  const isNear = access.local !== undefined;
  const reuse = isNear ? NO_REUSE : await job.asOverhead(() => planReuse(repo, access, missing));
  const plan = planContent(repo, missing, reuse, commits);
  if (plan.writtenBytes !== undefined) checkSpace(transaction.writerInit.budget, plan.writtenBytes);
  if (job.isDryRun) return { plan, records: new ContentRecords(), madeCount: 0, fetched: [] };
  const makePool = poolFor(pools, reuse.usable.length, plan.writtenBytes);
  const made = await makeFromContent(makePool, missing, reuse, { totals, report });
  totals.contentBytes += made.contentBytes;
  const { rest } = made;
  const packed = job.usesPacks ? await job.asOverhead(() => planPacked(access, rest)) : [];
  const records = await fetchContent(poolFor(pools, rest.length, plan.downloadBytes), rest, packed, {
    totals,
    report,
    signal,
    count: rest.length,
    bytesTotal: plan.downloadBytes,
    digestsOf: lookUpDigests(job.trusted, rest),
  });
  records.addRows(made.digests);
  return { plan, records, madeCount: made.madeCount, fetched: rest };
}
