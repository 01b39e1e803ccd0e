/** Small texts that several commands print: dates, sizes, counts, as ostree prints them. */
import { HacktreeError } from '../core/index.ts';

const MAX_YEAR_9999_SEC = 253_402_300_799n;

/** Prints a time as `YYYY-MM-DD HH:MM:SS +0000`. Errors: `format-invalid` beyond the year 9999. */
export function printDate(timestampSec: bigint): string {
  if (timestampSec > MAX_YEAR_9999_SEC) {
    throw new HacktreeError('format-invalid', `Invalid timestamp: ${timestampSec}`, {
      details: { expected: 'a time before the year 10000', found: timestampSec },
    });
  }
  const [date = '', time = ''] = new Date(Number(timestampSec) * 1000).toISOString().split('T');
  return `${date} ${time.slice(0, 8)} +0000`;
}

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
