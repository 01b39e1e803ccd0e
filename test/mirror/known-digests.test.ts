/** Digests of contents that pull-local takes from the source's index: the same index comes out, and nobody's word is taken for an object. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Checksum, ContentDigest } from '../../src/core/index.ts';
import { pullLocal } from '../../src/remote/index.ts';
import {
  addToContentIndex,
  ContentRecords,
  checkContentIndex,
  commit,
  fsck,
  initRepo,
  listObjects,
  openContentIndex,
  type Repo,
} from '../../src/repo/index.ts';
import { ostreeCommit } from '../helpers/oracle.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const asRoot = requireTool('ostree') && requireRoot() ? it : it.skip;
const LARGE_BYTES = 2_500_000;

let dir: string;
let tree: string;

beforeEach(() => {
  dir = scratchDir();
  tree = join(dir, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < 150; i++) fs.writeFileSync(join(tree, `file-${i}`), noise(i * 7, `file ${i}`));
  fs.writeFileSync(join(tree, 'large'), noise(LARGE_BYTES, 'large'));
  fs.symlinkSync('large', join(tree, 'link'));
});

const newRepo = (name: string, mode: string): Repo => initRepo(join(dir, name), { mode });

async function makeSource(mode: string): Promise<Repo> {
  const repo = newRepo(`source-${mode}`, mode);
  await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: tree }] });
  return repo;
}

/** All records, in hexadecimal and sorted. */
function recordsOf(repo: Repo): string[] {
  const index = openContentIndex(repo);
  try {
    const rows = [...index.records()].flatMap((piece) => piece.toString('hex').match(/.{128}/g) ?? []);
    return rows.sort();
  } finally {
    index.close();
  }
}

/** Adds a wrong record for each file object of a repository that has no index yet. */
function lieAbout(repo: Repo): void {
  const records = new ContentRecords();
  for (const { checksum, type } of listObjects(repo)) {
    const digest = checksum.replace(/^../, 'ff') as ContentDigest;
    if (type === 'file') records.add(digest, checksum as Checksum);
  }
  fs.rmSync(join(repo.path, 'extensions'), { recursive: true });
  addToContentIndex(repo, records.bytes);
}

describe.each([
  ['archive', 'bare'],
  ['archive', 'bare-user'],
  ['bare', 'archive'],
  ['bare-user', 'bare'],
])('from %s to %s', (from, to) => {
  asRoot('the index says the same, with and without trust', async () => {
    const source = await makeSource(from);
    for (const untrusted of [false, true]) {
      const repo = newRepo(`to-${untrusted}`, to);
      await pullLocal(repo, source, { untrusted });
      expect(recordsOf(repo)).toEqual(recordsOf(source));
      expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({ ok: true, unindexedObjects: 0 });
    }
  });

  asRoot('a source whose index lies spoils nothing but the index', async () => {
    const source = await makeSource(from);
    lieAbout(source);
    const repo = newRepo('to', to);
    await pullLocal(repo, source, {});
    expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
    // It was believed, which shows that contents were not hashed twice.
    const { ok, wrongRecords } = await checkContentIndex(repo, { threads: 0 });
    expect([ok, wrongRecords.length]).toEqual([false, 151]);
    const careful = newRepo('careful', to);
    await pullLocal(careful, source, { untrusted: true });
    expect(await checkContentIndex(careful, { threads: 0 })).toMatchObject({ ok: true, unindexedObjects: 0 });
  });
});

asRoot('contents are hashed where the source has no index', async () => {
  const source = newRepo('source', 'archive');
  ostreeCommit(source.path, tree);
  const repo = newRepo('to', 'bare');
  await pullLocal(repo, source, {});
  expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({ ok: true, unindexedObjects: 0, recordCount: 151 });
});

asRoot('a damaged object is refused though its digest is known', async () => {
  const source = await makeSource('bare');
  const large = [...listObjects(source)].find(({ checksum, type }) => {
    const path = join(source.path, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.file`);
    return type === 'file' && fs.lstatSync(path).size === LARGE_BYTES;
  });
  const path = join(source.path, 'objects', `${large?.checksum.slice(0, 2)}`, `${large?.checksum.slice(2)}.file`);
  fs.writeFileSync(path, noise(LARGE_BYTES, 'other'));
  await expect(pullLocal(newRepo('to', 'archive'), source, {})).rejects.toMatchObject({ code: 'object-corrupt' });
});
