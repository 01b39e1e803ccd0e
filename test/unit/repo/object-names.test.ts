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
