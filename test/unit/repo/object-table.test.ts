/** ObjectTable is a set of (checksum, type), also for checksums chosen to look alike. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Checksum } from '../../../src/core/index.ts';
import type { ObjectType } from '../../../src/format/index.ts';
import { ObjectTable } from '../../../src/repo/object-table.ts';

const sum = (i: number): Checksum => createHash('sha256').update(String(i)).digest('hex') as Checksum;

describe('ObjectTable', () => {
  it('agrees with a Set', () => {
    const type = fc.constantFrom<ObjectType>('file', 'dirtree', 'dirmeta', 'commit');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), type), { maxLength: 200 }), (adds) => {
        const table = new ObjectTable();
        const set = new Set<string>();
        for (const [i, kind] of adds) {
          const bytes = Buffer.concat([Buffer.alloc(5), Buffer.from(sum(i), 'hex')]);
          expect(table.hasBytes(bytes, 5, kind)).toBe(set.has(`${i}.${kind}`));
          expect(table.add(sum(i), kind)).toBe(!set.has(`${i}.${kind}`));
          set.add(`${i}.${kind}`);
          expect(table.addBytes(bytes, 5, kind)).toBe(false);
        }
        expect(table.count).toBe(set.size);
        const files = [...set].filter((name) => name.endsWith('.file')).map((name) => sum(Number.parseInt(name, 10)));
        expect([...table.checksums('file')].sort()).toEqual(files.sort());
      }),
    );
  });

  it('keeps 100,000 objects apart, in less than 64 bytes each', () => {
    const table = new ObjectTable();
    for (let i = 0; i < 100_000; i++) table.add(sum(i), 'file');
    expect(table.sizeBytes).toBeLessThan(64 * 100_000);
    let found = 0;
    for (let i = 0; i < 110_000; i++) if (table.has(sum(i), 'file')) found++;
    expect([table.count, found, table.has(sum(0), 'dirtree')]).toEqual([100_000, 100_000, false]);
  });

  it('is not slowed down by checksums that differ in few bytes', () => {
    const table = new ObjectTable();
    for (let i = 0; i < 200_000; i++) table.add(`${'ab'.repeat(28)}${i.toString(16).padStart(8, '0')}` as Checksum, 'file');
    expect(table.count).toBe(200_000);
  });
});
