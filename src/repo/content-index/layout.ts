/**
 * The content index on disk: which files there are, and the layout of one.
 *
 *     extensions/hacktree/content-index/
 *         segment-HEX16        immutable, sorted; whoever adds or merges writes it, a later merge or rebuild removes it
 *         segment-HEX16.damaged   a segment that a merge found to be damaged; a rebuild removes it
 *         lock                 held exclusively while segments are merged, rebuilt or compacted; never by readers
 *         .tmp-*               a segment being written; one older than a day is rubbish
 *
 * A segment, all numbers little-endian:
 *
 *     0            4 bytes   magic `HTCI`
 *     4            u32       version, 1
 *     8            64 bytes each: content digest (32), checksum of the file object (32); sorted bytewise, no duplicates
 *     8 + 64 n     256 x u32 fan-out, only when n >= 1024: entry b = number of records whose first byte is at most b
 *     end - 40     u64       n, the number of records
 *     end - 32     32 bytes  SHA-256 of everything before
 *
 * One content may have many objects (other owner, mode or xattrs), each its own record. The same record may be in several
 * segments. Symlinks are not in the index.
 */
import { join } from 'node:path';
import { randomHex } from '../../core/index.ts';
import { ownDir } from '../layout.ts';

export const MAGIC = Buffer.from('HTCI\x01\0\0\0', 'latin1');
/** Bytes of a digest, and of a checksum. */
export const KEY_BYTES = 32;
/** Bytes of a record: digest, then checksum. */
export const RECORD_BYTES = 64;
/** From this number of records on a segment has a fan-out table. */
export const FANOUT_MIN_RECORDS = 1024;
export const FANOUT_BYTES = 1024;
/** Number of records, and SHA-256. */
export const TRAILER_BYTES = 40;

const SEGMENT = /^segment-[0-9a-f]{16}$/;
export const DAMAGED_SUFFIX = '.damaged';
export const TEMPORARY_PREFIX = '.tmp-';

/** Directory of a repository's content index. */
export const contentIndexDir = (repoPath: string): string => join(ownDir(repoPath), 'content-index');
export const indexLockFile = (dir: string): string => join(dir, 'lock');

/** Tells whether a file of the index directory is a complete segment, by its name. */
export function isSegmentName(name: string): boolean {
  return SEGMENT.test(name);
}

/** Makes a name for a new segment. */
export function newSegmentName(): string {
  return `segment-${randomHex(8)}`;
}

/** Size of a segment of this many records. */
export function segmentBytes(count: number): number {
  return MAGIC.length + count * RECORD_BYTES + (count >= FANOUT_MIN_RECORDS ? FANOUT_BYTES : 0) + TRAILER_BYTES;
}
