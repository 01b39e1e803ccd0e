/** Rebuilding, checking and asking the content index of real objects, in every mode. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum, ContentDigest } from '../../../../src/core/index.ts';
import { contentIndexDir } from '../../../../src/repo/content-index/layout.ts';
import {
  addToContentIndex,
  beginTransaction,
  ContentRecords,
  checkContentIndex,
  digestOfPath,
  findContent,
  initRepo,
  objectPath,
  openContentIndex,
  type Repo,
  type RepoMode,
  readIndexStats,
  rebuildContentIndex,
  writeRef,
} from '../../../../src/repo/index.ts';

import { putCommit, putDirtree, putFiles } from '../../../helpers/craft.ts';
import { scratchDir } from '../../../helpers/scratch.ts';

const MODES: readonly RepoMode[] = ['bare', 'archive', 'bare-user', 'bare-user-only'];
const newRepo = (mode: RepoMode = 'archive'): Repo => initRepo(join(scratchDir(), 'repo'), { mode });
const digestOf = (content: string): ContentDigest => createHash('sha256').update(content).digest('hex') as ContentDigest;
const LARGE = 'large'.repeat(400_000);

/** The same contents under two modes, an empty and a large file, and a symlink. */
async function putSome(repo: Repo): Promise<Checksum[]> {
  const transaction = await beginTransaction(repo, { fsync: false });
  const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, xattrs: [] };
  const write = (mode: number, content: string, target = ''): Checksum =>
    transaction.writer.writeBuffer({ ...owner, mode, target }, Buffer.from(content)).checksum;
  const plain = write(0o100644, 'shared');
  const runnable = write(0o100755, 'shared');
  const empty = write(0o100644, '');
  const large = write(0o100644, LARGE);
  const link = write(0o120777, '', 'somewhere');
  await transaction.commit();
  return [plain, runnable, empty, large, link];
}

function find(repo: Repo, content: string): Checksum[] {
  const index = openContentIndex(repo);
  try {
    return index.find(digestOf(content));
  } finally {
    index.close();
  }
}

describe('rebuild', () => {
  it.each(MODES)('indexes every regular file object by its content: %s', async (mode) => {
    const repo = newRepo(mode);
    const [plain, runnable, empty, large] = (await putSome(repo)) as [Checksum, Checksum, Checksum, Checksum];
    expect(await rebuildContentIndex(repo, { threads: 1 })).toEqual({
      recordCount: 4,
      objectCount: 5,
      unreadableCount: 0,
      bytes: 12 + LARGE.length,
    });
    expect([find(repo, 'shared'), find(repo, ''), find(repo, LARGE), find(repo, 'else')]).toEqual([
      [plain, runnable].sort(),
      [empty],
      [large],
      [],
    ]);
    expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({ ok: true, staleRecords: 0, unindexedObjects: 0 });
  });

  it('takes the place of all segments, damaged ones too, and of wrong records', async () => {
    const repo = newRepo();
    const [plain] = (await putSome(repo)) as [Checksum];
    const dir = contentIndexDir(repo.path);
    const wrong = new ContentRecords();
    wrong.add(digestOf('something else'), plain);
    addToContentIndex(repo, wrong.bytes);
    fs.writeFileSync(join(dir, 'segment-0000000000000000'), 'rubbish');
    fs.writeFileSync(join(dir, 'segment-1111111111111111.damaged'), 'rubbish');
    await rebuildContentIndex(repo, { threads: 0 });
    expect(fs.readdirSync(dir).filter((name) => name.startsWith('segment')).length).toBe(1);
    expect(find(repo, 'something else')).toEqual([]);
  });

  it('leaves damaged objects out and counts them', async () => {
    const repo = newRepo();
    const [plain, runnable] = (await putSome(repo)) as [Checksum, Checksum];
    fs.writeFileSync(objectPath(repo, plain, 'file'), 'rubbish');
    expect(await rebuildContentIndex(repo, { threads: 0 })).toMatchObject({ recordCount: 3, unreadableCount: 1 });
    expect(find(repo, 'shared')).toEqual([runnable]);
  });

  it('makes an empty index of an empty repository', async () => {
    const repo = newRepo();
    expect(await rebuildContentIndex(repo, { threads: 0 })).toMatchObject({ recordCount: 0, objectCount: 0 });
    expect(readIndexStats(repo)).toMatchObject({ segmentCount: 0, recordCount: 0 });
  });

  it('stops when told to', async () => {
    const repo = newRepo();
    await putFiles(
      repo,
      Array.from({ length: 200 }, (_, i) => String(i)),
    );
    await expect(rebuildContentIndex(repo, { threads: 0, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});

describe('check', () => {
  it('names wrong records and damaged segments, counts stale records and unindexed objects', async () => {
    const repo = newRepo();
    const [plain, runnable, empty] = (await putSome(repo)) as [Checksum, Checksum, Checksum];
    const records = new ContentRecords();
    records.add(digestOf('shared'), plain);
    records.add(digestOf('not this'), runnable);
    records.add(digestOf(''), empty);
    records.add(digestOf('gone'), 'ab'.repeat(32) as Checksum);
    addToContentIndex(repo, records.bytes);
    const dir = contentIndexDir(repo.path);
    fs.writeFileSync(join(dir, 'segment-0000000000000000'), 'rubbish');
    expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({
      ok: false,
      segmentCount: 1,
      recordCount: 4,
      contentCount: 4,
      damagedSegments: ['segment-0000000000000000'],
      wrongRecords: [{ object: runnable, digest: digestOf('not this'), actual: digestOf('shared') }],
      staleRecords: 1,
      unindexedObjects: 2,
    });
  });

  it('finds a flipped bit', async () => {
    const repo = newRepo();
    await putSome(repo);
    await rebuildContentIndex(repo, { threads: 0 });
    const dir = contentIndexDir(repo.path);
    const name = fs.readdirSync(dir).find((entry) => entry.startsWith('segment')) as string;
    const bytes = fs.readFileSync(join(dir, name));
    bytes[50] = (bytes[50] as number) ^ 4;
    fs.writeFileSync(join(dir, name), bytes);
    expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({
      ok: false,
      damagedSegments: [name],
      recordCount: 0,
      unindexedObjects: 4,
    });
  });
});

describe('find', () => {
  it('lists objects, commits and paths that hold a content', async () => {
    const repo = newRepo();
    const [plain, runnable] = (await putSome(repo)) as [Checksum, Checksum];
    await rebuildContentIndex(repo, { threads: 0 });
    const commit = putCommit(repo, putDirtree(repo, { files: [{ name: 'a', checksum: plain }] }));
    writeRef(repo, { ref: 'main' }, commit);
    const file = join(scratchDir(), 'file');
    fs.writeFileSync(file, 'shared');
    const places = await findContent(repo, digestOfPath(file));
    expect(
      places.map(({ object, commits, paths, sizeBytes, header }) => [object, commits, paths, sizeBytes, header.mode]),
    ).toEqual(
      [
        [plain, [commit], ['/a'], 6, 0o100644],
        [runnable, [], [], 6, 0o100755],
      ].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    );
    fs.rmSync(objectPath(repo, plain, 'file'));
    expect((await findContent(repo, digestOf('shared'))).map(({ object }) => object)).toEqual([runnable]);
    expect(await findContent(repo, digestOf('unknown'))).toEqual([]);
  });
});
