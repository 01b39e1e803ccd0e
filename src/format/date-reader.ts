/**
 * The reader under date.ts: text -> the dates, times, zones and shifts that it names. Knows nothing of calendars.
 *
 * Source: GNU coreutils manual, "Date input formats".
 */

import { DAY_SHIFTS, MONTH_WORDS, ORDINALS, type Unit, unitOf, WEEKDAYS, ZONES } from './date-words.ts';

/** What a text says. */
export interface Found {
  /** The year is undefined when only month and day are named. */
  date: { year: number | undefined; month: number; day: number } | undefined;
  time: { hour: number; minute: number; second: number } | undefined;
  /** Zone east of UTC; undefined when none is named. */
  offsetMinutes: number | undefined;
  /** 0 = Sunday; ordinal 0 = the coming one, today included, 1 = next, -1 = last. */
  weekday: { day: number; ordinal: number } | undefined;
  shift: { years: number; months: number; days: number; seconds: number };
  hasShift: boolean;
}

/** Reads one text. Every method that reads an item returns whether it was there. */
export class DateReader {
  readonly #text: string;
  #at = 0;
  readonly #found: Found = {
    date: undefined,
    time: undefined,
    offsetMinutes: undefined,
    weekday: undefined,
    shift: { years: 0, months: 0, days: 0, seconds: 0 },
    hasShift: false,
  };

  constructor(text: string) {
    this.#text = text.toLowerCase();
  }

  /** Returns what the text says; undefined when it cannot be understood, or says something twice. */
  read(): Found | undefined {
    for (;;) {
      this.#match(/\s*/y);
      if (this.#at >= this.#text.length) return this.#found;
      if (!this.#item()) return undefined;
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #item(): boolean {
    return (
      this.#numericDate() ?? this.#timeOfDay() ?? this.#namedDate() ?? this.#shift() ?? this.#word() ?? this.#number() ?? false
    );
  }

  #setDate(year: number | undefined, month: number, day: number): boolean {
    if (this.#found.date !== undefined) return false;
    this.#found.date = { year, month, day };
    return true;
  }

  #setTime(hour: number, minute: number, second: number, half: string | undefined): boolean {
    if (this.#found.time !== undefined) return false;
    const isPm = half?.startsWith('p');
    if (half !== undefined && (hour < 1 || hour > 12)) return false;
    this.#found.time = { hour: half === undefined ? hour : (hour % 12) + (isPm ? 12 : 0), minute, second };
    return hour < 25 && minute < 60 && second < 61;
  }

  #setOffset(minutes: number | undefined): boolean {
    if (this.#found.offsetMinutes !== undefined || minutes === undefined || Math.abs(minutes) > 24 * 60) return false;
    this.#found.offsetMinutes = minutes;
    return true;
  }

  /** `2026-01-31`, `2026/01/31`, `1/31/2026`, `1/31`, each perhaps with `T` and a time behind it. */
  #numericDate(): boolean | undefined {
    const iso = this.#match(/(\d+)-(\d{1,2})-(\d{1,2})(?!\d)(?:t(?=\d))?/y);
    if (iso !== undefined) return this.#setDate(fullYear(iso[1]), Number(iso[2]), Number(iso[3]));
    const slashed = this.#match(/(\d+)\/(\d+)(?:\/(\d+))?(?!\d)/y);
    if (slashed === undefined) return undefined;
    const [, first = '', second = '', third] = slashed;
    if (third === undefined) return this.#setDate(undefined, Number(first), Number(second));
    if (first.length >= 4) return this.#setDate(Number(first), Number(second), Number(third));
    return this.#setDate(fullYear(third), Number(first), Number(second));
  }

  /** `12:30`, `12:30:59.5`, `11pm`, with a zone behind it: `+01`, `+0100`, `+01:00`. */
  #timeOfDay(): boolean | undefined {
    const noon = this.#match(/(\d{1,2})\s*(a\.?m\.?|p\.?m\.?)(?![a-z])/y);
    if (noon !== undefined) return this.#setTime(Number(noon[1]), 0, 0, noon[2]);
    const time = this.#match(/(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?(?!\d)(?:\s*(a\.?m\.?|p\.?m\.?)(?![a-z]))?/y);
    if (time === undefined) return undefined;
    const isSet = this.#setTime(Number(time[1]), Number(time[2]), Number(time[3] ?? 0), time[4]);
    if (!isSet || time[4] !== undefined) return isSet;
    const offset = this.#match(/\s*([-+])\s*(\d{1,4})(?::(\d{2}))?(?!\d)/y);
    return offset === undefined || this.#setOffset(offsetMinutes(offset));
  }

  /** `31 January 2026`, `31-jan-2026`, `January 31, 2026`, `jan 31`. */
  #namedDate(): boolean | undefined {
    const start = this.#at;
    const dayFirst = this.#match(/(\d{1,2})(?:\s*-\s*|\s*)([a-z]+)(?:(?:\s*-\s*|[\s,]+)(\d+)(?![\d:]|\s*[a-z]))?/y);
    if (dayFirst !== undefined) {
      const month = MONTH_WORDS.get(dayFirst[2] ?? '');
      if (month !== undefined) return this.#setDate(fullYear(dayFirst[3]), month, Number(dayFirst[1]));
      this.#at = start;
    }
    const monthFirst = this.#match(/([a-z]+)(?:\s*-\s*|\s+)(\d{1,2})(?![\d:])(?:(?:\s*-\s*|\s*,\s*|\s+)(\d{4,})(?![\d:]))?/y);
    if (monthFirst === undefined) return undefined;
    const month = MONTH_WORDS.get(monthFirst[1] ?? '');
    if (month !== undefined) return this.#setDate(fullYear(monthFirst[3]), month, Number(monthFirst[2]));
    this.#at = start;
    return undefined;
  }

  /** `2 days`, `-3 weeks`, `next month`, each perhaps with `ago`; and `next monday`. */
  #shift(): boolean | undefined {
    const start = this.#at;
    const match = this.#match(/(?:([-+]?)\s*(\d+)\s*|([a-z]+)\s+)([a-z]+)/y);
    const [, sign, number, ordinal, word = ''] = match ?? [];
    const count = number !== undefined ? Number(`${sign}${number}`) : ORDINALS.get(ordinal ?? '');
    const unit = unitOf(word);
    const weekday = WEEKDAYS.get(word);
    if (count !== undefined && unit !== undefined) return this.#addShift(unit, count);
    if (count !== undefined && weekday !== undefined) return this.#setWeekday(weekday, count);
    this.#at = start;
    return undefined;
  }

  #addShift([field, scale]: Unit, count: number): boolean {
    const isAgo = this.#match(/\s*ago(?![a-z])/y) !== undefined;
    this.#found.shift[field] += count * scale * (isAgo ? -1 : 1);
    this.#found.hasShift = true;
    return Number.isSafeInteger(this.#found.shift[field]);
  }

  #setWeekday(day: number, ordinal: number): boolean {
    if (this.#found.weekday !== undefined) return false;
    this.#found.weekday = { day, ordinal };
    this.#match(/\s*,/y);
    return true;
  }

  /** `yesterday`, `day`, `monday`, `UTC`, `GMT+2`. */
  #word(): boolean | undefined {
    const match = this.#match(/([a-z]+)/y);
    if (match === undefined) return undefined;
    const word = match[1] ?? '';
    const days = DAY_SHIFTS.get(word);
    if (days !== undefined) {
      this.#found.shift.days += days;
      this.#found.hasShift = true;
      return true;
    }
    const unit = unitOf(word);
    if (unit !== undefined) return this.#addShift(unit, 1);
    const weekday = WEEKDAYS.get(word);
    if (weekday !== undefined) return this.#setWeekday(weekday, 0);
    const hours = ZONES.get(word);
    if (hours === undefined) return false;
    const offset = this.#match(/\s*([-+])\s*(\d{1,4})(?::(\d{2}))?(?!\d)/y);
    return this.#setOffset(hours * 60 + (offset === undefined ? 0 : (offsetMinutes(offset) ?? Number.NaN)));
  }

  /** A bare number is a year after month and day, a date of eight digits, or an hour. */
  #number(): boolean | undefined {
    const digits = this.#match(/\d+/y)?.[0];
    if (digits === undefined) return undefined;
    const { date, time, hasShift } = this.#found;
    if (date !== undefined && date.year === undefined && !hasShift && (time !== undefined || digits.length > 2)) {
      date.year = fullYear(digits);
      return true;
    }
    if (digits.length > 4)
      return this.#setDate(fullYear(digits.slice(0, -4)), Number(digits.slice(-4, -2)), Number(digits.slice(-2)));
    if (digits.length <= 2) return this.#setTime(Number(digits), 0, 0, undefined);
    return this.#setTime(Number(digits.slice(0, -2)), Number(digits.slice(-2)), 0, undefined);
  }
}

/** Two digits mean 1969 to 2068. */
function fullYear(digits: string | undefined): number | undefined {
  if (digits === undefined) return undefined;
  const year = Number(digits);
  if (digits.length !== 2) return year;
  return year < 69 ? 2000 + year : 1900 + year;
}

/** `+H`, `+HH`, `+HHMM`, `+HH:MM` to minutes. */
function offsetMinutes([, sign, digits = '', minutes]: RegExpExecArray): number | undefined {
  const isShort = digits.length <= 2;
  if (minutes !== undefined && !isShort) return undefined;
  const hours = isShort ? Number(digits) : Math.floor(Number(digits) / 100);
  const rest = minutes === undefined ? (isShort ? 0 : Number(digits) % 100) : Number(minutes);
  return (sign === '-' ? -1 : 1) * (hours * 60 + rest);
}
