/**
 * Making the content index anew: hashes the content of every file object, in several threads and bounded memory.
 *
 * Runs of records become segments as they fill; at the end one merged segment takes the place of all that were there.
 * Others may add meanwhile, their segments stay. Interrupted, it leaves true segments besides the old ones.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, type ContentDigest, HacktreeError, type ReportProgress, wrapSystemError } from '../../core/index.ts';
import { acquireLock, ensureDir, openPool } from '../../sys/index.ts';
import { ObjectBatches } from '../object-batches.ts';
import { listObjects } from '../object-list.ts';
import type { Repo } from '../repo.ts';
import type { DigestBatchResult } from './content-index-worker.ts';
import { contentIndexDir, DAMAGED_SUFFIX, indexLockFile, isSegmentName } from './layout.ts';
import { ContentRecords, sortRows } from './records.ts';
import { Segment } from './segment.ts';
import { addToContentIndex, closeAll, RUN_RECORDS, removeSegments, writeSegment } from './store.ts';

export interface IndexJobOptions {
  /** Worker threads; 0 = none. Default: one per core. */
  readonly threads?: number;
  readonly onProgress?: ReportProgress;
  /** Ends the job with the error `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface RebuildReport {
  /** Records in the new index. */
  readonly recordCount: number;
  /** File objects looked at, symlinks included. */
  readonly objectCount: number;
  /** Damaged file objects, which are not in the index. */
  readonly unreadableCount: number;
  /** Bytes of content that were hashed. */
  readonly bytes: number;
}

/** How long to wait for another rebuild or merge. */
const LOCK_TIMEOUT_MS = 60_000;

/** Makes the index anew. Errors: `repo-locked` (another process rebuilds it), `interrupted`, `no-space`, system errors. */
export async function rebuildContentIndex(repo: Repo, options: IndexJobOptions = {}): Promise<RebuildReport> {
  const dir = contentIndexDir(repo.path);
  try {
    ensureDir(dir);
    const lock = await acquireLock(indexLockFile(dir), { kind: 'exclusive', timeoutMs: LOCK_TIMEOUT_MS });
    if (lock === undefined) throw busy(dir);
    try {
      return await rebuild(repo, dir, options);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw wrapSystemError(error, 'Rebuilding the content index', dir);
  }
}

function busy(dir: string): HacktreeError {
  return new HacktreeError('repo-locked', `The content index ${dir} is being rebuilt by another process`, {
    details: { path: dir },
  });
}

async function rebuild(repo: Repo, dir: string, options: IndexJobOptions): Promise<RebuildReport> {
  const old = fs.readdirSync(dir).filter((name) => isSegmentName(name) || name.endsWith(DAMAGED_SUFFIX));
  const run = new ContentRecords();
  const runs: Segment[] = [];
  const flush = (): void => {
    const written = writeSegment(dir, [[sortRows(run.bytes)]], { sync: repo.config.fsync });
    const segment = written === undefined ? undefined : Segment.open(written.path);
    if (segment !== undefined) runs.push(segment);
    run.clear();
  };
  try {
    const totals = await hashAll(repo, options, ({ digests }) => {
      for (const { object, digest } of digests) if (digest !== undefined) run.add(digest, object);
      if (run.count >= RUN_RECORDS) flush();
    });
    flush();
    mergeRuns(dir, runs, repo.config.fsync);
    for (const name of old) fs.rmSync(join(dir, name), { force: true });
    return { recordCount: runs.reduce((sum, { count }) => sum + count, 0), ...totals };
  } finally {
    closeAll(runs);
  }
}

function mergeRuns(dir: string, runs: readonly Segment[], sync: boolean): void {
  if (runs.length < 2) return;
  writeSegment(
    dir,
    runs.map((segment) => segment.pieces()),
    { sync },
  );
  removeSegments(runs);
}

/** Hashes the content of every file object. */
async function hashAll(
  repo: Repo,
  { threads, onProgress, signal }: IndexJobOptions,
  receive: (result: DigestBatchResult) => void,
): Promise<Omit<RebuildReport, 'recordCount'>> {
  const totals = { objectCount: 0, unreadableCount: 0, bytes: 0 };
  await withDigests(repo, threads, async (start) => {
    const batches = start((result) => {
      receive(result);
      totals.objectCount += result.digests.length;
      totals.unreadableCount += result.unreadable.length;
      totals.bytes += result.bytes;
      onProgress?.({ phase: 'Hashing contents', objectsDone: totals.objectCount, bytesDone: totals.bytes });
    });
    for (const { checksum, type } of listObjects(repo)) {
      if (type !== 'file') continue;
      const wait = batches.add(checksum);
      if (wait === undefined) continue;
      await wait;
      if (signal?.aborted === true) throw new HacktreeError('interrupted', 'Rebuilding the content index was interrupted');
    }
    await batches.finish();
  });
  return totals;
}

/** So few objects are hashed sooner than threads have started. */
const FEW_OBJECTS = 64;

/**
 * Hashes the contents of file objects and adds them to the index, telling each. Symlinks, and what is not there or damaged, are left out.
 * Errors: as addToContentIndex.
 */
export async function indexObjects(
  repo: Repo,
  objects: readonly Checksum[],
  options: { readonly threads?: number | undefined; readonly sync?: boolean } = {},
  found: (object: Checksum, digest: ContentDigest) => void = () => {},
): Promise<void> {
  const records = new ContentRecords();
  await withDigests(repo, objects.length <= FEW_OBJECTS ? 0 : options.threads, async (start) => {
    const batches = start(({ digests }) => {
      for (const { object, digest } of digests) {
        if (digest === undefined) continue;
        found(object, digest);
        records.add(digest, object);
      }
    });
    for (const object of objects) {
      const wait = batches.add(object);
      if (wait !== undefined) await wait;
    }
    await batches.finish();
  });
  addToContentIndex(repo, records.bytes, options.sync === undefined ? {} : { sync: options.sync });
}

/** Opens the pool that hashes contents, for as long as `use` runs. */
export async function withDigests(
  repo: Repo,
  threads: number | undefined,
  use: (start: (receive: (result: DigestBatchResult) => void) => ObjectBatches<DigestBatchResult>) => Promise<void>,
): Promise<void> {
  const module = new URL('./content-index-worker.js', import.meta.url);
  const pool = openPool<string, Uint8Array, DigestBatchResult>({ module, init: repo.path, size: threads });
  try {
    await use((receive) => new ObjectBatches(pool, receive));
  } finally {
    await pool.close();
  }
}
