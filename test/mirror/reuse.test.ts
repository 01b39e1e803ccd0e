/** The mirror's content index: metadata of a whole tree changes, and no content is downloaded; nginx's log is the witness. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Progress } from '../../src/core/index.ts';
import { pull, pullLocal } from '../../src/remote/index.ts';
import { fsck, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { clientOf, serveTree, type TreeMirror } from '../helpers/tree-mirror.ts';
import { noise } from '../helpers/trees.ts';

const withTools = requireTool('ostree', 'nginx', 'setfattr') && requireRoot() ? it : it.skip;

let dir: string;
let mirror: Repo;
let nginx: Nginx;
let publish: TreeMirror['publish'];

beforeEach(async () => {
  dir = scratchDir();
  const tree = join(dir, 'tree');
  for (let i = 0; i < 10; i++) fs.mkdirSync(join(tree, `dir-${i}`), { recursive: true });
  for (let i = 0; i < 300; i++) fs.writeFileSync(join(tree, `dir-${i % 10}/file-${i}`), noise(100 + i * 11, `file ${i}`));
  fs.writeFileSync(join(tree, 'large'), noise(2_500_000, 'large'));
  fs.symlinkSync('large', join(tree, 'link'));
  ({ mirror, nginx, publish } = await serveTree(dir));
});

afterEach(() => nginx.stop());

function client(mode: string, { name = 'client', url = nginx.url } = {}): Repo {
  return clientOf(url, join(dir, `${name}-${mode}`), mode);
}

/** Requests for content: of objects, and of runs of them in packs. */
const contentRequests = (server = nginx): string[] =>
  server
    .requests()
    .filter(({ path, range }) => path.endsWith('.filez') || (path.endsWith('.pack') && range?.[0] !== 0))
    .map(({ path }) => path);

const changes: [string, () => string][] = [
  ['chmod', () => runOk('chmod', ['-R', 'o-rwx,g+w', join(dir, 'tree')])],
  ['chown', () => runOk('chown', ['-R', '-h', '1234:4321', join(dir, 'tree')])],
  [
    'setfattr',
    () => runOk('find', [join(dir, 'tree'), '-type', 'f', '-exec', 'setfattr', '-n', 'user.label', '-v', 'x', '{}', '+']),
  ],
];

describe.each(['bare', 'bare-user', 'archive'])('into %s', (mode) => {
  withTools.each(changes)('%s of the whole tree downloads no content', async (_, change) => {
    const repo = client(mode);
    await pull(repo, 'm', { refs: ['main'] });
    expect(contentRequests().length).toBeGreaterThanOrEqual(2);
    change();
    await publish(2000n);
    nginx.forget();
    const progress: Progress[] = [];
    const report = await pull(repo, 'm', { refs: ['main'], onProgress: (each) => progress.push(each) });
    expect(contentRequests()).toEqual([]);
    expect(report.bytesSaved).toBeGreaterThan(2_500_000);
    expect(progress.at(-1)).toMatchObject({
      phase: 'Reusing content',
      savedBytes: { byIndex: report.bytesSaved, byDeltas: 0 },
    });
    expect(report.contentFetched).toBe(0);
    expect(report.contentReused).toBeGreaterThanOrEqual(301);
    expect(resolveRev(repo, 'm:main')).toBe(resolveRev(mirror, 'main'));
    expect(ostreeFsck(repo.path)).toBe('');
    expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  });
});

withTools('a few changed objects cost a few kilobytes of the index', async () => {
  const repo = client('bare-user');
  await pull(repo, 'm', { refs: ['main'] });
  fs.chmodSync(join(dir, 'tree/dir-1/file-1'), 0o600);
  await publish(2000n);
  nginx.forget();
  await pull(repo, 'm', { refs: ['main'] });
  expect(contentRequests()).toEqual([]);
  const index = nginx.requests().filter(({ path }) => path.endsWith('.idx'));
  expect(index.map(({ status }) => status)).toEqual(index.map(() => 206));
  expect(index.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)).toBeLessThan(4096);
});

