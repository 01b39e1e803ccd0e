/** Calls relative to open directories: what they answer, and that they follow nothing. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodAt,
  closeFd,
  createFileAt,
  identityAt,
  linkUnlessEmptyAt,
  mkdirAt,
  openDirAt,
  openFileAt,
  readlinkAt,
  removeTreeAt,
  renameNoReplaceAt,
  statAt,
  symlinkAt,
  tryLockExclusive,
  unlinkAt,
  zeroMtimeAt,
} from '../../../src/sys/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const withCode = (code: string) => expect.objectContaining({ code });

describe('calls relative to a directory', () => {
  let path: string;
  let dir: number;

  beforeEach(() => {
    path = scratchDir();
    dir = openDirAt(-1, path) as number;
    fs.writeFileSync(join(path, 'file'), 'hello');
    fs.mkdirSync(join(path, 'folder'));
    fs.symlinkSync('folder', join(path, 'link'));
  });
  afterEach(() => closeFd(dir));

  it('describes names and itself', () => {
    const { mode, uid, gid, size } = fs.lstatSync(join(path, 'file'));
    expect(statAt(dir, 'file')).toEqual({ mode, uid, gid, sizeBytes: size, rdev: 0 });
    expect(statAt(dir, 'link')?.mode).toBe(0o120777);
    expect(statAt(dir, '')?.mode).toBe(fs.statSync(path).mode);
    expect(statAt(dir, 'nothing')).toBeUndefined();
  });

  it('tells sizes beyond 4 GiB', () => {
    fs.truncateSync(join(path, 'file'), 5 * 2 ** 30 + 1);
    expect(statAt(dir, 'file')?.sizeBytes).toBe(5 * 2 ** 30 + 1);
  });

  it('opens directories only, and no symlinks to them', () => {
    closeFd(openDirAt(dir, 'folder') as number);
    expect(openDirAt(dir, 'nothing')).toBeUndefined();
    expect(() => openDirAt(dir, 'file')).toThrow(withCode('ENOTDIR'));
    expect(() => openDirAt(dir, 'link')).toThrow(withCode('ENOTDIR'));
    expect(() => openFileAt(dir, 'link')).toThrow(withCode('ELOOP'));
  });

  it('makes files, directories and symlinks once', () => {
    closeFd(createFileAt(dir, 'new'));
    expect(() => createFileAt(dir, 'new')).toThrow(withCode('EEXIST'));
    expect(() => createFileAt(dir, 'link')).toThrow(withCode('EEXIST'));
    expect([mkdirAt(dir, 'new-folder', 0o700), mkdirAt(dir, 'new-folder', 0o700)]).toEqual([true, false]);
    expect([symlinkAt('ä/b', dir, 'new-link'), symlinkAt('c', dir, 'new-link')]).toEqual([true, false]);
    expect(readlinkAt(dir, 'new-link')).toBe('ä/b');
  });

  it('links all but empty files', () => {
    fs.writeFileSync(join(path, 'empty'), '');
    expect(linkUnlessEmptyAt(dir, 'file', dir, 'folder/a')).toBe('linked');
    expect(identityAt(dir, 'folder/a')).toBe(identityAt(dir, 'file'));
    expect(linkUnlessEmptyAt(dir, 'link', dir, 'folder/b')).toBe('linked');
    expect(statAt(dir, 'folder/b')?.mode).toBe(0o120777);
    expect(linkUnlessEmptyAt(dir, 'empty', dir, 'folder/c')).toBe('empty');
    expect(linkUnlessEmptyAt(dir, 'nothing', dir, 'folder/c')).toBe('missing');
    expect(linkUnlessEmptyAt(dir, 'file', dir, 'folder/a')).toBe('taken');
    expect(linkUnlessEmptyAt(dir, 'folder', dir, 'folder/c')).toBe('special');
    expect(() => linkUnlessEmptyAt(dir, 'file', dir, 'nothing/c')).toThrow(withCode('ENOENT'));
  });

  it('changes modes and times of what is named, not of what it points to', () => {
    chmodAt(dir, 'folder', 0o2711);
    expect(statAt(dir, 'folder')?.mode).toBe(0o042711);
    expect(() => chmodAt(dir, 'link', 0o777)).toThrow();
    expect(statAt(dir, 'folder')?.mode).toBe(0o042711);
    zeroMtimeAt(dir, 'link');
    expect(fs.lstatSync(join(path, 'link')).mtimeMs).toBe(0);
    expect(fs.statSync(join(path, 'folder')).mtimeMs).not.toBe(0);
  });

  it('renames without replacing', () => {
    expect(renameNoReplaceAt(dir, 'file', dir, 'folder')).toBe(false);
    expect(renameNoReplaceAt(dir, 'file', dir, 'other')).toBe(true);
    expect(() => renameNoReplaceAt(dir, 'file', dir, 'third')).toThrow(withCode('ENOENT'));
  });

  it('removes names that are there', () => {
    expect([unlinkAt(dir, 'link'), unlinkAt(dir, 'link')]).toEqual([true, false]);
    expect(() => unlinkAt(dir, 'folder')).toThrow(withCode('EISDIR'));
  });

  it('locks a directory for one descriptor', () => {
    const [first, second] = [openDirAt(dir, 'folder') as number, openDirAt(dir, 'folder') as number];
    expect([tryLockExclusive(first), tryLockExclusive(second)]).toEqual([true, false]);
    closeFd(first);
    expect(tryLockExclusive(second)).toBe(true);
    closeFd(second);
  });
});

describe('removeTreeAt', () => {
  it('removes a tree and nothing that symlinks in it point to', () => {
    const path = scratchDir();
    fs.mkdirSync(join(path, 'outside'));
    fs.writeFileSync(join(path, 'outside/kept'), '');
    fs.mkdirSync(join(path, 'tree/a/b/c'), { recursive: true });
    fs.writeFileSync(join(path, 'tree/a/file'), '');
    fs.symlinkSync('../../outside', join(path, 'tree/a/to-outside'));
    fs.chmodSync(join(path, 'tree/a/b'), 0o000);
    fs.chmodSync(join(path, 'tree/a'), 0o500);
    const dir = openDirAt(-1, path) as number;
    removeTreeAt(dir, 'tree');
    removeTreeAt(dir, 'tree');
    closeFd(dir);
    expect(fs.readdirSync(path)).toEqual(['outside']);
    expect(fs.readdirSync(join(path, 'outside'))).toEqual(['kept']);
  });

  it('removes a symlink itself', () => {
    const path = scratchDir();
    fs.mkdirSync(join(path, 'outside'));
    fs.symlinkSync('outside', join(path, 'link'));
    const dir = openDirAt(-1, path) as number;
    removeTreeAt(dir, 'link');
    closeFd(dir);
    expect(fs.readdirSync(path)).toEqual(['outside']);
  });
});
