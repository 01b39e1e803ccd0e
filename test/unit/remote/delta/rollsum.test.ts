import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chunkEnds, matchChunks } from '../../../../src/remote/delta/rollsum.ts';
import { noise } from '../../../helpers/noise.ts';

/** Rebuilds the target from its ranges and checks what is promised of them. */
function expectSound(source: Buffer, target: Buffer): ReturnType<typeof matchChunks> {
  const found = matchChunks(source, target);
  let at = 0;
  let matched = 0;
  for (const { sourceOffset, targetOffset, sizeBytes } of found.ranges) {
    expect(targetOffset).toBeGreaterThanOrEqual(at);
    expect(sizeBytes).toBeGreaterThan(0);
    const copied = source.subarray(sourceOffset, sourceOffset + sizeBytes);
    expect(copied.equals(target.subarray(targetOffset, targetOffset + sizeBytes))).toBe(true);
    at = targetOffset + sizeBytes;
    matched += sizeBytes;
  }
  expect(at).toBeLessThanOrEqual(target.length);
  expect(found.matchedBytes).toBe(matched);
  return found;
}

describe('chunks', () => {
  it('cover the file, none larger than 32 KiB, about 8 KiB on average', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(100_000), noise(2_000_000, 1)]) {
      const ends = chunkEnds(bytes);
      const sizes = ends.map((end, i) => end - (ends[i - 1] ?? 0));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length);
      expect(sizes.every((size) => size > 0 && size <= 32 * 1024)).toBe(true);
    }
    const average = 2_000_000 / chunkEnds(noise(2_000_000, 1)).length;
    expect(average).toBeGreaterThan(5_000);
    expect(average).toBeLessThan(12_000);
  });

  it('end where the last 64 bytes say so, whatever came before', () => {
    const tail = noise(500_000, 2);
    const shifted = Buffer.concat([noise(12_345, 3), tail]);
    const ends = new Set(chunkEnds(shifted).map((end) => end - 12_345));
    const common = chunkEnds(tail).filter((end) => ends.has(end));
    expect(common.length).toBeGreaterThan(chunkEnds(tail).length * 0.8);
  });
});

describe('matchChunks', () => {
  it('finds everything in an equal file, as one range', () => {
    const bytes = noise(300_000, 4);
    expect(expectSound(bytes, Buffer.from(bytes)).ranges).toEqual([{ sourceOffset: 0, targetOffset: 0, sizeBytes: 300_000 }]);
  });

  it('finds most of a file after an insertion and a move', () => {
    const source = noise(1_000_000, 5);
    const target = Buffer.concat([source.subarray(600_000), noise(5000, 6), source.subarray(0, 600_000)]);
    expect(expectSound(source, target).matchedBytes).toBeGreaterThan(900_000);
  });

  it('finds nothing in files that have nothing in common', () => {
    expect(expectSound(noise(200_000, 7), noise(200_000, 8)).matchedBytes).toBe(0);
  });

  it('is sound on any edit', () => {
    const edit = fc.record({ from: fc.nat(200_000), length: fc.nat(100_000), insert: fc.nat(2000) });
    const base = noise(200_000, 9);
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 5 }), (edits) => {
        const parts = edits.map(({ from, length, insert }) => [base.subarray(from, from + length), noise(insert, length)]);
        expectSound(base, Buffer.concat(parts.flat()));
      }),
      { numRuns: 50 },
    );
  });

  it('is sound and quick on files of one byte', () => {
    expect(expectSound(Buffer.alloc(4_000_000), Buffer.alloc(3_000_000)).matchedBytes).toBeGreaterThan(2_900_000);
  });
});
