/** Numbers of files must be those of fs.Stats: the stat cache holds both kinds. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { STAT_NUMBERS, statNumbers } from '../../../src/sys/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const fieldsOf = ({ dev, ino, size, mtimeMs, ctimeMs, mode, uid, gid }: fs.Stats): number[] => [
  ...[dev, ino, size, mtimeMs, ctimeMs, mode, uid, gid],
];

describe('statNumbers', () => {
  it.each([0, 1_700_000_000.123_456, -5.25, 4_294_967_296.5])('equals fs.lstat for a file of time %d', (seconds) => {
    const dir = scratchDir();
    const [file, link] = [join(dir, 'file'), join(dir, 'link')];
    fs.writeFileSync(file, 'content');
    fs.symlinkSync('nowhere', link);
    fs.utimesSync(file, seconds, seconds);
    const numbers = new Float64Array(4 * STAT_NUMBERS);
    for (const [index, path] of [file, link, dir, '/dev/null'].entries()) {
      expect(statNumbers(path, numbers, index)).toBe(true);
      const found = [...numbers.subarray(index * STAT_NUMBERS, (index + 1) * STAT_NUMBERS)];
      expect(found).toEqual(fieldsOf(fs.lstatSync(path)));
    }
  });

  it('tells a missing file from one that may not be looked at', () => {
    const numbers = new Float64Array(STAT_NUMBERS);
    expect(statNumbers(join(scratchDir(), 'missing'), numbers, 0)).toBe(false);
    expect(() => statNumbers('/dev/null/x', numbers, 0)).toThrow(/ENOTDIR/);
  });
});
