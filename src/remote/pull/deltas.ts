/**
 * Using a static delta for a commit: choosing one, checking its superblock, running its parts in the pool.
 *
 * A delta is a shortcut. Whatever is wrong with it, or missing, is fetched object by object afterwards, unless the caller
 * insists on deltas. Its superblock must have the SHA-256 that the summary (or the delta index) gives, and its commit must
 * hash to the commit that is wanted; each object that a part makes is verified as it is written.
 *
 * Source: ostree-format 10.2, 10.5.
 */
import * as fs from 'node:fs';
import { type Checksum, checksumOf, HacktreeError, isHacktreeError, type ReportProgress } from '../../core/index.ts';
import {
  type DeltaPart,
  decodeDeltaIndex,
  decodeSignedDelta,
  decodeSuperblock,
  deltaDirectory,
  deltaIndexPath,
  encodeCommit,
  inlinePart,
  isSignedDelta,
  type PartFile,
  type SummaryDelta,
  type Superblock,
} from '../../format/index.ts';
import { hasObject, loadCommit, partialFile, type Repo } from '../../repo/index.ts';
import type { Pool } from '../../sys/index.ts';
import type { RemoteAccess } from '../access.ts';
import { readPartFile, total } from '../delta/index.ts';
import type { RemoteSummary } from '../remote-summary.ts';
import type { Trust } from '../trust.ts';
import type { PlannedDeltas } from './plan.ts';
import type { PullBatchResult, PullTask } from './pull-worker.ts';
import type { PullTotals } from './tree-scan.ts';

const MAX_SUPERBLOCK_BYTES = 128 * 1024 * 1024;

export interface DeltaRequest {
  readonly to: Checksum;
  /** For messages. */
  readonly ref: string | undefined;
  /** The ref's present commit: without one a delta from scratch is worth its size. */
  readonly current: Checksum | undefined;
  /** Errors instead of fetching objects one by one. */
  readonly isRequired: boolean;
  /** Refuses a superblock whose signatures are not those that are asked for. */
  readonly trust: Trust;
  /** Only looks what there is. */
  readonly isDryRun: boolean;
}

const NO_DELTAS: PlannedDeltas = { parts: 0, downloadBytes: 0, unpackedBytes: 0 };

/** Makes what a delta can of a commit's objects; returns what the delta consists of, nothing without a fitting one. */
export async function applyDelta(
  repo: Repo,
  access: RemoteAccess,
  summary: RemoteSummary | undefined,
  pool: Pool<PullTask, PullBatchResult>,
  { request, totals, report }: { request: DeltaRequest; totals: PullTotals; report: ReportProgress },
): Promise<PlannedDeltas> {
  try {
    const delta = chooseDelta(repo, await listDeltas(access, summary, request.to, totals), request);
    if (delta !== undefined) {
      const block = await fetchSuperblock(access, deltaDirectory(delta.name), delta, request.trust);
      if (access.local === undefined) totals.metadata++;
      if (!request.isDryRun) await runDelta(access, block, pool, { totals, report });
      return planOf(block);
    }
    if (request.isRequired)
      throw new HacktreeError(
        'delta-invalid',
        `Static deltas required, but none found for ${request.ref ?? 'a commit'} to ${request.to}`,
        {
          details: { object: request.to },
        },
      );
  } catch (error) {
    const isDeltaProblem =
      isHacktreeError(error) && ['delta-invalid', 'format-invalid', 'network', 'object-missing'].includes(error.code);
    if (request.isRequired || !isDeltaProblem) throw error;
  }
  return NO_DELTAS;
}

function planOf({ parts }: Superblock): PlannedDeltas {
  return {
    parts: parts.length,
    downloadBytes: Number(total(parts, 'sizeBytes')),
    unpackedBytes: Number(total(parts, 'unpackedBytes')),
  };
}

async function listDeltas(
  access: RemoteAccess,
  summary: RemoteSummary | undefined,
  to: Checksum,
  totals: PullTotals,
): Promise<readonly SummaryDelta[]> {
  if (summary === undefined) return [];
  const listed = (summary.facts.staticDeltas ?? []).filter(({ name }) => name.to === to);
  if (listed.length > 0 || summary.facts.indexedDeltas !== true) return listed;
  const index = await access.file(deltaIndexPath(to));
  if (access.local === undefined) totals.metadata++;
  return index === undefined ? [] : decodeDeltaIndex(index.bytes).filter(({ name }) => name.to === to);
}

