/**
 * Merging sorted rows from several segments and from memory into one stream, in bounded memory.
 *
 * The number of sources is small (segments are kept few), so the least row is found by looking at all of them; their
 * first 48 bits are kept as numbers, which decides nearly every comparison.
 */
import { RECORD_BYTES } from './layout.ts';
import { compareRows } from './records.ts';

/** Sorted rows in pieces that are valid until the next one is asked for. */
export type SortedRows = Iterable<Buffer>;

interface Cursor {
  readonly pieces: Iterator<Buffer>;
  piece: Buffer;
  offset: number;
  key: number;
}

/** Rows in [start, end) of a buffer, valid until the next run is asked for. */
export interface RowRun {
  readonly rows: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Yields every distinct row in order, as runs. */
export function* mergeRows(sources: readonly SortedRows[]): Generator<RowRun> {
  const cursors = sources.flatMap((source) => {
    const pieces = source[Symbol.iterator]();
    const cursor: Cursor = { pieces, piece: Buffer.alloc(0), offset: 0, key: 0 };
    return settle(cursor) ? [cursor] : [];
  });
  const last = Buffer.alloc(RECORD_BYTES);
  let lastKey = -1;
  while (cursors.length > 0) {
    const least = leastOf(cursors);
    const cursor = cursors[least] as Cursor;
    const isNew = cursor.key !== lastKey || compareRows(cursor.piece, cursor.offset, last, 0) !== 0;
    const start = isNew ? cursor.offset : cursor.offset + RECORD_BYTES;
    // A source has no duplicates, so the last one left is passed on by whole pieces.
    const end = cursors.length === 1 ? cursor.piece.length : cursor.offset + RECORD_BYTES;
    if (start < end) {
      cursor.piece.copy(last, 0, end - RECORD_BYTES, end);
      lastKey = last.readUIntBE(0, 6);
      yield { rows: cursor.piece, start, end };
    }
    cursor.offset = end;
    if (!settle(cursor)) cursors.splice(least, 1);
  }
}

/** Makes the cursor stand on a row, with its key; false at the end. */
function settle(cursor: Cursor): boolean {
  while (cursor.offset >= cursor.piece.length) {
    const next = cursor.pieces.next();
    if (next.done === true) return false;
    cursor.piece = next.value;
    cursor.offset = 0;
  }
  cursor.key = cursor.piece.readUIntBE(cursor.offset, 6);
  return true;
}

function leastOf(cursors: readonly Cursor[]): number {
  let least = 0;
  for (let i = 1; i < cursors.length; i++) {
    const a = cursors[i] as Cursor;
    const b = cursors[least] as Cursor;
    if (a.key < b.key || (a.key === b.key && compareRows(a.piece, a.offset, b.piece, b.offset) < 0)) least = i;
  }
  return least;
}
