/** Damage to bytes, for tests of decoders. */
import fc from 'fast-check';

export interface Damage {
  readonly kind: 'flip' | 'set' | 'cut' | 'insert' | 'remove' | 'append';
  /** Position as a fraction of the length. */
  readonly at: number;
  readonly value: number;
}

export const damage: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'remove', 'append'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Applies damages in turn to a copy. */
export function applyDamage(original: Uint8Array, damages: readonly Damage[]): Buffer {
  let bytes = Buffer.from(original);
  for (const { kind, at, value } of damages) {
    const i = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
    const one = Buffer.from([value]);
    if (kind === 'append' || bytes.length === 0) bytes = Buffer.concat([bytes, one]);
    else if (kind === 'flip') bytes[i] = (bytes[i] ?? 0) ^ (1 << (value & 7));
    else if (kind === 'set') bytes[i] = value;
    else if (kind === 'cut') bytes = bytes.subarray(0, i);
    else if (kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, i), one, bytes.subarray(i)]);
    else bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]);
  }
  return bytes;
}