/** The delta from the newest complete commit that is here; from scratch only when the ref is new. */
function chooseDelta(repo: Repo, deltas: readonly SummaryDelta[], { current }: DeltaRequest): SummaryDelta | undefined {
  let best: { delta: SummaryDelta; timestampSec: bigint } | undefined;
  for (const delta of deltas) {
    const { from } = delta.name;
    if (from === undefined || !hasObject(repo, from, 'commit') || fs.existsSync(partialFile(repo.path, from))) continue;
    const { timestampSec } = loadCommit(repo, from);
    if (best === undefined || timestampSec > best.timestampSec) best = { delta, timestampSec };
  }
  if (best !== undefined || current !== undefined) return best?.delta;
  return deltas.find(({ name }) => name.from === undefined);
}

/** Parts in memory at once, each of some 30 MB: one is fetched while the threads are at work. */
const PARTS_AT_ONCE = 3;

async function runDelta(
  access: RemoteAccess,
  block: Superblock,
  pool: Pool<PullTask, PullBatchResult>,
  { totals, report }: { totals: PullTotals; report: ReportProgress },
): Promise<void> {
  const { parts } = block;
  const directory = deltaDirectory(block);
  const objectsTotal = parts.reduce((sum, { objects }) => sum + objects.length, 0);
  const bytesTotal = Number(total(parts, 'sizeBytes'));
  let objectsDone = 0;
  let bytesDone = 0;
  const runPart = async (part: DeltaPart, i: number): Promise<void> => {
    const file = inlinePart(block, i) ?? readPartFile(await fetchPart(access, `${directory}/${i}`, Number(part.sizeBytes)), part);
    const result = await pool.run({ kind: 'part', part, file: plain(file) });
    totals.contentBytes += result.contentBytes;
    totals.savedByDeltas += Math.max(0, result.contentBytes - Number(part.sizeBytes));
    objectsDone += part.objects.length;
    bytesDone += Number(part.sizeBytes);
    report({ phase: 'Applying static delta', objectsDone, objectsTotal, bytesDone, bytesTotal });
  };
  const rest = parts.entries();
  const lane = async (): Promise<void> => {
    for (const [i, part] of rest) await runPart(part, i);
  };
  const settled = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, lane));
  for (const { status, ...why } of settled) if (status === 'rejected') throw (why as PromiseRejectedResult).reason;
}

const plain = ({ compression, bytes }: PartFile): { compression: PartFile['compression']; bytes: Uint8Array } => ({
  compression,
  bytes: Uint8Array.from(bytes),
});

async function fetchSuperblock(
  access: RemoteAccess,
  directory: string,
  { name, superblock }: SummaryDelta,
  trust: Trust,
): Promise<Superblock> {
  const file = await access.file(`${directory}/superblock`, { limitBytes: MAX_SUPERBLOCK_BYTES });
  if (file === undefined) throw invalid(directory, 'its superblock is not there');
  const found = checksumOf(file.bytes);
  if (found !== superblock) throw invalid(directory, `its superblock hashes to ${found}, expected ${superblock}`);
  const signed = isSignedDelta(file.bytes) ? decodeSignedDelta(file.bytes) : { superblock: file.bytes, signatures: [] };
  trust.checkDelta(`Static delta ${directory}`, signed.superblock, signed.signatures);
  const block = decodeSuperblock(signed.superblock);
  if (block.to !== name.to || block.from !== name.from) throw invalid(directory, 'it is between other commits');
  if (checksumOf(encodeCommit(block.commit)) !== name.to) throw invalid(directory, 'its commit has another checksum');
  return block;
}

async function fetchPart(access: RemoteAccess, path: string, sizeBytes: number): Promise<Buffer> {
  const file = await access.file(path, { limitBytes: sizeBytes, kind: 'content' });
  if (file === undefined) throw invalid(path, 'it is not there');
  return file.bytes;
}

const invalid = (path: string, why: string): HacktreeError =>
  new HacktreeError('delta-invalid', `Static delta ${path}: ${why}`, { details: { path } });
