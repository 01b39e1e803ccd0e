/**
 * What statx(2) tells of a file, as numbers in an array: no objects, for tens of thousands of files.
 *
 * The numbers are those of Node's `fs.Stats`: device by makedev(3), times as milliseconds in a double (under 1 us).
 *
 * Source: statx(2); struct statx of linux/stat.h.
 */
import { lastFailure, nativeCalls } from './natives.ts';

/** Numbers per file, in this order: device, inode, size, mtime (ms), ctime (ms), mode, uid, gid. */
export const STAT_NUMBERS = 8;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC = 0x7ff;
const buffer = Buffer.from(new ArrayBuffer(256));
const words = new Uint32Array(buffer.buffer);
const signed = new Int32Array(buffer.buffer);

/** Writes the n-th file's numbers; false when there is no such file. Does not follow a symlink. Errors: system errors. */
export function statNumbers(path: string, into: Float64Array, index: number): boolean {
  if (nativeCalls().statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC, buffer) < 0) {
    const failure = lastFailure('statx', path);
    if (failure.code === 'ENOENT') return false;
    throw failure;
  }
  const at = index * STAT_NUMBERS;
  into[at] = device(words[34] as number, words[35] as number);
  into[at + 1] = word64(8);
  into[at + 2] = word64(10);
  into[at + 3] = milliseconds(28);
  into[at + 4] = milliseconds(24);
  into[at + 5] = (words[7] as number) & 0xffff;
  into[at + 6] = words[5] as number;
  into[at + 7] = words[6] as number;
  return true;
}

const word64 = (at: number): number => (words[at] as number) + (words[at + 1] as number) * 2 ** 32;

/** Seconds (signed 64 bits), then nanoseconds (32 bits). */
function milliseconds(at: number): number {
  const seconds = (words[at] as number) + (signed[at + 1] as number) * 2 ** 32;
  return seconds * 1000 + (words[at + 2] as number) / 1e6;
}

function device(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >>> 8) * 2 ** 20 + (major >>> 12) * 2 ** 44;
}
