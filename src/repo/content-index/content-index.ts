/**
 * Looking contents up: which file objects hold the bytes of this SHA-256.
 *
 * The index is a hint. It may lack an object (until `index rebuild`), and it may name one that was pruned since: whoever
 * uses an answer checks that the object is there. It never makes another answer wrong.
 */
import { type Checksum, type ContentDigest, checksumToBytes, wrapSystemError } from '../../core/index.ts';
import type { Repo } from '../repo.ts';
import { contentIndexDir } from './layout.ts';
import type { Segment } from './segment.ts';
import { closeAll, openSegments } from './store.ts';

/** What was in the index when it was opened; stays readable while others add, merge and rebuild. */
export interface ContentIndex {
  /** Number of records; one that is in two segments counts twice. */
  readonly recordCount: number;
  readonly segmentCount: number;
  /** Lists the file objects with this content, sorted. */
  find(digest: ContentDigest): Checksum[];
  /** Yields all records, rows of 64 bytes, in pieces that are valid until the next one; some rows may come twice. */
  records(): Generator<Buffer>;
  close(): void;
}

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
  return {
    recordCount: segments.reduce((sum, { count }) => sum + count, 0),
    segmentCount: segments.length,
    find,
    *records() {
      for (const segment of segments) yield* segment.pieces();
    },
    close: () => closeAll(segments),
  };
}
