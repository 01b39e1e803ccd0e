/**
 * The directory of segments: listing, adding, merging, compacting.
 *
 * A segment is written whole under a temporary name, flushed, then named; nothing is ever changed in place. Adding needs
 * no lock. Replacing segments by a merged one needs the index's own lock; whoever does not get it at once adds a segment
 * and leaves the merging to the next. A crash between the new segment's name and the removal of the old ones leaves the
 * same record twice, which is harmless. Nobody who holds this lock waits for the repository's.
 *
 * The number of segments stays logarithmic: one below SMALL_RECORDS, and each other more than twice its next smaller.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { asBuffer, errnoOf, wrapSystemError } from '../../core/index.ts';
import { ensureDir, tryAcquireLock } from '../../sys/index.ts';
import type { Repo } from '../repo.ts';
import {
  contentIndexDir,
  DAMAGED_SUFFIX,
  indexLockFile,
  isSegmentName,
  newSegmentName,
  RECORD_BYTES,
  TEMPORARY_PREFIX,
} from './layout.ts';
import { mergeRows, type SortedRows } from './merge.ts';
import { sortRows } from './records.ts';
import { Segment, SegmentWriter } from './segment.ts';

/** Segments below this many records are always merged: 64 KiB. */
const SMALL_RECORDS = 1024;
/** Rows sorted in one go: 16 MiB. */
export const RUN_RECORDS = 1 << 18;
const TEMPORARY_MAX_AGE_MS = 86_400_000;
const LIST_ATTEMPTS = 5;

/** Opens all segments, largest first. What is not a segment is left out. */
export function openSegments(dir: string): Segment[] {
  return openAll(dir).segments;
}

/** Opens all segments, largest first, and names the files that should be segments and are not, sorted. */
export function openAll(dir: string): { segments: Segment[]; notSegments: string[] } {
  for (let attempt = 1; ; attempt++) {
    const segments: Segment[] = [];
    const notSegments: string[] = [];
    try {
      for (const name of listSegmentNames(dir)) {
        const segment = Segment.open(join(dir, name));
        if (segment === undefined) notSegments.push(name);
        else segments.push(segment);
      }
      return { segments: segments.sort((a, b) => b.count - a.count), notSegments };
    } catch (error) {
      closeAll(segments);
      // A segment that went between listing and opening was merged: the list is to be read again.
      if (errnoOf(error) !== 'ENOENT' || attempt === LIST_ATTEMPTS) throw error;
    }
  }
}

