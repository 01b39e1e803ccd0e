import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fileSystemTypeOf, settleFileSystem, writeInPlace } from '../../../src/sys/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

describe('settleFileSystem', () => {
  it('syncs, and says so when freezing is refused', async () => {
    expect(await settleFileSystem('/proc')).toBe('synced');
    expect(await settleFileSystem('/proc', { freeze: true })).toBe('freeze-refused');
  });

  it('knows file systems by their number', () => {
    expect(fileSystemTypeOf('/proc')).toBe('other');
  });
});

describe('writeInPlace', () => {
  it('keeps the inode, and refuses another length', () => {
    const file = join(scratchDir(), 'f');
    fs.writeFileSync(file, 'abc');
    const { ino } = fs.statSync(file);
    writeInPlace(file, Buffer.from('xyz'));
    expect(fs.readFileSync(file, 'utf8')).toBe('xyz');
    expect(fs.statSync(file).ino).toBe(ino);
    expect(() => writeInPlace(file, Buffer.from('ab'))).toThrow(expect.objectContaining({ code: 'format-invalid' }) as never);
  });
});
