/** Rows found by a key of 32 bytes, wherever it is in them. */
import { describe, expect, it } from '@jest/globals';
import { RowTable } from '../../../src/repo/row-table.ts';

const KEY = 32;

function rowsOf(keys: readonly Buffer[], { before = 5, after = 2 } = {}): ConstructorParameters<typeof RowTable>[0] {
  const bytes = Buffer.concat(keys.map((key) => Buffer.concat([Buffer.alloc(before, 1), key, Buffer.alloc(after, 2)])));
  return { bytes, count: keys.length, rowBytes: before + KEY + after, keyOffset: before };
}

function found(table: RowTable, key: Buffer): number[] {
  const rows: number[] = [];
  table.find(Buffer.concat([Buffer.alloc(3), key]), 3, (row) => void rows.push(row));
  return rows;
}

describe('a table of rows', () => {
  const keys = Array.from({ length: 3000 }, (_, i) => {
    const key = Buffer.alloc(KEY, i % 7);
    key.writeUInt16BE(Math.floor(i / 2), 20);
    return key;
  });

  it('gives the rows of each key in order, and none of others', () => {
    const table = new RowTable(rowsOf(keys));
    const expected = new Map<string, number[]>();
    for (const [i, key] of keys.entries()) expected.set(key.toString('hex'), [...(expected.get(key.toString('hex')) ?? []), i]);
    for (const [key, rows] of expected) expect(found(table, Buffer.from(key, 'hex'))).toEqual(rows);
    expect(found(table, Buffer.alloc(KEY, 0xee))).toEqual([]);
  });

  it('gives all rows that have one key', () => {
    const same = Array.from({ length: 10 }, () => Buffer.alloc(KEY, 9));
    expect(found(new RowTable(rowsOf(same)), Buffer.alloc(KEY, 9))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('passes over rows that are not wanted', () => {
    const table = new RowTable(rowsOf(keys), (row) => row % 2 === 1);
    expect(keys.flatMap((key) => found(table, key)).every((row) => row % 2 === 1)).toBe(true);
    expect(found(table, keys[1] as Buffer)).toContain(1);
  });

  it('may be empty', () => {
    expect(found(new RowTable(rowsOf([])), Buffer.alloc(KEY))).toEqual([]);
  });
});