/** Lists the names of all segments, sorted; none when there is no index. */
function listSegmentNames(dir: string): string[] {
  try {
    return fs.readdirSync(dir).filter(isSegmentName).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

export function closeAll(segments: readonly Segment[]): void {
  for (const segment of segments) segment.close();
}

export interface AddOptions {
  /** false: atomic but not flushed to the device. Default: core.fsync. */
  readonly sync?: boolean;
}

/**
 * Adds records: rows of 64 bytes (ContentRecords.bytes), in any order, known ones too. After return they survive a power cut.
 * Errors: `no-space`, `read-only`, `permission`, `io`; the index is then as it was before.
 */
export function addToContentIndex(repo: Repo, records: Uint8Array, options: AddOptions = {}): void {
  if (records.length === 0) return;
  const dir = contentIndexDir(repo.path);
  const sync = options.sync ?? repo.config.fsync;
  try {
    ensureDir(dir);
    const rows = asBuffer(records);
    for (let at = 0; at < rows.length; at += RUN_RECORDS * RECORD_BYTES) {
      const run = sortRows(rows.subarray(at, at + RUN_RECORDS * RECORD_BYTES));
      addRows(dir, [[run]], { count: run.length / RECORD_BYTES, sync });
    }
  } catch (error) {
    throw wrapSystemError(error, 'Writing the content index', dir);
  }
}

/** Adds sorted rows, about `count` of them, merged with the segments that they make too many. */
export function addRows(dir: string, sources: readonly SortedRows[], { count, sync }: { count: number; sync: boolean }): void {
  const lock = tryAcquireLock(indexLockFile(dir), 'exclusive');
  if (lock === undefined) {
    writeSegment(dir, sources, { sync });
    return;
  }
  try {
    removeOldTemporaries(dir);
    const segments = openSegments(dir);
    try {
      const merged = soundOnes(segmentsToMerge(segments, count));
      writeSegment(dir, [...sources, ...merged.map((segment) => segment.pieces())], { sync });
      removeSegments(merged);
    } finally {
      closeAll(segments);
    }
  } finally {
    lock.release();
  }
}

/** Which of the segments (largest first) go into a new one of this size, so that they stay few. */
function segmentsToMerge(segments: readonly Segment[], added: number): Segment[] {
  const merged: Segment[] = [];
  let total = added;
  for (const segment of segments.toReversed()) {
    if (segment.count >= SMALL_RECORDS && segment.count > 2 * total) break;
    merged.push(segment);
    total += segment.count;
  }
  return merged;
}

/** Sets damaged segments aside, so that no merge hides the damage under a new SHA-256. */
function soundOnes(segments: readonly Segment[]): Segment[] {
  return segments.filter((segment) => {
    if (segment.isSound()) return true;
    fs.renameSync(segment.path, `${segment.path}${DAMAGED_SUFFIX}`);
    return false;
  });
}

export interface WriteOptions {
  readonly sync: boolean;
  /** Says which rows go in. Default: all. */
  readonly keep?: (rows: Buffer, start: number) => boolean;
}

/** Writes one segment from several sorted sources and returns its path; undefined when no row is left. */
export function writeSegment(
  dir: string,
  sources: readonly SortedRows[],
  { sync, keep }: WriteOptions,
): { path: string; count: number } | undefined {
  const path = join(dir, newSegmentName());
  const writer = new SegmentWriter(path, { sync });
  try {
    for (const { rows, start, end } of mergeRows(sources)) {
      if (keep === undefined) writer.add(rows, start, end);
      else for (let at = start; at < end; at += RECORD_BYTES) if (keep(rows, at)) writer.add(rows, at, at + RECORD_BYTES);
    }
  } catch (error) {
    writer.abort();
    throw error;
  }
  const { count } = writer;
  if (count === 0) writer.abort();
  else writer.finish();
  return count === 0 ? undefined : { path, count };
}

/** Removes segments that another one contains. */
export function removeSegments(segments: readonly Segment[]): void {
  for (const { path } of segments) fs.rmSync(path, { force: true });
}

function removeOldTemporaries(dir: string): void {
  for (const name of fs.readdirSync(dir)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const stat = fs.lstatSync(join(dir, name), { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > TEMPORARY_MAX_AGE_MS) fs.rmSync(join(dir, name), { force: true });
  }
}

/**
 * Drops the records whose object is not to be kept, after a prune. `keep` gets a row's object checksum as 32 bytes of a
 * buffer. Returns the number of records left, undefined when the index was busy (stale records are harmless).
 */
export function compactContentIndex(repo: Repo, keep: (buffer: Buffer, start: number) => boolean): number | undefined {
  const dir = contentIndexDir(repo.path);
  try {
    if (listSegmentNames(dir).length === 0) return 0;
    const lock = tryAcquireLock(indexLockFile(dir), 'exclusive');
    if (lock === undefined) return undefined;
    try {
      return compact(dir, repo.config.fsync, keep);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw wrapSystemError(error, 'Compacting the content index', dir);
  }
}

function compact(dir: string, sync: boolean, keep: (buffer: Buffer, start: number) => boolean): number {
  const segments = openSegments(dir);
  try {
    const sound = soundOnes(segments);
    const keepRow = (rows: Buffer, start: number): boolean => keep(rows, start + RECORD_BYTES / 2);
    const written = writeSegment(
      dir,
      sound.map((segment) => segment.pieces()),
      { sync, keep: keepRow },
    );
    removeSegments(sound);
    return written?.count ?? 0;
  } finally {
    closeAll(segments);
  }
}
