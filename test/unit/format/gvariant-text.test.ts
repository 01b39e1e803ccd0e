/** GVariant text without the oracle: what is printed is read back. What ostree makes of it is in test/oracle. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../../src/core/index.ts';
import { type GValue, parseVariantText, printVariant, swapVariantBytes, type Variant } from '../../../src/format/index.ts';
import { variant } from '../../helpers/arbitraries.ts';

/** Doubles that lose digits are printed, but not read. */
const hasTinyDouble = (text: string): boolean => /e-3(0[89]|[12]\d)/.test(text);

describe('printVariant', () => {
  it('prints text that is read back to the same value', () => {
    fc.assert(
      fc.property(variant(), (value) => {
        const text = printVariant(value, true);
        fc.pre(!hasTinyDouble(text));
        expect(parseVariantText(text)).toEqual(value);
        expect(parseVariantText(printVariant(value, false), value.type)).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, GValue, string, string]>([
    ['u', 5, '5', 'uint32 5'],
    ['y', 10, '0x0a', 'byte 0x0a'],
    ['ay', Buffer.from('it\0'), "b'it'", "b'it'"],
    ['ay', Buffer.from(`it's "x"\n\0`), `b"it's \\"x\\"\\n"`, `b"it's \\"x\\"\\n"`],
    ['ay', Buffer.from([1, 2]), '[0x01, 0x02]', '[byte 0x01, 0x02]'],
    ['ay', Buffer.alloc(0), '[]', '@ay []'],
    ['ay', Buffer.from([0, 0]), '[0x00, 0x00]', '[byte 0x00, 0x00]'],
    ['as', [], '[]', '@as []'],
    ['a{sv}', [['k', { type: 'u', value: 1 }]], "{'k': <uint32 1>}", "{'k': <uint32 1>}"],
    [
      'a{ut}',
      [
        [1, 2n],
        [3, 4n],
      ],
      '{1: 2, 3: 4}',
      '{uint32 1: uint64 2, 3: 4}',
    ],
    ['mms', { just: undefined }, 'just nothing', '@mms just nothing'],
    ['mms', { just: { just: 'x' } }, "'x'", "@mms 'x'"],
    ['(s)', ["it's"], `("it's",)`, `("it's",)`],
    ['d', 1, '1.0', '1.0'],
    ['d', 0.1, '0.10000000000000001', '0.10000000000000001'],
    ['s', 'a\u0001\u200e\u{e0001}', "'a\\u0001\\u200e\\U000e0001'", "'a\\u0001\\u200e\\U000e0001'"],
  ])('%s (case %#)', (type, value, plain, annotated) => {
    expect(printVariant({ type, value }, false)).toBe(plain);
    expect(printVariant({ type, value }, true)).toBe(annotated);
  });
});

describe('parseVariantText', () => {
  it.each<[string, Variant]>([
    ["'text'", { type: 's', value: 'text' }],
    ['[1, nothing]', { type: 'ami', value: [{ just: 1 }, undefined] }],
    ['[int64 1, 2]', { type: 'ax', value: [1n, 2n] }],
    ['{"a": <(byte 1, true)>}', { type: 'a{sv}', value: [['a', { type: '(yb)', value: [1, true] }]] }],
    ["[objectpath '/a', '/b']", { type: 'ao', value: ['/a', '/b'] }],
  ])('reads %s', (text, value) => {
    expect(parseVariantText(text)).toEqual(value);
  });

  it('reads text as a wanted type', () => {
    expect(parseVariantText('5', 't')).toEqual({ type: 't', value: 5n });
    expect(parseVariantText('[]', 'a{sv}')).toMatchObject({ type: 'a{sv}' });
    expect(() => parseVariantText('5', 's')).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('says where it went wrong and what it expected', () => {
    expect(() => parseVariantText('[1, x]')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "Invalid GVariant text '[1, x]', character 4: expected a known keyword, found 'x]'",
        details: { expected: 'a known keyword', found: "'x]'", at: 4 },
      }),
    );
    expect(() => parseVariantText('[1, "a"]')).toThrow(/character 4: expected a value of the same type/);
    expect(() => parseVariantText('byte 300')).toThrow(/character 5: expected a value of type 'y'/);
  });

  it('refuses what GLib takes for a number although it is none, and a NaN with a sign', () => {
    for (const text of ['-', '0x1.8', '-nan']) expect(() => parseVariantText(text)).toThrow(HacktreeError);
  });

  it('takes any text with a value or a usage error', () => {
    const piece = fc.constantFrom(...'[](){}<>,:@"\'\\ bnju15.-ex', 'just ', 'nothing', 'uint32 ', '@as ', "b'", 'true', '\\u00');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseVariantText(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(HacktreeError);
          expect((error as HacktreeError).code).toBe('usage');
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('bounds nesting and takes long text in little time', () => {
    for (const open of ['[', '<', '(', '{', 'just ', 'uint32 ', '@i ']) {
      expect(() => parseVariantText(open.repeat(100_000))).toThrow(expect.objectContaining({ code: 'usage' }));
    }
    const numbers = Array.from({ length: 100_000 }, (_, i) => i);
    expect(parseVariantText(`[${numbers.join(', ')}]`)).toEqual({ type: 'ai', value: numbers });
  });
});

describe('swapVariantBytes', () => {
  it('undoes itself', () => {
    fc.assert(
      fc.property(variant(), (value) => {
        // A double may become a NaN, whose other bits are not kept.
        fc.pre(!printVariant(swapVariantBytes(value), true).includes('nan'));
        expect(swapVariantBytes(swapVariantBytes(value))).toEqual(value);
      }),
    );
  });
});
