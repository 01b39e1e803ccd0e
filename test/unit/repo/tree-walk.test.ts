/** Paths in commits and the order of a walk, on hand-made trees. */
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { encodeDirtree } from '../../../src/format/index.ts';
import { initRepo, loadCommit, lookupPath, type Repo, rootOf, walkDirs, walkTree } from '../../../src/repo/index.ts';
import { putCommit, putDirmeta, putDirtree, putObject } from '../../helpers/craft.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const FILE = 'aa'.repeat(32) as Checksum;

/** /b, /z, /a/ (with x and an empty directory), /c/ (empty) */
function sampleRepo(): { repo: Repo; commit: Checksum } {
  const repo = initRepo(`${scratchDir()}/repo`, { mode: 'archive' });
  const meta = putDirmeta(repo);
  const empty = putDirtree(repo, {});
  const a = putDirtree(repo, { files: [{ name: 'x', checksum: FILE }], dirs: [{ name: 'deep', tree: empty, meta }] });
  const root = putDirtree(repo, {
    files: ['b', 'z'].map((name) => ({ name, checksum: FILE })),
    dirs: [
      { name: 'a', tree: a, meta },
      { name: 'c', tree: empty, meta },
    ],
  });
  return { repo, commit: putCommit(repo, root) };
}

describe('lookupPath', () => {
  it('finds the root, directories and files, with or without outer slashes', () => {
    const { repo, commit } = sampleRepo();
    expect(lookupPath(repo, commit, '/')).toMatchObject({ kind: 'dir', path: '/', name: '' });
    expect(lookupPath(repo, commit, '')).toMatchObject({ kind: 'dir', path: '/' });
    expect(lookupPath(repo, commit, '/a/deep/')).toMatchObject({ kind: 'dir', path: '/a/deep', name: 'deep' });
    expect(lookupPath(repo, commit, 'a//x')).toMatchObject({ kind: 'file', path: '/a/x', name: 'x', checksum: FILE });
  });

  it.each([
    ['/a/nope', 'ENOENT', 'No such file or directory: /a/nope'],
    ['/nope/x', 'ENOENT', 'No such file or directory: /nope'],
    ['/a/..', 'ENOENT', 'No such file or directory: /a/..'],
    ['/b/x', 'ENOTDIR', 'Not a directory: /b'],
  ])('says what is missing of %s', (path, errno, message) => {
    const { repo, commit } = sampleRepo();
    expect(() => lookupPath(repo, commit, path)).toThrow(
      expect.objectContaining({ code: 'path-not-found', message, details: { path, errno } }),
    );
  });
});

describe('walkTree', () => {
  const walk = (repo: Repo, commit: Checksum, skip?: string): string[] =>
    [...walkTree(repo, rootOf(loadCommit(repo, commit)), { skip: (node) => node.path === skip })].map((node) => node.path);

  it('yields a directory, its files, then its subdirectories, each sorted', () => {
    const { repo, commit } = sampleRepo();
    expect(walk(repo, commit)).toEqual(['/', '/b', '/z', '/a', '/a/x', '/a/deep', '/c']);
  });

  it('leaves out what is skipped with all below it', () => {
    const { repo, commit } = sampleRepo();
    expect(walk(repo, commit, '/a')).toEqual(['/', '/b', '/z', '/c']);
    expect(walk(repo, commit, '/')).toEqual([]);
  });

  it('stops at a directory that contains itself', () => {
    const { repo } = sampleRepo();
    const self = 'cc'.repeat(32) as Checksum;
    const meta = putDirmeta(repo);
    putObject(repo, 'dirtree', encodeDirtree({ files: [], dirs: [{ name: 'again', tree: self, meta }] }), self);
    const commit = putCommit(repo, self);
    expect(() => walk(repo, commit)).toThrow(expect.objectContaining({ code: 'object-corrupt' }));
    expect(() => [...walkDirs(repo, rootOf(loadCommit(repo, commit)), () => false)]).toThrow(
      expect.objectContaining({ code: 'object-corrupt' }),
    );
  });
});

describe('walkDirs', () => {
  it('yields directories, parents first, with the files that are asked for', () => {
    const { repo, commit } = sampleRepo();
    const found = [...walkDirs(repo, rootOf(loadCommit(repo, commit)), (path) => path !== '/')];
    expect(found.map(({ path, files }) => [path, files.map(({ name }) => name)])).toEqual([
      ['/', []],
      ['/a', ['x']],
      ['/a/deep', []],
      ['/c', []],
    ]);
  });
});