withTools('a wrong index costs a download, never a wrong object', async () => {
  const repo = client('bare-user');
  await pull(repo, 'm', { refs: ['main'] });
  runOk('chmod', ['-R', 'o-rwx', join(dir, 'tree')]);
  await publish(2000n);
  const folder = join(mirror.path, 'extensions/hacktree/mirror-index');
  for (const name of fs.readdirSync(folder).filter((found) => found.endsWith('.idx'))) {
    const bytes = fs.readFileSync(join(folder, name));
    for (let at = 1100; at < bytes.length; at += 50) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
    fs.writeFileSync(join(folder, name), bytes);
  }
  const report = await pull(repo, 'm', { refs: ['main'] });
  expect(report.contentFetched).toBeGreaterThan(0);
  expect(resolveRev(repo, 'm:main')).toBe(resolveRev(mirror, 'main'));
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
});

withTools('what was linked from another repository here is not downloaded either', async () => {
  const first = client('bare', { name: 'first' });
  await pull(first, 'm', { refs: ['main'] });
  const second = client('bare', { name: 'second' });
  await pullLocal(second, first, { refs: [resolveRev(first, 'm:main')] });
  const file = fs
    .readdirSync(second.objectsPath, { recursive: true })
    .map(String)
    .find((name) => name.endsWith('.file'));
  expect(fs.lstatSync(join(second.objectsPath, file ?? '')).nlink).toBeGreaterThan(1);
  runOk('chown', ['-R', '-h', '1234:4321', join(dir, 'tree')]);
  await publish(2000n);
  nginx.forget();
  expect(await pull(second, 'm', { refs: ['main'] })).toMatchObject({ contentFetched: 0 });
  expect(contentRequests()).toEqual([]);
  expect((await fsck(second, { threads: 0 })).findings).toEqual([]);
});

describe('a mirror of a mirror', () => {
  const indexOf = ({ path }: Repo): string => join(path, 'extensions/hacktree/mirror-index/current');

  withTools('spares its own clients the content that they have', async () => {
    const copy = client('archive', { name: 'copy' });
    await pull(copy, 'm', { mirror: true });
    const server = await startNginx(copy.path, join(dir, 'nginx-of-copy'));
    try {
      const repo = client('bare-user', { url: server.url });
      await pull(repo, 'm', { refs: ['main'] });
      runOk('chmod', ['-R', 'o-rwx', join(dir, 'tree')]);
      await publish(2000n);
      const { mirrorIndex } = await pull(copy, 'm', { mirror: true });
      expect(mirrorIndex).toMatchObject({ hashedCount: 0 });
      server.forget();
      expect(await pull(repo, 'm', { refs: ['main'] })).toMatchObject({ contentFetched: 0 });
      expect(contentRequests(server)).toEqual([]);
      expect(resolveRev(repo, 'm:main')).toBe(resolveRev(mirror, 'main'));
    } finally {
      await server.stop();
    }
  });

  withTools('has an index where the source has one, or where it is asked for', async () => {
    const copy = client('archive');
    await pull(copy, 'm', { mirror: true, contentIndex: false });
    expect(fs.existsSync(indexOf(copy))).toBe(false);
    fs.rmSync(indexOf(mirror));
    expect((await pull(copy, 'm', { mirror: true })).mirrorIndex).toBeUndefined();
    expect((await pull(copy, 'm', { mirror: true, contentIndex: true })).mirrorIndex?.recordCount).toBeGreaterThan(301);
    expect(fs.existsSync(indexOf(copy))).toBe(true);
  });

  withTools('is not promised where there can be none', async () => {
    const asked = { mirror: true, contentIndex: true, refs: ['main'] };
    await expect(pull(client('bare-user'), 'm', asked)).rejects.toMatchObject({ code: 'repo-mode' });
    await expect(pull(client('archive'), 'm', { ...asked, mirror: false })).rejects.toMatchObject({ code: 'repo-mode' });
  });
});
