/** The stat fields that decide whether a file is unchanged, as numbers in an array. */
import type { Stats } from 'node:fs';
import { STAT_NUMBERS } from '../../sys/index.ts';

/** Order: device, inode, size, mtime (ms), ctime (ms), mode, uid, gid. */
export const STAT_FIELDS = STAT_NUMBERS;
const CTIME = 4;
const MTIME = 3;

/** Writes the fields of the n-th file. Times are milliseconds with the precision of a double (under 1 us). */
export function writeStatFields(into: Float64Array, index: number, stat: Stats): void {
  const at = index * STAT_FIELDS;
  into[at] = stat.dev;
  into[at + 1] = stat.ino;
  into[at + 2] = stat.size;
  into[at + 3] = stat.mtimeMs;
  into[at + 4] = stat.ctimeMs;
  into[at + 5] = stat.mode;
  into[at + 6] = stat.uid;
  into[at + 7] = stat.gid;
}

/** Tells whether the n-th file's fields are those of a stat. */
export function hasStatFields(fields: Float64Array, index: number, stat: Stats): boolean {
  const at = index * STAT_FIELDS;
  return (
    fields[at + 4] === stat.ctimeMs &&
    fields[at + 1] === stat.ino &&
    fields[at + 2] === stat.size &&
    fields[at + 3] === stat.mtimeMs &&
    fields[at] === stat.dev &&
    fields[at + 5] === stat.mode &&
    fields[at + 6] === stat.uid &&
    fields[at + 7] === stat.gid
  );
}

/** Tells whether the n-th file of one array and the m-th of another have the same fields. */
export function sameStatFields(a: Float64Array, n: number, b: Float64Array, m: number): boolean {
  for (let i = 0; i < STAT_FIELDS; i++) if (a[n * STAT_FIELDS + i] !== b[m * STAT_FIELDS + i]) return false;
  return true;
}

/** The later of mtime and ctime, milliseconds. */
export function lastChangeMs(fields: Float64Array, index: number): number {
  const at = index * STAT_FIELDS;
  return Math.max(fields[at + MTIME] ?? 0, fields[at + CTIME] ?? 0);
}
