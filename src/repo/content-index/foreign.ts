/**
 * What the content index of another repository on this machine says: as a hint, like all of an index, and only if the index is sound.
 */
import { type Checksum, errnoOf, wrapSystemError } from '../../core/index.ts';
import { ensureDir } from '../../sys/index.ts';
import { ObjectTable } from '../object-table.ts';
import type { Repo } from '../repo.ts';
import { RowTable } from '../row-table.ts';
import { contentIndexDir, KEY_BYTES, RECORD_BYTES } from './layout.ts';
import type { SortedRows } from './merge.ts';
import type { Segment } from './segment.ts';
import { type AddOptions, addRows, closeAll, openSegments } from './store.ts';

/** From this share of another index's records on all are taken: a record of an object that is not here does no harm. */
const TAKE_ALL_SHARE = 1 / 2;

/**
 * Adds the records that another repository's index has of objects which are in both, and a few others perhaps. Damaged segments and
 * an index that cannot be opened are left out. Errors: as addToContentIndex.
 */
export function importContentIndex(repo: Repo, from: Repo, objects: readonly Checksum[], options: AddOptions = {}): void {
  if (objects.length === 0) return;
  const dir = contentIndexDir(repo.path);
  const segments = openForeign(from);
  try {
    const sound = segments.filter((segment) => segment.isSound());
    if (sound.length === 0) return;
    const total = sound.reduce((sum, { count }) => sum + count, 0);
    const pieces = sound.map((segment) => segment.pieces());
    const sources = objects.length >= total * TAKE_ALL_SHARE ? pieces : pickRows(pieces, objects);
    ensureDir(dir);
    addRows(dir, sources, { count: Math.min(total, objects.length), sync: options.sync ?? repo.config.fsync });
  } catch (error) {
    throw wrapSystemError(error, 'Writing the content index', dir);
  } finally {
    closeAll(segments);
  }
}

/** From this share of another index's records on it is read through for the digests of objects. */
const READ_THROUGH_SHARE = 1 / 16;

/**
 * Finds the content digests of another repository's file objects: 32 bytes for each, zeros where its index has none. Undefined where it
 * has no index, and where the objects are so few that hashing them is quicker. Errors: system errors.
 */
export function findDigests(from: Repo, objects: readonly Checksum[]): Uint8Array | undefined {
  const segments = openForeign(from);
  try {
    const total = segments.reduce((sum, { count }) => sum + count, 0);
    if (total === 0 || objects.length < total * READ_THROUGH_SHARE) return undefined;
    const names = Buffer.allocUnsafe(objects.length * KEY_BYTES);
    for (const [row, object] of objects.entries()) names.write(object, row * KEY_BYTES, KEY_BYTES, 'hex');
    const wanted = new RowTable({ bytes: names, count: objects.length, rowBytes: KEY_BYTES, keyOffset: 0 });
    const digests = Buffer.alloc(names.length);
    for (const segment of segments) {
      if (!segment.isSound()) continue;
      for (const piece of segment.pieces()) {
        for (let at = 0; at < piece.length; at += RECORD_BYTES)
          wanted.find(piece, at + KEY_BYTES, (row) => piece.copy(digests, row * KEY_BYTES, at, at + KEY_BYTES));
      }
    }
    return digests;
  } catch (error) {
    throw wrapSystemError(error, 'Reading the content index', contentIndexDir(from.path));
  } finally {
    closeAll(segments);
  }
}

/** An index that may not be read, or is none, is done without. */
function openForeign(repo: Repo): Segment[] {
  try {
    return openSegments(contentIndexDir(repo.path));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

function pickRows(sources: readonly SortedRows[], objects: readonly Checksum[]): SortedRows[] {
  const wanted = new ObjectTable();
  for (const object of objects) wanted.add(object, 'file');
  return sources.map((source) => wantedRuns(source, wanted));
}

/** Yields the rows of wanted objects, neighbours together. */
function* wantedRuns(pieces: SortedRows, wanted: ObjectTable): Generator<Buffer> {
  for (const rows of pieces) {
    let start = 0;
    for (let at = 0; at < rows.length; at += RECORD_BYTES) {
      if (wanted.hasBytes(rows, at + KEY_BYTES, 'file')) continue;
      if (at > start) yield rows.subarray(start, at);
      start = at + RECORD_BYTES;
    }
    if (rows.length > start) yield rows.subarray(start);
  }
}
