/** The content index: what is added is found, whatever the order, the number of segments and the damage beside it. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Checksum, ContentDigest } from '../../../../src/core/index.ts';
import { contentIndexDir } from '../../../../src/repo/content-index/layout.ts';
import { sortRows } from '../../../../src/repo/content-index/records.ts';
import {
  addToContentIndex,
  ContentRecords,
  compactContentIndex,
  findDigests,
  importContentIndex,
  initRepo,
  openContentIndex,
  type Repo,
  readIndexStats,
} from '../../../../src/repo/index.ts';
import { scratchDir } from '../../../helpers/scratch.ts';

const newRepo = (): Repo => initRepo(join(scratchDir(), 'repo'));
const digestOf = (seed: string): ContentDigest => createHash('sha256').update(seed).digest('hex') as ContentDigest;
const objectOf = (seed: string): Checksum => createHash('sha256').update(`object ${seed}`).digest('hex') as Checksum;

type Pair = readonly [ContentDigest, Checksum];

function pairs(count: number, name = 'x'): Pair[] {
  return Array.from({ length: count }, (_, i) => [digestOf(`${name}${i}`), objectOf(`${name}${i}`)]);
}

function add(repo: Repo, list: readonly Pair[]): void {
  const records = new ContentRecords();
  for (const [digest, object] of list) records.add(digest, object);
  addToContentIndex(repo, records.bytes);
}

function findAll(repo: Repo, list: readonly Pair[]): Checksum[][] {
  const index = openContentIndex(repo);
  try {
    return list.map(([digest]) => index.find(digest));
  } finally {
    index.close();
  }
}

const segmentFiles = (repo: Repo): string[] =>
  fs
    .readdirSync(contentIndexDir(repo.path))
    .filter((name) => /^segment-[0-9a-f]{16}$/.test(name))
    .map((name) => join(contentIndexDir(repo.path), name));

describe('sorting rows', () => {
  it('gives what a sort of the hex text gives, each row once', () => {
    const row = fc
      .tuple(fc.constantFrom(...'0123'), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
      .map(([c, a, b]) => {
        const bytes = Buffer.alloc(64, c);
        bytes[31] = a;
        bytes[63] = b;
        return bytes;
      });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const sorted = sortRows(Buffer.concat(rows)).toString('hex');
        expect(sorted).toBe([...new Set(rows.map((bytes) => bytes.toString('hex')))].sort().join(''));
      }),
    );
  });
});

describe('importing another index', () => {
  const objectsOf = (list: readonly Pair[]): Checksum[] => list.map(([, object]) => object);

  it.each([1, 300, 1500, 3000])('brings the records of %i of 3000 objects', (count) => {
    const [from, to] = [newRepo(), newRepo()];
    const list = pairs(3000);
    for (let at = 0; at < list.length; at += 1200) add(from, list.slice(at, at + 1200));
    const own = pairs(1100, 'own');
    add(to, own);
    importContentIndex(to, from, objectsOf(list.slice(0, count)));
    expect(findAll(to, list.slice(0, count))).toEqual(list.slice(0, count).map(([, object]) => [object]));
    expect(findAll(to, own)).toEqual(own.map(([, object]) => [object]));
    const others = findAll(to, list.slice(count)).flat();
    expect(others.length).toBeLessThanOrEqual(count < 1500 ? 0 : count);
    expect(readIndexStats(to)).toMatchObject({ damagedSegments: [], recordCount: own.length + count + others.length });
  });

  it('does without an index that cannot be opened', () => {
    const [from, to] = [newRepo(), newRepo()];
    fs.mkdirSync(join(from.path, 'extensions/hacktree'), { recursive: true });
    fs.writeFileSync(contentIndexDir(from.path), 'no directory');
    importContentIndex(to, from, objectsOf(pairs(3)));
    expect(readIndexStats(to)).toMatchObject({ recordCount: 0, segmentCount: 0 });
  });

  it('leaves damaged segments and an empty index out', () => {
    const [from, to] = [newRepo(), newRepo()];
    const list = pairs(1500);
    importContentIndex(to, from, objectsOf(list));
    add(from, list);
    const [segment = ''] = segmentFiles(from);
    const bytes = fs.readFileSync(segment);
    bytes[5000] = (bytes[5000] as number) ^ 1;
    fs.writeFileSync(segment, bytes);
    importContentIndex(to, from, objectsOf(list));
    expect(readIndexStats(to)).toMatchObject({ recordCount: 0, damagedSegments: [] });
  });
});

describe('digests from another index', () => {
  it('are found where many are asked for, and zeros where there is none', () => {
    const from = newRepo();
    const list = pairs(2000);
    add(from, list);
    const asked = list.slice(0, 1000);
    const objects = [objectOf('not there'), ...asked.map(([, object]) => object)];
    const found = Buffer.from(findDigests(from, objects) ?? []).toString('hex');
    expect(found).toBe('0'.repeat(64) + asked.map(([digest]) => digest).join(''));
  });

  it('are not looked for where few are asked for, without an index, or in a damaged one', () => {
    const from = newRepo();
    const list = pairs(1500);
    const objects = list.map(([, object]) => object);
    expect(findDigests(from, objects)).toBeUndefined();
    add(from, list);
    expect(findDigests(from, objects.slice(0, 9))).toBeUndefined();
    const [segment = ''] = segmentFiles(from);
    const bytes = fs.readFileSync(segment);
    bytes[5000] = (bytes[5000] as number) ^ 1;
    fs.writeFileSync(segment, bytes);
    expect(findDigests(from, objects)?.every((byte) => byte === 0)).toBe(true);
  });
});

describe('content index', () => {
  it.each([3, 400])('finds many contents at once: %i of 2000', (count) => {
    const repo = newRepo();
    const list = pairs(2000);
    add(repo, list);
    const [digest] = list[0] as Pair;
    add(repo, [
      [digest, objectOf('other')],
      [digestOf('passed over'), objectOf('passed over')],
    ]);
    const index = openContentIndex(repo);
    const asked = list.slice(0, count).map(([each]) => each);
    const keys = [...asked, digestOf('not there'), digestOf('passed over')];
    const bytes = Buffer.concat(keys.map((each) => Buffer.concat([Buffer.alloc(3), Buffer.from(each, 'hex'), Buffer.alloc(2)])));
    const found = keys.map(() => new Set<string>());
    index.findEach(
      { bytes, count: keys.length, rowBytes: 37, keyOffset: 3 },
      (row) => row < keys.length - 1,
      (row, buffer, at) => void found[row]?.add(buffer.toString('hex', at, at + 32)),
    );
    expect(found.map((objects) => [...objects].sort())).toEqual([...asked.map((each) => index.find(each)), [], []]);
    expect(found[0]?.size).toBe(2);
    index.close();
  });

  it('is empty when there is none', () => {
    const repo = newRepo();
    const index = openContentIndex(repo);
    expect([index.find(digestOf('a')), index.recordCount]).toEqual([[], 0]);
    index.close();
  });

  it.each([1, 63, 64, 65, 1023, 1024, 5000])('finds each of %i records and nothing else', (count) => {
    const repo = newRepo();
    const list = pairs(count);
    add(repo, list);
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => [object]));
    expect(findAll(repo, pairs(200, 'other')).flat()).toEqual([]);
  });

  it('finds digests at both ends and in long runs of the same beginning', () => {
    const repo = newRepo();
    const near = Array.from({ length: 3000 }, (_, i): Pair => {
      const digest = `${'7'.repeat(56)}${i.toString(16).padStart(8, '0')}` as ContentDigest;
      return [digest, objectOf(digest)];
    });
    const ends = ['0'.repeat(64), 'f'.repeat(64)].map((digest): Pair => [digest as ContentDigest, objectOf(digest)]);
    const list = [...near, ...ends, ...pairs(3000)];
    add(repo, list);
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => [object]));
  });

  it('lists all objects of one content, sorted, also those in other segments', () => {
    const repo = newRepo();
    const objects = Array.from({ length: 500 }, (_, i) => objectOf(`same${i}`));
    add(repo, [...pairs(3000), ...objects.slice(0, 300).map((object): Pair => [digestOf('same'), object])]);
    add(
      repo,
      objects.slice(300).map((object): Pair => [digestOf('same'), object]),
    );
    expect(findAll(repo, [[digestOf('same'), objectOf('')]])[0]).toEqual(objects.sort());
  });

  it('keeps few segments, at most 100 bytes a record, over many additions', () => {
    const repo = newRepo();
    const all: Pair[] = [];
    for (let i = 0; i < 60; i++) {
      const some = pairs(i % 7 === 0 ? 1500 : 40, `round${i}-`);
      all.push(...some);
      add(repo, some);
    }
    const sizes = segmentFiles(repo).map((file) => fs.statSync(file).size);
    expect(sizes.length).toBeLessThanOrEqual(5);
    expect(sizes.reduce((a, b) => a + b) / all.length).toBeLessThan(100);
    expect(findAll(repo, all)).toEqual(all.map(([, object]) => [object]));
  });

  it('lets a reader keep its view while segments are merged', () => {
    const repo = newRepo();
    add(repo, pairs(10));
    const before = segmentFiles(repo);
    const list = pairs(10, 'second');
    const reader = openContentIndex(repo);
    add(repo, list);
    expect(segmentFiles(repo).some((file) => before.includes(file))).toBe(false);
    expect(pairs(10).map(([digest]) => reader.find(digest).length > 0)).toEqual(Array(10).fill(true));
    reader.close();
    expect(findAll(repo, [...pairs(10), ...list]).flat().length).toBe(20);
  });

  it('drops records of objects that are gone', () => {
    const repo = newRepo();
    const list = pairs(4000);
    add(repo, list.slice(0, 3000));
    add(repo, list.slice(3000));
    const kept = new Set(list.filter((_, i) => i % 3 === 0).map(([, object]) => object as string));
    expect(compactContentIndex(repo, (bytes, at) => kept.has(bytes.toString('hex', at, at + 32)))).toBe(kept.size);
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => (kept.has(object) ? [object] : [])));
    expect(compactContentIndex(repo, () => false)).toBe(0);
    expect(segmentFiles(repo)).toEqual([]);
  });
});

describe('damage', () => {
  it('ignores files that are no segments', () => {
    const repo = newRepo();
    const list = pairs(20);
    add(repo, list);
    const dir = contentIndexDir(repo.path);
    const segment = fs.readFileSync(segmentFiles(repo)[0] as string);
    fs.writeFileSync(join(dir, '.tmp-segment-1'), segment);
    fs.writeFileSync(join(dir, 'README'), 'hello');
    fs.writeFileSync(join(dir, 'segment-0000000000000000'), '');
    fs.writeFileSync(join(dir, 'segment-1111111111111111'), segment.subarray(0, -1));
    fs.writeFileSync(join(dir, 'segment-2222222222222222'), randomBytes(segment.length));
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => [object]));
    add(repo, pairs(5, 'more'));
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => [object]));
  });

  it('never merges a damaged segment: it is set aside, the others stay', () => {
    const repo = newRepo();
    add(repo, pairs(50));
    const [file] = segmentFiles(repo) as [string];
    const bytes = fs.readFileSync(file);
    bytes[200] = (bytes[200] as number) ^ 1;
    fs.writeFileSync(file, bytes);
    const list = pairs(50, 'new');
    add(repo, list);
    expect(fs.existsSync(`${file}.damaged`)).toBe(true);
    expect(segmentFiles(repo).length).toBe(1);
    expect(findAll(repo, list)).toEqual(list.map(([, object]) => [object]));
    expect(findAll(repo, pairs(50)).flat()).toEqual([]);
  });

  it('answers from any bytes of the right size without a hang', () => {
    const repo = newRepo();
    add(repo, pairs(2000));
    const [file] = segmentFiles(repo) as [string];
    const sound = fs.readFileSync(file);
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: sound.length - 41 }),
        fc.uint8Array({ minLength: 1, maxLength: 4000 }),
        (at, noise) => {
          const bytes = Buffer.from(sound);
          bytes.set(noise.subarray(0, sound.length - 40 - at), at);
          fs.writeFileSync(file, bytes);
          expect(findAll(repo, pairs(20)).every((objects) => objects.length <= 2000)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});
