/** All directories of a commit in one file of the mirror: asked for once, by who lacks many; nginx's log is the witness. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pull, updateSummary } from '../../src/remote/index.ts';
import { commit, fsck, type Repo, resolveRev } from '../../src/repo/index.ts';
import type { Nginx } from '../helpers/nginx.ts';
import { ostree, ostreeFsck } from '../helpers/oracle.ts';
import { hacktreeOk, requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { clientOf, serveTree, type TreeMirror } from '../helpers/tree-mirror.ts';

const withTools = requireTool('ostree', 'nginx') ? it : it.skip;
const DIRS = 400;

let dir: string;
let mirror: Repo;
let nginx: Nginx;
let publish: TreeMirror['publish'];

beforeEach(async () => {
  dir = scratchDir();
  for (let i = 0; i < DIRS; i++) {
    const folder = join(dir, `tree/top-${i % 20}/dir-${i}`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(join(folder, 'name'), `directory ${i}\n`);
  }
  ({ mirror, nginx, publish } = await serveTree(dir));
});

afterEach(() => nginx.stop());

const client = (): Repo => clientOf(nginx.url, join(dir, 'client'), 'bare-user');

const packFile = (rev = 'main'): string => join(mirror.path, 'extensions/hacktree/mirror-trees', resolveRev(mirror, rev));
const requested = (pattern: RegExp): string[] =>
  nginx
    .requests()
    .map(({ path }) => path)
    .filter((path) => pattern.test(path));

async function expectComplete(repo: Repo): Promise<void> {
  expect(resolveRev(repo, 'm:main')).toBe(resolveRev(mirror, 'main'));
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  expect(ostreeFsck(repo.path)).toBe('');
}

withTools('a client that has nothing asks for a few directories, then for the pack', async () => {
  const repo = client();
  const report = await pull(repo, 'm', { refs: ['main'] });
  expect(requested(/mirror-trees/)).toHaveLength(1);
  expect(requested(/\.dirtree$/).length).toBeLessThan(DIRS / 2);
  expect(report.contentFetched).toBe(DIRS);
  await expectComplete(repo);
});

withTools('a client that lacks a few directories does not', async () => {
  const repo = client();
  await pull(repo, 'm', { refs: ['main'] });
  fs.writeFileSync(join(dir, 'tree/top-1/dir-1/name'), 'another\n');
  await publish(2000n);
  nginx.forget();
  await pull(repo, 'm', { refs: ['main'] });
  expect(requested(/mirror-trees/)).toEqual([]);
  expect(requested(/\.dirtree$/)).toHaveLength(3);
  await expectComplete(repo);
});

withTools('prints what ostree prints: the objects, and their bytes', () => {
  const ours = client();
  const line = /\d+ metadata, \d+ content objects fetched; \d+ KiB transferred/;
  const printed = hacktreeOk(['pull', `--repo=${ours.path}`, 'm', 'main']);
  const theirs = join(dir, 'theirs');
  ostree(theirs, 'init', '--mode=bare-user');
  ostree(theirs, 'remote', 'add', '--no-gpg-verify', 'm', nginx.url);
  expect(line.exec(printed)?.[0]).toBe(line.exec(ostree(theirs, 'pull', 'm', 'main'))?.[0]);
});

describe('a pack that cannot be used', () => {
  const damages: [string, (bytes: Buffer) => Buffer | undefined][] = [
    ['is missing', () => undefined],
    ['is empty', () => Buffer.alloc(0)],
    ['is cut', (bytes) => bytes.subarray(0, bytes.length - 100)],
    ['begins otherwise', (bytes) => Buffer.concat([Buffer.from('<html>'), bytes])],
    ['has a length beyond its end', (bytes) => Buffer.concat([bytes.subarray(0, 13), Buffer.alloc(4, 0xff), bytes.subarray(17)])],
    ['has other bytes everywhere', (bytes) => Buffer.concat([bytes.subarray(0, 12), flipped(bytes)])],
    ['is of another commit', () => Buffer.from('HTMT\x01\0\0\0\x01\0\0\0\x03\x05\0\0\0other', 'latin1')],
  ];

  function flipped(bytes: Buffer): Buffer {
    let at = 12;
    const copy = Buffer.from(bytes);
    while (at < copy.length) {
      const length = copy.readUInt32LE(at + 1);
      copy[at + 5] = (copy[at + 5] ?? 0) ^ 0x55;
      at += 5 + length;
    }
    return copy.subarray(12);
  }

  withTools.each(damages)('that %s: directories are fetched one by one', async (_, damage) => {
    const bytes = damage(fs.readFileSync(packFile()));
    fs.rmSync(packFile());
    if (bytes !== undefined) fs.writeFileSync(packFile(), bytes);
    const repo = client();
    await pull(repo, 'm', { refs: ['main'] });
    expect(requested(/mirror-trees/)).toHaveLength(1);
    expect(requested(/\.dirtree$/).length).toBeGreaterThanOrEqual(DIRS);
    await expectComplete(repo);
  });
});

withTools('there is a pack for the commit of each ref, and for no other', async () => {
  const first = packFile();
  await commit(mirror, { branch: 'side', timestampSec: 1500n, trees: [{ kind: 'dir', path: join(dir, 'tree') }] });
  fs.writeFileSync(join(dir, 'tree/new'), 'new\n');
  await publish(2000n);
  expect(fs.existsSync(first)).toBe(false);
  expect([packFile(), packFile('side')].map((path) => fs.existsSync(path))).toEqual([true, true]);
  const side = packFile('side');
  hacktreeOk(['refs', `--repo=${mirror.path}`, '--delete', 'side']);
  await updateSummary(mirror);
  expect(fs.existsSync(side)).toBe(false);
});

withTools('a commit that is here in part has none', async () => {
  const copy = clientOf(nginx.url, join(dir, 'copy'), 'archive');
  await pull(copy, 'm', { refs: ['main'], commitMetadataOnly: true, mirror: true, contentIndex: true });
  expect(fs.readdirSync(join(copy.path, 'extensions/hacktree/mirror-trees'))).toEqual([]);
});
