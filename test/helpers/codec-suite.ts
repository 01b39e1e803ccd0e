/** The suite that every codec passes: values come back, hostile bytes end in one kind of error or have one spelling. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../src/core/index.ts';
import { bytes } from './arbitraries.ts';
import { applyDamage, damage } from './mutate.ts';

export interface Codec {
  readonly name: string;
  /** Encodes, decodes and compares a random value. */
  readonly roundTrip: fc.IPropertyWithHooks<[unknown]>;
  readonly encoded: fc.Arbitrary<Buffer>;
  /** Decodes and encodes again. */
  readonly recode: (bytes: Buffer) => Buffer;
}

export function codec<T>(
  name: string,
  value: fc.Arbitrary<T>,
  encode: (value: T) => Buffer,
  decode: (bytes: Buffer) => T,
): Codec {
  return {
    name,
    roundTrip: fc.property(value as fc.Arbitrary<unknown>, (each) => {
      expect(decode(encode(each as T))).toEqual(each);
    }),
    encoded: value.map(encode),
    recode: (raw) => encode(decode(raw)),
  };
}

function recodeHostile({ recode }: Codec, raw: Buffer): void {
  let again: Buffer;
  try {
    again = recode(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(HacktreeError);
    expect(['format-invalid', 'path-unsafe']).toContain((error as HacktreeError).code);
    return;
  }
  expect(again.toString('hex')).toBe(raw.toString('hex'));
}

export function describeCodec(codecs: readonly Codec[]): void {
  describe.each(codecs.map((each) => ({ name: each.name, each })))('$name', ({ each }) => {
    it('gives back every encoded value', () => {
      fc.assert(each.roundTrip, { numRuns: 300 });
    });

    it('accepts of damaged bytes only what is the one spelling of a value', () => {
      fc.assert(
        fc.property(each.encoded, damage, (raw, damages) => recodeHostile(each, applyDamage(raw, damages))),
        { numRuns: 1000 },
      );
    });

    it('accepts of random bytes only what is the one spelling of a value', () => {
      fc.assert(
        fc.property(bytes, (raw) => recodeHostile(each, raw)),
        { numRuns: 1000 },
      );
    });

    it('accepts no truncated value as another spelling', () => {
      fc.assert(
        fc.property(each.encoded, (raw) => {
          for (let end = 0; end < Math.min(raw.length, 200); end++) recodeHostile(each, raw.subarray(0, end));
        }),
        { numRuns: 20 },
      );
    });
  });
}
