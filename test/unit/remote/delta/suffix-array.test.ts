import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { suffixArray } from '../../../../src/remote/delta/suffix-array.ts';

/** The definition: sort the suffixes. */
function sorted(bytes: Uint8Array): number[] {
  const starts = Array.from(bytes, (_, i) => i);
  return starts.sort((a, b) => Buffer.compare(bytes.subarray(a), bytes.subarray(b)));
}

const fewLetters = (letters: number) => fc.uint8Array({ max: letters - 1, maxLength: 200 });

/** Fibonacci words have the deepest recursion. */
function fibonacciWord(length: number): Buffer {
  let [a, b] = ['a', 'ab'];
  while (b.length < length) [a, b] = [b, b + a];
  return Buffer.from(b.slice(0, length));
}

describe('suffixArray', () => {
  it('sorts the suffixes of any bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fewLetters(2), fewLetters(3), fewLetters(256)), (bytes) => {
        expect(Array.from(suffixArray(bytes))).toEqual(sorted(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('sorts repetitive texts', () => {
    const texts = [
      Buffer.alloc(5000),
      Buffer.from('ab'.repeat(2000)),
      Buffer.from(`${'abc'.repeat(999)}abd`),
      fibonacciWord(5000),
    ];
    for (const text of texts) expect(Array.from(suffixArray(text))).toEqual(sorted(text));
  });

  it('takes the empty text and one letter', () => {
    expect(Array.from(suffixArray(Buffer.alloc(0)))).toEqual([]);
    expect(Array.from(suffixArray(Buffer.from('x')))).toEqual([0]);
  });
});
