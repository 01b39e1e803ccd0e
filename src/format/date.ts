/**
 * Dates on the command line (`--timestamp`, `--keep-younger-than`) as GNU date understands them, and dates as `log` prints
 * them.
 *
 * Text is a row of items in any order: `@SECONDS` alone, calendar dates, times of day, zones, days of the week, and shifts
 * (`2 days ago`, `yesterday`, `next month`). Without a zone the time is that of the machine, as in ostree; pass `utc` for
 * another rule. Left out: zones of one letter but Z (their sign is disputed), comments in brackets, `TZ="..."`.
 *
 * Source: GNU coreutils manual, "Date input formats"; compared with ostree 2022.7 in test/oracle.
 */
import { HacktreeError } from '../core/index.ts';
import { DateReader, type Found } from './date-reader.ts';

export interface DateOptions {
  /** The present, seconds since 1970 UTC. */
  readonly nowSec: number;
  /** Zone of dates that name none; the machine's unless said otherwise. */
  readonly zone?: 'local' | 'utc';
}

/** Parses a date to seconds since 1970 UTC, rounded down. Errors: `usage`. */
export function parseDate(text: string, options: DateOptions): bigint {
  const epoch = /^\s*@\s*([-+]?\d+)([.,]\d+)?\s*$/.exec(text);
  const seconds = epoch === null ? calendarSeconds(text, options) : epochSeconds(epoch[1] ?? '', epoch[2] ?? '');
  if (seconds === undefined || BigInt.asIntN(64, seconds) !== seconds) {
    throw new HacktreeError('usage', `Could not parse '${text}'`, {
      details: { expected: 'a date', found: text },
      hints: ['Dates are written as @SECONDS, 2026-01-31 12:00:00 +0000, 2026-01-31, yesterday, 30 days ago'],
    });
  }
  return seconds;
}

function epochSeconds(whole: string, fraction: string): bigint {
  const roundsDown = whole.startsWith('-') && /[1-9]/.test(fraction);
  return BigInt(whole.replace('+', '')) - (roundsDown ? 1n : 0n);
}

/** Fields of a point in time, in the zone that is meant. */
interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function calendarSeconds(text: string, { nowSec, zone }: DateOptions): bigint | undefined {
  const found = new DateReader(text).read();
  if (found === undefined) return undefined;
  const machine = zone === 'utc' ? offsetClock(0) : LOCAL_CLOCK;
  const clock = clockOf(found, machine, nowSec);
  const fields = fieldsOf(found, machine.fields(nowSec));
  const start = clock.seconds(fields);
  if (start === undefined || !sameFields(clock.fields(start), fields)) return undefined;
  if (found.weekday !== undefined && found.date === undefined) fields.day += daysToWeekday(found.weekday, fields);
  fields.year += found.shift.years;
  fields.month += found.shift.months;
  fields.day += found.shift.days;
  const shifted = clock.seconds(fields);
  return shifted === undefined || !Number.isSafeInteger(shifted) ? undefined : BigInt(shifted) + BigInt(found.shift.seconds);
}

interface Clock {
  fields(seconds: number): Fields;
  /** Undefined when beyond what a Date can hold. */
  seconds(fields: Fields): number | undefined;
}

/** Shifts from the present moment keep its distance to UTC: `6 months ago` has the same time of day in UTC. */
function clockOf(found: Found, machine: Clock, nowSec: number): Clock {
  if (found.offsetMinutes !== undefined) return offsetClock(found.offsetMinutes * 60);
  if (!isShiftOnly(found)) return machine;
  return offsetClock(utcMs(machine.fields(nowSec)) / 1000 - nowSec);
}

function isShiftOnly({ hasShift, date, weekday, time }: Found): boolean {
  return hasShift && date === undefined && weekday === undefined && time === undefined;
}

function offsetClock(offsetSec: number): Clock {
  return {
    fields(seconds) {
      const date = new Date((seconds + offsetSec) * 1000);
      const time = { hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() };
      return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), ...time };
    },
    seconds(fields) {
      const ms = utcMs(fields);
      return Number.isNaN(ms) ? undefined : ms / 1000 - offsetSec;
    },
  };
}

const LOCAL_CLOCK: Clock = {
  fields(seconds) {
    const date = new Date(seconds * 1000);
    const time = { hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds() };
    return { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate(), ...time };
  },
  seconds({ year, month, day, hour, minute, second }) {
    const date = new Date(2000, 0, 1, hour, minute, second);
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, second);
    return Number.isNaN(date.getTime()) ? undefined : date.getTime() / 1000;
  },
};

/** Date.UTC for any year (it takes 0 to 99 for 1900 to 1999). */
function utcMs({ year, month, day, hour, minute, second }: Fields): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}

/** Without a time of day, dates and days begin at midnight, and shifts count from the present moment. */
function fieldsOf(found: Found, now: Fields): Fields {
  const date = found.date ?? now;
  const time = found.time ?? (isShiftOnly(found) ? now : { hour: 0, minute: 0, second: 0 });
  return {
    year: date.year ?? now.year,
    month: date.month,
    day: date.day,
    hour: time.hour,
    minute: time.minute,
    second: time.second,
  };
}

function sameFields(a: Fields, b: Fields): boolean {
  return (Object.keys(a) as (keyof Fields)[]).every((key) => a[key] === b[key]);
}

/** Days to the wanted day of the week, today included; `next` takes the one after, `last` the one before. */
function daysToWeekday({ day, ordinal }: NonNullable<Found['weekday']>, fields: Fields): number {
  const today = new Date(utcMs(fields)).getUTCDay();
  const weeks = ordinal - (ordinal > 0 && today !== day ? 1 : 0);
  return ((day - today + 7) % 7) + 7 * weeks;
}

/** Prints seconds since 1970 UTC as `Y-MM-DD HH:MM:SS +0000`; undefined outside the years 1 to 9999, as in ostree. */
export function printDate(timestampSec: bigint): string | undefined {
  const seconds = BigInt.asIntN(64, timestampSec);
  if (seconds < MIN_PRINTED_SEC || seconds > MAX_PRINTED_SEC) return undefined;
  const iso = new Date(Number(seconds) * 1000).toISOString();
  return `${Number(iso.slice(0, 4))}${iso.slice(4, 10)} ${iso.slice(11, 19)} +0000`;
}

/** Year 1 and year 9999. */
const MIN_PRINTED_SEC = -62135596800n;
const MAX_PRINTED_SEC = 253402300799n;
