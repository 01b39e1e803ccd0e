/** Dates without the oracle; what ostree makes of some 250 texts is in test/oracle. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../../src/core/index.ts';
import { parseDate, printDate } from '../../../src/format/index.ts';

/** Friday, 2026-11-20 23:42:24 UTC. */
const NOW = 1795218144;
const parse = (text: string): string => printDate(parseDate(text, { nowSec: NOW, zone: 'utc' }))?.slice(0, 19) ?? '';

describe('parseDate', () => {
  it.each([
    ['@1700000000', '2023-11-14 22:13:20'],
    ['2024-01-02', '2024-01-02 00:00:00'],
    ['2024-01-02 03:04', '2024-01-02 03:04:00'],
    ['2024-01-02T03:04:05+02:00', '2024-01-02 01:04:05'],
    ['2024-01-02 03:04:05 -0530', '2024-01-02 08:34:05'],
    ['Tue, 2 Jan 2024 03:04:05 EST', '2024-01-02 08:04:05'],
    ['now', '2026-11-20 23:42:24'],
    ['yesterday', '2026-11-19 23:42:24'],
    ['yesterday 10:00', '2026-11-19 10:00:00'],
    ['30 days ago', '2026-10-21 23:42:24'],
    ['2 weeks ago', '2026-11-06 23:42:24'],
    ['last month', '2026-10-20 23:42:24'],
    ['1 year ago 2 days', '2025-11-22 23:42:24'],
    ['friday', '2026-11-20 00:00:00'],
    ['next friday', '2026-11-27 00:00:00'],
    ['last friday', '2026-11-13 00:00:00'],
    ['monday 8pm', '2026-11-23 20:00:00'],
    ['2024-01-31 1 month', '2024-03-02 00:00:00'],
  ])('%s', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });

  it('rounds seconds down', () => {
    expect(parseDate('@-5.5', { nowSec: NOW })).toBe(-6n);
    expect(parseDate('@5.9', { nowSec: NOW })).toBe(5n);
  });

  it.each([
    'garbage',
    '2024-02-30',
    '2024-13-01',
    '2024-01-02 25:00',
    '@',
    '@1 2',
    '2024-01-02 2024-01-03',
    `@${'9'.repeat(30)}`,
  ])('refuses %p as a usage error with a hint', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'usage', message: `Could not parse '${text}'` }));
  });

  it('refuses what ostree takes for something else than it seems, and takes a time after a day without year', () => {
    // Zones of one letter: 'a day ago' would be a shift by a zone and a day.
    for (const text of ['a', 'a day ago', 'T10:00', '2024-01-02 10h', '--2 days'])
      expect(() => parse(text)).toThrow(HacktreeError);
    expect(parse('2 Jan 10:00')).toBe('2026-01-02 10:00:00');
  });

  it('gives a number or a usage error for any text, at once', () => {
    const words = [
      '2024',
      '-',
      '01',
      '/',
      ':',
      '10',
      ' ',
      '+',
      'jan',
      'day',
      'ago',
      'utc',
      'last',
      'mon',
      '@',
      ',',
      'pm',
      '.',
      '9'.repeat(20),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 10 }), fc.constantFrom('utc', 'local'), (pieces, zone) => {
        try {
          expect(typeof parseDate(pieces.join(''), { nowSec: NOW, zone })).toBe('bigint');
        } catch (error) {
          expect(error).toBeInstanceOf(HacktreeError);
          expect((error as HacktreeError).code).toBe('usage');
        }
      }),
      { numRuns: 5000 },
    );
    for (const word of words.filter((each) => each !== ' ')) expect(() => parse(word.repeat(50_000))).toThrow(HacktreeError);
  });
});

describe('printDate', () => {
  it.each([
    [0n, '1970-01-01 00:00:00 +0000'],
    [2n ** 64n - 5n, '1969-12-31 23:59:55 +0000'],
    [253402300799n, '9999-12-31 23:59:59 +0000'],
    [253402300800n, undefined],
    [-62135596800n, '1-01-01 00:00:00 +0000'],
    [-62135596801n, undefined],
  ])('%d', (seconds, expected) => {
    expect(printDate(seconds)).toBe(expected);
  });
});
