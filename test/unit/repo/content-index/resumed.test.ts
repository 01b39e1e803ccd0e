/** What an interrupted transaction staged is known to the index by content when the next one publishes it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { pullLocal } from '../../../../src/remote/index.ts';
import { checkContentIndex, commit, fsck, initRepo, type Repo } from '../../../../src/repo/index.ts';
import { scratchDir } from '../../../helpers/scratch.ts';
import { noise } from '../../../helpers/trees.ts';

const FILES = 100;

function makeTree(dir: string): string {
  const tree = join(dir, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < FILES; i++) fs.writeFileSync(join(tree, `file-${i}`), noise(1 + i * 3, `file ${i}`));
  fs.symlinkSync('file-1', join(tree, 'link'));
  return tree;
}

/** Ends every transaction when all is staged and nothing published. */
const failing = (repo: Repo): Repo => ({ ...repo, testErrors: new Set(['pre-commit'] as const) });

async function expectAllKnown(repo: Repo): Promise<void> {
  expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({ ok: true, unindexedObjects: 0, recordCount: FILES });
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
}

it.each(['bare-user', 'archive'])('a commit to %s', async (mode) => {
  const dir = scratchDir();
  const trees = [{ kind: 'dir' as const, path: makeTree(dir) }];
  const repo = initRepo(join(dir, 'repo'), { mode });
  await expect(commit(failing(repo), { branch: 'main', trees })).rejects.toMatchObject({ code: 'test-error' });
  await commit(repo, { branch: 'main', trees });
  await expectAllKnown(repo);
});

it.each([
  ['bare-user', 'archive'],
  ['archive', 'bare-user'],
])('a pull from %s to %s', async (from, to) => {
  const dir = scratchDir();
  const source = initRepo(join(dir, 'source'), { mode: from });
  await commit(source, { branch: 'main', trees: [{ kind: 'dir', path: makeTree(dir) }] });
  const repo = initRepo(join(dir, 'repo'), { mode: to });
  await expect(pullLocal(failing(repo), source)).rejects.toMatchObject({ code: 'test-error' });
  expect((await checkContentIndex(repo, { threads: 0 })).unindexedObjects).toBe(0); // nothing is published
  await pullLocal(repo, source);
  await expectAllKnown(repo);
});
