/** Small texts that several commands print: modes and times, as ostree prints them. */
import { printDate } from '../repo/index.ts';

/** Prints permission bits for JSON: `0755`. */
export function printMode(mode: number): string {
  return `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;
}

/** Prints a time, in seconds since 1970 UTC, as `Y-MM-DD HH:MM:SS +0000`; the number where no calendar has it. */
export function printTime(seconds: number): string {
  return printDate(BigInt(Math.floor(seconds))) ?? `${seconds}`;
}
