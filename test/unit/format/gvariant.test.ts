import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../../src/core/index.ts';
import { decodeVariant, encodeVariant, type GValue, type Variant } from '../../../src/format/index.ts';
import { gtype, gvalue } from '../../helpers/arbitraries.ts';
import { hex } from '../../helpers/hex.ts';
import { applyDamage, damage } from '../../helpers/mutate.ts';

const typed = gtype.chain((type) => gvalue(type).map((value) => ({ type, value })));

/** Decodes hostile bytes: either a HacktreeError, or a value whose only spelling these bytes are. */
function decodeHostile(type: string, bytes: Buffer): void {
  let value: GValue;
  try {
    value = decodeVariant(type, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(HacktreeError);
    expect((error as HacktreeError).code).toBe('format-invalid');
    return;
  }
  expect(encodeVariant(type, value).equals(bytes)).toBe(true);
}

describe('encodeVariant', () => {
  // The examples of the GVariant specification, section 2.5, in little-endian.
  it.each<[string, string, GValue, string]>([
    ['string', 's', 'hello world', '68656c6c6f20776f726c6400'],
    ['maybe string', 'ms', { just: 'hello world' }, '68656c6c6f20776f726c640000'],
    ['array of booleans', 'ab', [true, false, false, true, true], '0100000101'],
    ['structure', '(si)', ['foo', -1], '666f6f00ffffffff04'],
    [
      'array of structures',
      'a(si)',
      [
        ['hi', -2],
        ['bye', -1],
      ],
      '6869 0000 feff ffff 0300 0000 6279 6500 ffff ffff 0409 15',
    ],
    ['array of strings', 'as', ['i', 'can', 'has', 'strings?'], '6900 6361 6e00 6861 7300 7374 7269 6e67 733f 0002 060a 13'],
    [
      'nested structure',
      '((ys)as)',
      [
        [0x69, 'can'],
        ['has', 'strings?'],
      ],
      '6963 616e 0068 6173 0073 7472 696e 6773 3f00 040d 05',
    ],
    ['byte array', 'ay', hex('04050607'), '04050607'],
    ['structure of bytes', '(yy)', [0x70, 0x80], '7080'],
    ['padded structure', '(iy)', [96, 0x70], '6000000070000000'],
    [
      'array of padded structures',
      'a(iy)',
      [
        [96, 0x70],
        [648, 0xf7],
      ],
      '6000 0000 7000 0000 8802 0000 f700 0000',
    ],
    ['dict entry', '{si}', ['a key', 514], '6120 6b65 7900 0000 0202 0000 06'],
    ['maybe of fixed size', 'mi', { just: 1 }, '01000000'],
    ['nothing', 'mi', undefined, ''],
    ['empty tuple', '()', [], '00'],
    ['variant', 'v', { type: 'u', value: 1 }, '01000000 00 75'],
  ])('%s', (_, type, value, dump) => {
    expect(encodeVariant(type, value)).toEqual(hex(dump));
    expect(decodeVariant(type, hex(dump))).toEqual(value);
  });

  it.each<[string, GValue]>([
    ['y', 256],
    ['y', 1.5],
    ['n', -32769],
    ['u', -1],
    ['i', 2 ** 31],
    ['t', -1n],
    ['t', 2n ** 64n],
    ['x', 2n ** 63n],
    ['x', 1],
    ['u', 1n],
    ['u', '1'],
    ['b', 1],
    ['d', '1'],
    ['s', 5],
    ['s', 'a\0b'],
    ['s', '\ud800'],
    ['o', 'a/b'],
    ['o', '/a/'],
    ['o', '//a'],
    ['o', '/é'],
    ['g', '('],
    ['g', 'mi'],
    ['ay', [1]],
    ['as', 'a'],
    ['as', undefined],
    ['(ss)', ['a']],
    ['v', 'a'],
    ['v', { type: 'nonsense', value: 1 }],
    ['mi', 5],
  ])('refuses a value that does not fit %s (case %#)', (type, value) => {
    expect(() => encodeVariant(type, value)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it.each([
    '',
    'z',
    'a',
    'm',
    '(',
    '(s',
    '{s}',
    '{vs}',
    '{sss}',
    'ss',
    's)',
    'a{(s)s}',
    '(s}',
    'a'.repeat(200),
    `(${'s'.repeat(5000)})`,
  ])('refuses a type (case %#)', (type) => {
    expect(() => encodeVariant(type, [])).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});

describe('decodeVariant', () => {
  it('gives back every encoded value', () => {
    fc.assert(
      fc.property(typed, ({ type, value }) => {
        expect(decodeVariant(type, encodeVariant(type, value))).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back sizes around every framing offset width', () => {
    for (const length of [...range(240, 260), ...range(65520, 65540)]) {
      const strings: GValue = ['x'.repeat(length), 'y'];
      const filler = Buffer.alloc(length, 7);
      for (const [type, value] of [
        ['as', strings],
        ['(sayu)', ['a', filler, 5]],
        ['(ayay)', [filler, filler]],
        ['a(ayay)', [[filler, Buffer.from('z')]]],
      ] as const) {
        expect(isDeepStrictEqual(decodeVariant(type, encodeVariant(type, value)), value)).toBe(true);
      }
    }
  });

  it('accepts of damaged bytes only what is the one spelling of a value', () => {
    fc.assert(
      fc.property(typed, damage, ({ type, value }, damages) => {
        decodeHostile(type, applyDamage(encodeVariant(type, value), damages));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts of random bytes only what is the one spelling of a value', () => {
    fc.assert(
      fc.property(gtype, fc.uint8Array({ maxLength: 60, max: 20 }), (type, bytes) => {
        decodeHostile(type, Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts no truncated value as another spelling', () => {
    fc.assert(
      fc.property(typed, ({ type, value }) => {
        const bytes = encodeVariant(type, value);
        for (let end = 0; end < Math.min(bytes.length, 300); end++) decodeHostile(type, bytes.subarray(0, end));
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['boolean of value 2', 'b', '02'],
    ['non-zero padding in a structure', '(yu)', '01000100 05000000'],
    ['non-zero padding at the end', '(uy)', '05000000 01000001'],
    ['non-zero padding in an array', 'a(su)', '6100 0001 05000000 02 08'],
    ['non-zero empty tuple', '()', '01'],
    ['offsets that go backwards', 'as', '6100 6200 04 02'],
    ['an offset beyond the end', 'as', '6100 09'],
    ['a string without NUL', 's', '6162'],
    ['a string with inner NUL', 's', '61006200'],
    ['invalid UTF-8', 's', 'ff00'],
    ['an encoded surrogate', 's', 'eda08000'],
    ['bytes between the last member and the offsets', '(su)', '6100 0000 05000000 00 02'],
    ['offsets wider than needed', 'as', `${'61'.repeat(253)}00 fe00`],
    ['a variant without type', 'v', '61'],
    ['a variant of two types', 'v', '010000007575'],
    ['a maybe with a wrong end', 'ms', '610001'],
    ['an unusual NaN', 'd', '01000000 0000f87f'],
  ])('refuses %s', (_, type, dump) => {
    expect(() => decodeVariant(type, hex(dump))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('bounds the nesting of variants', () => {
    const nest = (depth: number): Buffer => {
      let bytes = Buffer.from('7800', 'hex');
      let type = 's';
      for (let i = 0; i < depth; i++) {
        bytes = Buffer.concat([bytes, Buffer.from(`\0${type}`)]);
        type = 'v';
      }
      return bytes;
    };
    expect(decodeVariant('v', nest(100))).toMatchObject({ type: 'v' });
    expect(() => decodeVariant('v', nest(2000))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
    expect(() => encodeVariant('v', deepVariant(1, 120))).not.toThrow();
    // Types as deep as they may be, in variants as deep as they may be: together they are too deep.
    expect(() => encodeVariant('v', deepVariant(2, 120))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('bounds the number of values that few bytes can ask for', () => {
    // An array of 8 million empty byte arrays: nothing but framing offsets of value 0.
    expect(() => decodeVariant('aay', Buffer.alloc(32 * 1024 * 1024))).toThrow(
      expect.objectContaining({ code: 'format-invalid', message: expect.stringContaining('values') }),
    );
    expect(() => decodeVariant('ab', Buffer.alloc(32 * 1024 * 1024))).toThrow(
      expect.objectContaining({ code: 'format-invalid', message: expect.stringContaining('values') }),
    );
  });
});

/** A variant that holds arrays in arrays, in which there is another such variant. */
function deepVariant(levels: number, arrays: number): Variant {
  let value: GValue = levels === 1 ? { type: 's', value: 'x' } : deepVariant(levels - 1, arrays);
  for (let i = 0; i < arrays; i++) value = [value];
  return { type: `${'a'.repeat(arrays)}v`, value };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
