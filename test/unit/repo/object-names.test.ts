import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { initRepo, ObjectNames } from '../../../src/repo/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

it.each([1, 16, 17, 300])('finds which of %i objects are absent', (count) => {
  const repo = initRepo(join(scratchDir(), 'repo'), { mode: 'archive' });
  const checksums = Array.from({ length: count }, (_, i) => `ab${i.toString(16).padStart(62, '0')}` as Checksum);
  expect(new ObjectNames(repo).absent('ab', checksums, 'file')).toEqual(checksums);
  fs.mkdirSync(join(repo.objectsPath, 'ab'));
  const isThere = (_: Checksum, i: number): boolean => i % 3 === 0;
  for (const checksum of checksums.filter(isThere)) {
    fs.writeFileSync(join(repo.objectsPath, 'ab', `${checksum.slice(2)}.filez`), '');
  }
  const names = new ObjectNames(repo);
  expect(names.absent('ab', checksums, 'file')).toEqual(checksums.filter((_, i) => i % 3 !== 0));
  expect(names.absent('ab', checksums, 'dirtree')).toEqual(checksums);
});

it('answers the same whether it looks for objects or reads directories', () => {
  const repo = initRepo(join(scratchDir(), 'repo'), { mode: 'archive' });
  const checksums = Array.from(
    { length: 64 },
    (_, i) => `${i % 2 === 0 ? 'ab' : 'cd'}${i.toString(16).padStart(62, '0')}` as Checksum,
  );
  const isThere = (_: Checksum, i: number): boolean => i % 3 === 0;
  for (const prefix of ['ab', 'cd']) fs.mkdirSync(join(repo.objectsPath, prefix));
  for (const checksum of checksums.filter(isThere))
    fs.writeFileSync(join(repo.objectsPath, checksum.slice(0, 2), `${checksum.slice(2)}.dirtree`), '');
  for (const manyLooks of [0, 5, undefined]) {
    const names = new ObjectNames(repo, manyLooks === undefined ? {} : { manyLooks });
    expect(checksums.map((checksum) => names.has(checksum, 'dirtree'))).toEqual(checksums.map(isThere));
  }
  const listed = new ObjectNames(repo, { manyLooks: 0 });
  expect(listed.has(checksums[0] as Checksum, 'dirtree')).toBe(true);
  fs.rmSync(join(repo.objectsPath, 'ab'), { recursive: true });
  expect(listed.has(checksums[6] as Checksum, 'dirtree')).toBe(true); // nothing is looked for any more
});
