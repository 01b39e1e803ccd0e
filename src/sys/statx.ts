/**
 * One struct statx, which all calls of a thread share, its fields as numbers (no object per file), and what the *at calls take.
 *
 * Source: statx(2); struct statx of linux/stat.h, read as little-endian 32-bit words.
 */

/** In place of a directory's descriptor: the working directory. Source: fcntl.h, as the next. */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;

/** Asks for all fields below. */
export const STATX_BASIC = 0x7ff;
/** What calls fill; the functions below read it. */
export const statx = Buffer.from(new ArrayBuffer(256));
const words = new Uint32Array(statx.buffer);
const signed = new Int32Array(statx.buffer);

const word = (at: number): number => words[at] as number;
const word64 = (at: number): number => word(at) + word(at + 1) * 2 ** 32;

/** With file type bits. */
export const statxMode = (): number => word(7) & 0xffff;
export const statxUid = (): number => word(5);
export const statxGid = (): number => word(6);
/** Exact up to 2^53, as Node's `ino`. */
export const statxInode = (): number => word64(8);
export const statxSize = (): number => word64(10);
export const statxCtimeMs = (): number => milliseconds(24);
export const statxMtimeMs = (): number => milliseconds(28);
/** Of a device file: major * 2^32 + minor. */
export const statxRdev = (): number => word(32) * 2 ** 32 + word(33);
/** Of the device that holds the file. */
export const statxDevMajor = (): number => word(34);
export const statxDevMinor = (): number => word(35);
/** All 64 bits. */
export const statxExactInode = (): bigint => statx.readBigUInt64LE(32);

/** Seconds (signed 64 bits), then nanoseconds (32 bits). */
function milliseconds(at: number): number {
  return (word(at) + (signed[at + 1] as number) * 2 ** 32) * 1000 + word(at + 2) / 1e6;
}
