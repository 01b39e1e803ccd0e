/**
 * Checking the content index: its segments, and its records against the objects.
 *
 * Only a damaged segment and a record with a wrong digest are faults. A record of an object that is gone, and an object
 * without a record, cost an optimisation.
 */
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { type Checksum, type ContentDigest, errnoOf, HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import { isRegularMode } from '../../format/index.ts';
import { listObjects } from '../object-list.ts';
import { loadFile } from '../object-read.ts';
import { ObjectTable } from '../object-table.ts';
import type { Repo } from '../repo.ts';
import { contentIndexDir, DAMAGED_SUFFIX, KEY_BYTES, RECORD_BYTES } from './layout.ts';
import { mergeRows } from './merge.ts';
import { type IndexJobOptions, withDigests } from './rebuild.ts';
import type { Segment } from './segment.ts';
import { closeAll, openAll } from './store.ts';

export interface IndexStats {
  readonly segmentCount: number;
  /** Bytes of all files of the index. */
  readonly bytes: number;
  /** Distinct records in sound segments. */
  readonly recordCount: number;
  /** Distinct contents in sound segments. */
  readonly contentCount: number;
  /** Names of segments with a wrong magic, version, size or SHA-256, or set aside by a merge; sorted. */
  readonly damagedSegments: readonly string[];
}

export interface WrongRecord {
  readonly object: Checksum;
  /** What the index says. */
  readonly digest: ContentDigest;
  /** What the object's content hashes to. */
  readonly actual: ContentDigest;
}

export interface IndexReport extends IndexStats {
  /** false when a segment is damaged or a record is wrong. */
  readonly ok: boolean;
  /** Sorted by object. */
  readonly wrongRecords: readonly WrongRecord[];
  /** Records whose object is gone, or is a symlink or damaged. */
  readonly staleRecords: number;
  /** Regular file objects without a record. */
  readonly unindexedObjects: number;
}

/** Reads all segments and counts. Errors: system errors. */
export function readIndexStats(repo: Repo): IndexStats {
  const dir = contentIndexDir(repo.path);
  const { segments, damaged } = openSound(dir);
  try {
    let recordCount = 0;
    let contentCount = 0;
    const last = Buffer.alloc(KEY_BYTES);
    for (const { rows, start, end } of mergeRows(segments.map((segment) => segment.pieces()))) {
      for (let at = start; at < end; at += RECORD_BYTES) {
        if (recordCount++ > 0 && last.compare(rows, at, at + KEY_BYTES) === 0) continue;
        contentCount++;
        rows.copy(last, 0, at, at + KEY_BYTES);
      }
    }
    return { segmentCount: segments.length, bytes: bytesIn(dir), recordCount, contentCount, damagedSegments: damaged };
  } finally {
    closeAll(segments);
  }
}

/** Yields every content that has more than one record, in sound segments, with its objects sorted. Errors: system errors. */
export function* listDuplicateContents(repo: Repo): Generator<{ digest: ContentDigest; objects: readonly Checksum[] }> {
  const { segments } = openSound(contentIndexDir(repo.path));
  try {
    let digest: ContentDigest | undefined;
    let objects: Checksum[] = [];
    for (const record of recordsOf(segments)) {
      if (record.digest !== digest) {
        if (digest !== undefined && objects.length > 1) yield { digest, objects };
        digest = record.digest;
        objects = [];
      }
      objects.push(record.object);
    }
    if (digest !== undefined && objects.length > 1) yield { digest, objects };
  } finally {
    closeAll(segments);
  }
}

/** Checks every record by hashing its object. Errors: `interrupted`, system errors. */
export async function checkContentIndex(repo: Repo, options: IndexJobOptions = {}): Promise<IndexReport> {
  const stats = readIndexStats(repo);
  const indexed = new ObjectTable();
  const wrongRecords: WrongRecord[] = [];
  let staleRecords = 0;
  const compare = (object: Checksum, digest: ContentDigest, actual: ContentDigest | undefined): void => {
    if (actual === undefined) staleRecords++;
    else if (actual !== digest) wrongRecords.push({ object, digest, actual });
    else indexed.add(object, 'file');
  };
  await forEachRecord(repo, options, compare);
  const unindexedObjects = countUnindexed(repo, indexed);
  wrongRecords.sort((a, b) => (`${a.object}${a.digest}` < `${b.object}${b.digest}` ? -1 : 1));
  const ok = wrongRecords.length === 0 && stats.damagedSegments.length === 0;
  return { ok, ...stats, wrongRecords, staleRecords, unindexedObjects };
}

/** Hashes the object of every record and calls back with what the index says and what is so. */
async function forEachRecord(
  repo: Repo,
  { threads, onProgress, signal }: IndexJobOptions,
  compare: (object: Checksum, digest: ContentDigest, actual: ContentDigest | undefined) => void,
): Promise<void> {
  const { segments } = openSound(contentIndexDir(repo.path));
  let done = 0;
  let bytes = 0;
  try {
    await withDigests(repo, threads, async (start) => {
      const claims = new Map<Checksum, ContentDigest[]>();
      const batches = start((result) => {
        for (const { object, digest } of result.digests) {
          for (const claim of claims.get(object) ?? []) compare(object, claim, digest);
          claims.delete(object);
        }
        done += result.digests.length;
        bytes += result.bytes;
        onProgress?.({ phase: 'Checking the content index', objectsDone: done, bytesDone: bytes });
      });
      for (const { object, digest } of recordsOf(segments)) {
        const known = claims.get(object);
        if (known !== undefined) {
          known.push(digest);
          continue;
        }
        claims.set(object, [digest]);
        const wait = batches.add(object);
        if (wait !== undefined) await wait;
        if (signal?.aborted === true) throw new HacktreeError('interrupted', 'Checking the content index was interrupted');
      }
      await batches.finish();
    });
  } finally {
    closeAll(segments);
  }
}

function* recordsOf(segments: readonly Segment[]): Generator<{ object: Checksum; digest: ContentDigest }> {
  for (const { rows, start, end } of mergeRows(segments.map((segment) => segment.pieces()))) {
    for (let at = start; at < end; at += RECORD_BYTES) {
      const digest = rows.toString('hex', at, at + KEY_BYTES) as ContentDigest;
      yield { digest, object: rows.toString('hex', at + KEY_BYTES, at + RECORD_BYTES) as Checksum };
    }
  }
}

function countUnindexed(repo: Repo, indexed: ObjectTable): number {
  let count = 0;
  for (const { checksum, type } of listObjects(repo)) {
    if (type === 'file' && !indexed.has(checksum, 'file') && isRegularObject(repo, checksum)) count++;
  }
  return count;
}

function isRegularObject(repo: Repo, checksum: Checksum): boolean {
  try {
    return isRegularMode(loadFile(repo, checksum).header.mode);
  } catch (error) {
    if (isHacktreeError(error)) return false;
    throw error;
  }
}

function openSound(dir: string): { segments: Segment[]; damaged: string[] } {
  try {
    const { segments, notSegments } = openAll(dir);
    const sound = segments.filter((segment) => segment.isSound());
    const unsound = segments.filter((segment) => !sound.includes(segment));
    closeAll(unsound);
    const setAside = listDir(dir).filter((name) => name.endsWith(DAMAGED_SUFFIX));
    const damaged = [...notSegments, ...unsound.map(({ path }) => basename(path)), ...setAside].sort();
    return { segments: sound, damaged };
  } catch (error) {
    throw wrapSystemError(error, 'Reading the content index', dir);
  }
}

function listDir(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function bytesIn(dir: string): number {
  return listDir(dir).reduce((sum, name) => sum + (fs.lstatSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
