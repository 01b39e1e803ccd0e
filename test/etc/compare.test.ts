/** Differences of two trees, and what an unprivileged caller sees of them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, it } from '@jest/globals';
import { compareEtc, listUnresolved, printEtcDifference } from '../../src/etc/index.ts';
import { requireRoot } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { writeTree } from './trees.ts';

const asRoot = requireRoot() ? it : it.skip;

function twoTrees(): { dir: string; from: string; to: string } {
  const dir = scratchDir();
  const [from, to] = [path.join(dir, 'a'), path.join(dir, 'b')];
  writeTree(from, {
    same: '1',
    changed: 'old\n',
    gone: { dir: { x: '1' } },
    mode: '1',
    link: { link: 'a' },
    private: { dir: { f: '1' } },
  });
  writeTree(to, {
    same: '1',
    changed: 'new\n',
    added: { dir: { y: '1' } },
    mode: { file: '1', mode: 0o600, gid: 4 },
    link: { link: 'b' },
    private: { dir: { f: '2', 'f.hacktree-new': '3' } },
    'same.hacktree-new': '0',
  });
  return { dir, from, to };
}

const EXPECTED = [
  ['added', 'added'],
  ['added/y', 'added'],
  ['changed', 'modified'],
  ['gone', 'removed'],
  ['gone/x', 'removed'],
  ['link', 'modified'],
  ['mode', 'attributes'],
];

asRoot('lists differences and prints them', () => {
  const { from, to } = twoTrees();
  const found = compareEtc(from, to).map(({ path, change }) => [path, change]);
  expect(found).toEqual([
    ...EXPECTED,
    ['private/f', 'modified'],
    ['private/f.hacktree-new', 'added'],
    ['same.hacktree-new', 'added'],
  ]);
  expect(printEtcDifference(from, to, 'changed')).toBe('--- a/changed\n+++ b/changed\n@@ -1 +1 @@\n-old\n+new\n');
  expect(printEtcDifference(from, to, 'mode')).toBe('mode: file 0644 0:0 -> file 0600 0:4\n');
  expect(printEtcDifference(from, to, 'link')).toBe('--- a/link\n+++ b/link\n@@ -1 +1 @@\n-a\n+b\n');
  expect(printEtcDifference(from, to, 'added/y')).toBe(
    '--- /dev/null\n+++ b/added/y\n@@ -0,0 +1 @@\n+1\n\\ No newline at end of file\n',
  );
  expect(printEtcDifference(from, to, 'same')).toBe('');
});

asRoot('says what an unprivileged caller may not see', () => {
  const { dir, from, to } = twoTrees();
  fs.chmodSync(dir, 0o755);
  fs.chmodSync(path.join(to, 'private'), 0o700);
  process.seteuid?.(65534);
  try {
    const found = compareEtc(from, to).map(({ path, change }) => [path, change]);
    expect(found).toEqual([
      ...EXPECTED.slice(0, -1),
      ['mode', 'unreadable'],
      ['private', 'attributes'],
      ['private', 'unreadable'],
      ['same.hacktree-new', 'added'],
    ]);
    expect(listUnresolved({ etcDir: to, defaultsDir: from }).map(({ path }) => path)).toEqual(['same']);
  } finally {
    process.seteuid?.(0);
  }
});
