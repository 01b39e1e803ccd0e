/**
 * Looking contents up: which file objects hold the bytes of this SHA-256.
 *
 * The index is a hint. It may lack an object (until `index rebuild`), and it may name one that was pruned since: whoever
 * uses an answer checks that the object is there. It never makes another answer wrong.
 */
import { type Checksum, type ContentDigest, checksumToBytes, wrapSystemError } from '../../core/index.ts';
import type { Repo } from '../repo.ts';
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
  /** Lists the file objects with each of many contents; those that are not in the index are left out. */
  findAll(digests: Iterable<ContentDigest>): Map<ContentDigest, Checksum[]>;
  /** Yields all records, rows of 64 bytes, in pieces that are valid until the next one; some rows may come twice. */
  records(): Generator<Buffer>;
  close(): void;
}

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
    findAll(digests) {
      const wanted = new Set(digests);
      if (wanted.size >= recordCount * READ_THROUGH_SHARE) return pickRecords(records(), wanted);
      // Neighbours in the index are looked up one after the other.
      const found = [...wanted].sort().map((digest): [ContentDigest, Checksum[]] => [digest, find(digest)]);
      return new Map(found.filter(([, objects]) => objects.length > 0));
    },
    records,
    close: () => closeAll(segments),
  };
}

function pickRecords(pieces: Iterable<Buffer>, wanted: ReadonlySet<ContentDigest>): Map<ContentDigest, Checksum[]> {
  const found = new Map<ContentDigest, Checksum[]>();
  for (const rows of pieces) {
    for (let at = 0; at < rows.length; at += RECORD_BYTES) {
      const digest = rows.toString('hex', at, at + KEY_BYTES) as ContentDigest;
      if (!wanted.has(digest)) continue;
      const object = rows.toString('hex', at + KEY_BYTES, at + RECORD_BYTES) as Checksum;
      const objects = found.get(digest);
      if (objects === undefined) found.set(digest, [object]);
      else if (!objects.includes(object)) objects.push(object);
    }
  }
  for (const objects of found.values()) if (objects.length > 1) objects.sort();
  return found;
}
