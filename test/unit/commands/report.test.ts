/** Errors as text, as JSON, and as exit statuses. */
import { describe, expect, it } from '@jest/globals';
import { printErrorObject, printResult } from '../../../src/commands/json.ts';
import { failureStatus, printError, toHacktreeError } from '../../../src/commands/report.ts';
import { editDistance, nearest } from '../../../src/commands/suggest.ts';
import { HacktreeError } from '../../../src/core/index.ts';

const rules = { frontEnd: 'hacktree', distinct: false, color: false } as const;
const quiet = { ...rules, debug: false };

describe('printError', () => {
  it('says what the message leaves out, then causes, then hints', () => {
    const cause = new Error('the disk is on fire');
    const error = new HacktreeError('object-corrupt', 'Object 12 is damaged', {
      details: { path: '/r/12', expected: 5, found: 12 },
      hints: ['run fsck'],
      cause,
    });
    expect(printError(error, quiet)).toBe(
      'error: Object 12 is damaged\n  path: /r/12\n  expected: 5\n  caused by: the disk is on fire\nhint: run fsck\n',
    );
  });

  it('is one line in the ostree front end', () => {
    const error = new HacktreeError('io', 'It failed', { details: { path: '/x' }, hints: ['h'], cause: new Error('c') });
    expect(printError(error, { ...quiet, frontEnd: 'ostree' })).toBe('error: It failed\n');
  });

  it('shows a stack trace only when asked', () => {
    const error = toHacktreeError(new TypeError('x is not a function'));
    expect(printError(error, quiet)).not.toContain('    at ');
    expect(printError(error, { ...quiet, debug: true })).toContain('    at ');
    expect(error.code).toBe('internal');
  });

  it('does not repeat an errno that the message spells out', () => {
    const failed = Object.assign(new Error("ENOENT: no such file or directory, open '/x'"), {
      code: 'ENOENT',
      syscall: 'open',
      path: '/x',
    });
    expect(printError(toHacktreeError(failed), quiet)).toBe('error: open /x: No such file or directory\n');
  });
});

describe('failureStatus', () => {
  const status = (code: 'usage' | 'ref-not-found' | 'no-space' | 'interrupted', change: object = {}): number =>
    failureStatus(code, { ...rules, ...change });

  it('is 1, and 2 for a wrong line', () => {
    expect([status('ref-not-found'), status('no-space'), status('usage')]).toEqual([1, 1, 2]);
  });
  it('is distinct with --exit-code', () => {
    expect([status('no-space', { distinct: true }), status('usage', { distinct: true })]).toEqual([20, 2]);
  });
  it('is always 1 in the ostree front end', () => {
    expect([status('no-space', { frontEnd: 'ostree' }), status('usage', { frontEnd: 'ostree' })]).toEqual([1, 1]);
  });
  it('is 130 when interrupted', () => {
    expect([status('interrupted'), status('interrupted', { frontEnd: 'ostree' })]).toEqual([130, 130]);
  });
});

describe('JSON envelope', () => {
  it('prints big integers and bytes as JSON can hold them', () => {
    const data = { small: 5n, big: 2n ** 60n, bytes: Buffer.from([1, 255]), more: new Uint8Array([2]), none: undefined };
    expect(JSON.parse(printResult('log', data))).toEqual({
      hacktree: 1,
      command: 'log',
      data: { small: 5, big: '1152921504606846976', bytes: '01ff', more: '02', none: null },
    });
  });
  it('is one line', () => {
    expect(printResult('init', undefined)).toBe('{"hacktree":1,"command":"init","data":null}\n');
  });
  it('prints errors with code, message, details and hints', () => {
    const error = new HacktreeError('no-space', 'Full', { details: { needed: 3n }, hints: ['h'] });
    expect(JSON.parse(printErrorObject('commit', error))).toEqual({
      hacktree: 1,
      command: 'commit',
      error: { code: 'no-space', message: 'Full', details: { needed: 3 }, hints: ['h'] },
    });
  });
});

describe('suggestions', () => {
  it.each([
    ['commti', 'commit', 1],
    ['', 'abc', 3],
    ['refs', 'refs', 0],
    ['kitten', 'sitting', 3],
  ])('%s is so far from %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
  it('finds near words and none that are far', () => {
    const words = ['commit', 'checkout', 'checksum', 'config'];
    expect(nearest('comit', words)[0]).toBe('commit');
    expect(nearest('check', words)).toEqual(expect.arrayContaining(['checkout', 'checksum']));
    expect(nearest('xyzzy', words)).toEqual([]);
  });
});
