/** Small texts that several commands print: sizes and modes, as ostree prints them. */
import { printDate } from '../repo/index.ts';

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Prints a size in decimal units with one digit and a no-break space: `12.3 MB`, below 1000 `12 bytes`. */
export function printSize(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let unit = 0;
  let value = bytes / 1000;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)}\u00a0${UNITS[unit]}`;
}

/** Prints permission bits for JSON: `0755`. */
export function printMode(mode: number): string {
  return `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;
}

/** Prints a time, in seconds since 1970 UTC, as `Y-MM-DD HH:MM:SS +0000`; the number where no calendar has it. */
export function printTime(seconds: number): string {
  return printDate(BigInt(Math.floor(seconds))) ?? `${seconds}`;
}
