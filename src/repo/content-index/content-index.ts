/**
 * Looking contents up: which file objects hold the bytes of this SHA-256.
 *
 * The index is a hint. It may lack an object (until `index rebuild`), and it may name one that was pruned since: whoever
 * uses an answer checks that the object is there. It never makes another answer wrong.
 */
import { asBuffer, type Checksum, type ContentDigest, checksumToBytes, wrapSystemError } from '../../core/index.ts';
import type { Repo } from '../repo.ts';
import { type KeyedRows, RowTable } from '../row-table.ts';
import { contentIndexDir, KEY_BYTES, RECORD_BYTES } from './layout.ts';
import type { Segment } from './segment.ts';
import { closeAll, openSegments } from './store.ts';

/** What was in the index when it was opened; stays readable while others add, merge and rebuild. */
export interface ContentIndex {
  /** Number of records; one that is in two segments counts twice. */
  readonly recordCount: number;
  readonly segmentCount: number;
  /** Lists the file objects with this content, sorted. */
  find(digest: ContentDigest): Checksum[];
  /**
   * Looks many contents up: calls back with the row of a digest and where in a buffer the checksum of a file object is that holds
   * this content (32 bytes, valid during the call), some more than once. Rows that are not `isWanted` are passed over.
   */
  findEach(digests: KeyedRows, isWanted: (row: number) => boolean, found: FoundObject): void;
  /** Yields all records, rows of 64 bytes, in pieces that are valid until the next one; some rows may come twice. */
  records(): Generator<Buffer>;
  close(): void;
}

export type FoundObject = (row: number, bytes: Buffer, at: number) => void;

/** From this share of the records on the index is read through instead of searched. */
const READ_THROUGH_SHARE = 1 / 16;

/** Opens the index; a repository without one has an empty index. Holds one descriptor for each segment. */
export function openContentIndex(repo: Repo): ContentIndex {
  const dir = contentIndexDir(repo.path);
  let segments: Segment[];
  try {
    segments = openSegments(dir);
  } catch (error) {
    throw wrapSystemError(error, 'Opening the content index', dir);
  }
  const find = (digest: ContentDigest): Checksum[] => {
    const key = checksumToBytes(digest);
    const found = new Set<Checksum>();
    for (const segment of segments) segment.find(key, (object) => void found.add(object.toString('hex') as Checksum));
    return found.size < 2 ? [...found] : [...found].sort();
  };
  const recordCount = segments.reduce((sum, { count }) => sum + count, 0);
  function* records(): Generator<Buffer> {
    for (const segment of segments) yield* segment.pieces();
  }
  return {
    recordCount,
    segmentCount: segments.length,
    find,
    findEach(digests, isWanted, found) {
      if (digests.count >= recordCount * READ_THROUGH_SHARE) pickRecords(records(), new RowTable(digests, isWanted), found);
      else searchEach(segments, digests, isWanted, found);
    },
    records,
    close: () => closeAll(segments),
  };
}

function pickRecords(pieces: Iterable<Buffer>, wanted: RowTable, found: FoundObject): void {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += RECORD_BYTES) wanted.find(piece, at, (row) => found(row, piece, at + KEY_BYTES));
  }
}

function searchEach(
  segments: readonly Segment[],
  { bytes, count, rowBytes, keyOffset }: KeyedRows,
  isWanted: (row: number) => boolean,
  found: FoundObject,
): void {
  const keyOf = (row: number): Buffer =>
    asBuffer(bytes).subarray(row * rowBytes + keyOffset, row * rowBytes + keyOffset + KEY_BYTES);
  // Neighbours in the index are looked up one after the other.
  const rows = Array.from({ length: count }, (_, row) => row).filter(isWanted);
  rows.sort((a, b) => keyOf(a).compare(keyOf(b)));
  for (const row of rows) for (const segment of segments) segment.find(keyOf(row), (object) => found(row, object, 0));
}
