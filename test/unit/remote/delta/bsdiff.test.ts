import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeBsdiff } from '../../../../src/remote/delta/bsdiff.ts';
import { applyBsdiff, type ByteSource, memorySource, writeOffset } from '../../../../src/remote/delta/bspatch.ts';
import { noise } from '../../../helpers/noise.ts';

function patched(source: Uint8Array | ByteSource, patch: Uint8Array, outputBytes: number): Buffer {
  const chunks: Buffer[] = [];
  const bytes = source instanceof Uint8Array ? memorySource(source) : source;
  applyBsdiff({ source: bytes, patch, outputBytes, write: (chunk) => chunks.push(Buffer.from(chunk)) });
  return Buffer.concat(chunks);
}

const control = (diff: number, extra: number, seek: number, data: Uint8Array = Buffer.alloc(diff + extra)): Buffer => {
  const bytes = Buffer.alloc(24);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 24);
  [diff, extra, seek].forEach((value, i) => {
    writeOffset(view, i * 8, value);
  });
  return Buffer.concat([bytes, data]);
};

const invalid = expect.objectContaining({ code: 'delta-invalid' });

/** A file and what became of it: pieces moved, doubled, dropped, changed, inserted. */
const edited = fc
  .record({
    source: fc.uint8Array({ maxLength: 2000 }),
    pieces: fc.array(
      fc.record({
        from: fc.nat(2000),
        length: fc.nat(600),
        every: fc.integer({ min: 1, max: 80 }),
        insert: fc.uint8Array({ maxLength: 40 }),
      }),
      { maxLength: 8 },
    ),
  })
  .map(({ source, pieces }) => {
    const parts = pieces.map(({ from, length, every, insert }) => {
      const piece = Buffer.from(source.subarray(from % (source.length + 1)).subarray(0, length));
      for (let i = every - 1; i < piece.length; i += every) piece[i] = (piece[i] as number) + 1;
      return Buffer.concat([piece, insert]);
    });
    return { source, target: Buffer.concat(parts) };
  });

describe('bsdiff and bspatch', () => {
  it('give the target back, whatever the two files', () => {
    const anything = fc.record({
      source: fc.uint8Array({ maxLength: 300, max: 3 }),
      target: fc.uint8Array({ maxLength: 300, max: 3 }),
    });
    fc.assert(
      fc.property(fc.oneof(edited, anything), ({ source, target }) => {
        expect(patched(source, makeBsdiff(source, target), target.length).equals(target)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('store differences, not content, where files are alike', () => {
    const source = noise(200_000, 1);
    const target = Buffer.concat([source.subarray(50_000, 150_000), noise(1000, 2), source.subarray(0, 60_000)]);
    for (let i = 0; i < target.length; i += 97) target[i] = (target[i] as number) + 1;
    const patch = makeBsdiff(source, target);
    expect(patched(source, patch, target.length).equals(target)).toBe(true);
    const zeros = patch.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
    // About 1/97 of the bytes differ and 1000 are new; every record costs 24.
    expect(patch.length - zeros).toBeLessThan(target.length / 97 + 1000 + 2000);
    expect(patch.length).toBeLessThan(target.length + 50 * 24);
  });

  it('take time in proportion on files that repeat themselves', () => {
    const length = 400_000;
    const ab = Buffer.from('ab'.repeat(length / 2));
    const patterned = Buffer.alloc(length, noise(1000, 3));
    const changed = Buffer.from(patterned);
    for (let i = 500; i < length; i += 1000) changed[i] = (changed[i] as number) + 1;
    const cases: [Buffer, Buffer][] = [
      [Buffer.alloc(length), Buffer.alloc(length, 1)],
      [Buffer.alloc(length), Buffer.alloc(length * 2)],
      [ab, ab.subarray(1)],
      [patterned, changed],
      [changed, patterned.subarray(777)],
      [noise(length, 4), noise(length, 5)],
    ];
    for (const [source, target] of cases) {
      expect(patched(source, makeBsdiff(source, target), target.length).equals(target)).toBe(true);
    }
  });

  it('writes numbers as sign and magnitude', () => {
    expect(control(5, 258, -3, Buffer.alloc(0)).toString('hex')).toBe(
      '0500000000000000' + '0201000000000000' + '0300000000000080',
    );
    const big = Buffer.alloc(8);
    writeOffset(new DataView(big.buffer, big.byteOffset, 8), 0, -(2 ** 40 + 7));
    expect(big.toString('hex')).toBe('0700000000010080');
  });
});

describe('bspatch', () => {
  const source = Buffer.from('0123456789');

  it('adds, inserts and jumps', () => {
    const patch = Buffer.concat([
      control(2, 1, 6, Buffer.from([0, 1, 120])),
      control(2, 0, -10, Buffer.from([0, 0])),
      control(1, 0, 0, Buffer.from([255])),
    ]);
    expect(patched(source, patch, 6).toString('latin1')).toBe('02x89/');
  });

  it('reads the source in pieces and only inside', () => {
    const large = noise(300_000, 6);
    const reads: [number, number][] = [];
    const watched: ByteSource = {
      sizeBytes: large.length,
      read(offset, length) {
        reads.push([offset, length]);
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset + length).toBeLessThanOrEqual(large.length);
        return large.subarray(offset, offset + length);
      },
    };
    const target = Buffer.concat([large.subarray(100_000), large.subarray(0, 100_000)]);
    expect(patched(watched, makeBsdiff(large, target), target.length).equals(target)).toBe(true);
    expect(Math.max(...reads.map(([, length]) => length))).toBeLessThanOrEqual(64 * 1024);
  });

  it.each([
    ['nothing where something is promised', Buffer.alloc(0), 1],
    ['half a control part', control(1, 0, 0).subarray(0, 20), 1],
    ['a negative diff length', control(-1, 2, 0, Buffer.alloc(2)), 1],
    ['a negative extra length', control(2, -1, 0, Buffer.alloc(2)), 1],
    ['more output than promised', control(0, 3, 0), 2],
    ['too little data', control(0, 3, 0, Buffer.alloc(2)), 3],
    ['data after the end', Buffer.concat([control(0, 1, 0), Buffer.alloc(1)]), 1],
    ['a source that is too short', control(11, 0, 0), 11],
    ['a jump to before the source', Buffer.concat([control(0, 1, -1), control(1, 0, 0)]), 2],
    ['a jump to behind the source', Buffer.concat([control(0, 1, 11), control(1, 0, 0)]), 2],
    ['a number of 63 bits', Buffer.concat([Buffer.alloc(8, 0xff), Buffer.alloc(16)]), 1],
  ])('refuses %s', (_name, patch, outputBytes) => {
    expect(() => patched(source, patch, outputBytes)).toThrow(invalid);
  });

  it('stays inside on any bytes', () => {
    fc.assert(
      fc.property(
        edited,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        ({ source: from, target }, changes) => {
          const patch = makeBsdiff(from, target);
          for (const [at, byte] of changes) if (patch.length > 0) patch[at % patch.length] = byte;
          try {
            expect(patched(from, patch, target.length)).toHaveLength(target.length);
          } catch (error) {
            expect(error).toEqual(invalid);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
