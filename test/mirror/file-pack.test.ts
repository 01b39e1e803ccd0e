/** Packs of small files on the mirror: asked for in runs, by who lacks many of them; nginx's log is the witness. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pull, pullLocal, updateSummary } from '../../src/remote/index.ts';
import { commit, fsck, initRepo, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type HostileServer, type Misbehave, startHostileServer } from '../helpers/hostile-server.ts';
import type { Nginx } from '../helpers/nginx.ts';
import { ostree, ostreeFsck } from '../helpers/oracle.ts';
import { hacktree, hacktreeOk, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { clientOf, serveTree, type TreeMirror } from '../helpers/tree-mirror.ts';
import { noise } from '../helpers/trees.ts';

const withTools = requireTool('ostree', 'nginx') ? it : it.skip;
const withMount = requireTool('mount') && requireRoot() ? it : it.skip;
const FILES = 400;
/** Compressed too large for a pack. */
const LARGE_BYTES = 100_000;

let dir: string;
let mirror: Repo;
let nginx: Nginx;
let publish: TreeMirror['publish'];

const fileOf = (i: number): string => join(dir, `tree/dir-${i % 20}/file-${i}`);

beforeEach(async () => {
  dir = scratchDir();
  for (let i = 0; i < 20; i++) fs.mkdirSync(join(dir, `tree/dir-${i}`), { recursive: true });
  for (let i = 0; i < FILES; i++) fs.writeFileSync(fileOf(i), noise(500 + i, `file ${i}`));
  fs.symlinkSync('file-0', join(dir, 'tree/dir-0/link'));
  fs.writeFileSync(join(dir, 'tree/large'), noise(LARGE_BYTES, 'large'));
  ({ mirror, nginx, publish } = await serveTree(dir));
});

afterEach(() => nginx.stop());

let clients = 0;
const client = (mode = 'bare-user', url = nginx.url): Repo => clientOf(url, join(dir, `client-${clients++}`), mode);
const packsDir = (repo = mirror): string => join(repo.path, 'extensions/hacktree/mirror-packs');
const packFiles = (): string[] => fs.readdirSync(packsDir()).filter((name) => name.endsWith('.pack'));
const named = (): string[] =>
  [...fs.readFileSync(join(packsDir(), 'current'), 'utf8').matchAll(/[0-9a-f]{32}\.pack/g)].map(String);
const requested = (pattern: RegExp): string[] =>
  nginx
    .requests()
    .map(({ path }) => path)
    .filter((path) => pattern.test(path));

async function expectComplete(repo: Repo, rev = 'm:main'): Promise<void> {
  expect(resolveRev(repo, rev)).toBe(resolveRev(mirror, 'main'));
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  expect(ostreeFsck(repo.path)).toBe('');
}

describe('who lacks many files', () => {
  withTools.each(['bare', 'bare-user', 'bare-user-only', 'archive'])(
    'asks for runs of them, in a repository of mode %s',
    async (mode) => {
      if (mode === 'bare-user-only') {
        // Its objects have canonical owners.
        await commit(mirror, {
          branch: 'main',
          timestampSec: 1500n,
          canonicalPermissions: true,
          trees: [{ kind: 'dir', path: join(dir, 'tree') }],
        });
        await updateSummary(mirror);
      }
      const repo = client(mode);
      const report = await pull(repo, 'm', { refs: ['main'] });
      expect(report.contentFetched + report.contentReused).toBe(FILES + 2);
      // The large file alone, and what has no neighbour.
      expect(requested(/\.filez$/).length).toBeLessThan(5);
      await expectComplete(repo);
    },
  );

  withTools('is told what ostree tells: the objects, and their bytes', () => {
    const line = /\d+ metadata, \d+ content objects fetched; \d+ KiB transferred/;
    const printed = hacktreeOk(['pull', `--repo=${client().path}`, '--disable-static-deltas', 'm', 'main']);
    const theirs = join(dir, 'theirs');
    ostree(theirs, 'init', '--mode=bare-user');
    ostree(theirs, 'remote', 'add', '--no-gpg-verify', 'm', nginx.url);
    const wanted = line.exec(ostree(theirs, 'pull', '--disable-static-deltas', 'm', 'main'))?.[0] ?? '';
    // A symlink needs no download: the mirror's index has all of it.
    expect(line.exec(printed)?.[0]).toBe(wanted.replace(`${FILES + 2} content`, `${FILES + 1} content`));
  });

  withTools('that lie together on this machine too', async () => {
    const repo = initRepo(join(dir, 'local'), { mode: 'bare-user' });
    for (const file of packFiles()) fs.appendFileSync(join(packsDir(), file), 'x');
    await pullLocal(repo, mirror, { refs: ['main'] });
    await expectComplete(repo, 'main');
    for (const file of packFiles()) fs.truncateSync(join(packsDir(), file), 5000);
    const other = initRepo(join(dir, 'other'), { mode: 'bare-user' });
    await pullLocal(other, mirror, { refs: ['main'] });
    await expectComplete(other, 'main');
  });
});

withTools('who lacks few asks for each', async () => {
  const repo = client();
  await pull(repo, 'm', { refs: ['main'] });
  for (let i = 0; i < 20; i++) fs.writeFileSync(fileOf(i), `changed ${i}\n`);
  await publish(2000n);
  nginx.forget();
  await pull(repo, 'm', { refs: ['main'] });
  expect(requested(/mirror-packs/)).toEqual([]);
  expect(requested(/\.filez$/)).toHaveLength(20);
  await expectComplete(repo);
});

withTools('nothing that is here is downloaded: a run ends where it begins', async () => {
  const repo = client();
  const folders = Array.from({ length: 14 }, (_, i) => `/dir-${i}`);
  await pull(repo, 'm', { refs: ['main'], subpaths: folders.filter((_, i) => i % 5 === 0) });
  const before = new Set(listFiles(repo));
  nginx.forget();
  await pull(repo, 'm', { refs: ['main'] });
  const runs = nginx.requests().filter(({ path, range }) => path.endsWith('.pack') && (range?.[0] ?? 0) > 0);
  expect(runs.length).toBeGreaterThan(1);
  const fetched = runs.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  const lacked = listFiles(mirror).filter((name) => !before.has(name));
  const sizes = lacked.map((name) => fs.statSync(join(mirror.path, 'objects', `${name}.filez`)).size);
  expect(fetched).toBeLessThanOrEqual(sizes.reduce((sum, size) => sum + size, 0));
  await expectComplete(repo);
});

const listFiles = (repo: Repo): string[] =>
  fs
    .readdirSync(join(repo.path, 'objects'), { recursive: true })
    .map(String)
    .filter((name) => /\.filez?$/.test(name))
    .map((name) => name.replace(/\.filez?$/, ''));

describe('packs that cannot be used', () => {
  const onPack = (change: (bytes: Buffer) => Buffer) => (): void => {
    for (const file of packFiles()) {
      const path = join(packsDir(), file);
      const bytes = change(fs.readFileSync(path));
      fs.rmSync(path);
      fs.writeFileSync(path, bytes);
    }
  };
  const onCurrent = (change: (text: string) => string) => (): void => {
    const path = join(packsDir(), 'current');
    fs.writeFileSync(path, change(fs.readFileSync(path, 'utf8')));
  };
  const damages: [string, () => void][] = [
    ['are gone', () => fs.rmSync(packsDir(), { recursive: true })],
    ['have no list', () => fs.rmSync(join(packsDir(), 'current'))],
    ['are named by a page', onCurrent(() => '<html>hello</html>')],
    ['are of a later version', onCurrent((text) => text.replace('packs 1', 'packs 2'))],
    ['have a name that leads elsewhere', onCurrent((text) => text.replace(/[0-9a-f]{32}\.pack/, '../../../config'))],
    ['have another number of objects', onCurrent((text) => text.replace(/\d+\n$/, '300\n'))],
    ['have more objects than bytes', onCurrent((text) => text.replace(/\d+ \d+\n$/, '100 65000\n'))],
    ['are missing', () => void packFiles().map((file) => fs.rmSync(join(packsDir(), file)))],
    ['are empty', onPack(() => Buffer.alloc(0))],
    ['are cut in the table', onPack((bytes) => bytes.subarray(0, 1000))],
    ['are cut in the objects', onPack((bytes) => bytes.subarray(0, bytes.length - 100_000))],
    ['begin otherwise', onPack((bytes) => Buffer.concat([Buffer.from('<html>'), bytes]))],
    [
      'have lengths that do not fit',
      onPack((bytes) => Buffer.concat([bytes.subarray(0, 44), Buffer.alloc(4, 0xff), bytes.subarray(48)])),
    ],
    ['have other bytes in the objects', onPack((bytes) => bytes.fill(0x55, 12 + 36 * bytes.readUInt32LE(8)))],
    ['have the objects of others', onPack((bytes) => swapped(bytes))],
  ];

  /** The first two checksums of the table exchanged. */
  function swapped(bytes: Buffer): Buffer {
    const first = Buffer.from(bytes.subarray(12, 44));
    bytes.copy(bytes, 12, 48, 80);
    first.copy(bytes, 48);
    return bytes;
  }

  withTools.each(damages)('that %s: every file comes all the same', async (_, damage) => {
    damage();
    const repo = client();
    const report = await pull(repo, 'm', { refs: ['main'], network: { backoffMs: 1 } });
    expect(report.contentFetched + report.contentReused).toBe(FILES + 2);
    await expectComplete(repo);
  });
});

describe('servers', () => {
  let server: HostileServer;
  beforeEach(async () => {
    server = await startHostileServer(mirror.path);
  });
  afterEach(() => server.stop());

  const pulled = async (misbehave: Misbehave): Promise<string[]> => {
    server.misbehave = misbehave;
    const repo = client('bare-user', server.url);
    await pull(repo, 'm', { refs: ['main'], threads: 0, network: { backoffMs: 1, retries: 8 } });
    await expectComplete(repo);
    return server.requests;
  };

  withTools('that know no ranges', async () => {
    const requests = await pulled(({ path }, response, file) => {
      if (!path.endsWith('.pack')) return false;
      response.writeHead(200, { 'content-length': file?.length }).end(file);
      return true;
    });
    expect(requests.filter((path) => path.endsWith('.filez'))).toHaveLength(FILES + 1);
  });

  withTools('that send another range', async () => {
    const requests = await pulled(({ path, headers }, response, file) => {
      const start = Number(/^bytes=(\d+)/.exec(headers.range ?? '')?.[1] ?? 0);
      if (!path.endsWith('.pack') || start === 0 || file === undefined) return false;
      response.writeHead(206, { 'content-range': `bytes 0-999/${file.length}`, 'content-length': 1000 });
      response.end(file.subarray(0, 1000));
      return true;
    });
    expect(requests.filter((path) => path.endsWith('.filez'))).toHaveLength(FILES + 1);
  });

  withTools('that break off in the middle: what came is kept, the next attempt goes on from there', async () => {
    const starts: number[] = [];
    const requests = await pulled(({ path, headers }, response, file) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      if (!path.endsWith('.pack') || first === undefined || first === '0' || file === undefined) return false;
      starts.push(Number(first));
      if (starts.length > 5) return false;
      const [start, end] = [Number(first), Number(last) + 1];
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${file.length}`, 'content-length': end - start });
      response.write(file.subarray(start, Math.min(end, start + 30_000)), () => response.destroy());
      return true;
    });
    expect(starts.length).toBeGreaterThan(5);
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
    expect(requests.filter((path) => path.endsWith('.filez')).length).toBeLessThan(5);
  });
});

describe('the mirror', () => {
  const add = (from: number, count: number): void => {
    for (let i = from; i < from + count; i++) fs.writeFileSync(fileOf(i), noise(300, `new ${i}`));
  };

  withTools('leaves few new files out, packs many, and takes small packs into a new one', async () => {
    const [first] = named();
    add(FILES, 10);
    await publish(2000n);
    expect(named()).toEqual([first]);
    add(FILES + 10, 80);
    await publish(3000n);
    expect(named()).toHaveLength(2);
    expect(named()).toContain(first);
    add(FILES + 90, 100);
    await publish(4000n);
    expect(named()).toHaveLength(2);
    const repo = client();
    await pull(repo, 'm', { refs: ['main'] });
    expect(requested(/\.filez$/).length).toBeLessThan(5);
    await expectComplete(repo);
  });

  withTools('drops a pack of which little is named any more, one update later than its name', async () => {
    const [first] = named();
    for (let i = 0; i < FILES; i++) fs.writeFileSync(fileOf(i), noise(400, `other ${i}`));
    await publish(2000n);
    expect(named()).not.toContain(first);
    expect(packFiles()).toContain(first);
    await updateSummary(mirror);
    expect(packFiles()).toEqual(named());
  });

  withTools('is left alone where nothing has changed', async () => {
    const before = fs.statSync(join(packsDir(), 'current')).mtimeMs;
    const names = packFiles();
    await updateSummary(mirror);
    expect(fs.statSync(join(packsDir(), 'current')).mtimeMs).toBe(before);
    expect(packFiles()).toEqual(names);
  });

  withTools('makes a damaged pack again', async () => {
    const [first = ''] = named();
    fs.truncateSync(join(packsDir(), first), 1000);
    await updateSummary(mirror);
    expect(fs.statSync(join(packsDir(), first)).size).toBeGreaterThan(FILES * 500);
  });

  withTools('has none where its configuration says so', async () => {
    hacktreeOk([`--repo=${mirror.path}`, 'config', 'set', 'archive.packs', 'false']);
    hacktreeOk([`--repo=${mirror.path}`, 'summary', '-u']);
    expect(fs.existsSync(packsDir())).toBe(false);
    const repo = client();
    await pull(repo, 'm', { refs: ['main'] });
    expect(requested(/\.filez$/)).toHaveLength(FILES + 1);
    await expectComplete(repo);
  });

  withTools('that is copied has packs of its own', async () => {
    const copy = client('archive');
    await pull(copy, 'm', { refs: ['main'], mirror: true });
    expect(fs.readdirSync(packsDir(copy)).sort()).toEqual(fs.readdirSync(packsDir()).sort());
  });

  withTools('removes what a crash left while it packed', async () => {
    const [first] = named();
    add(FILES, 300);
    await commit(mirror, { branch: 'main', timestampSec: 2000n, trees: [{ kind: 'dir', path: join(dir, 'tree') }] });
    fs.writeFileSync(join(packsDir(), '.tmp-left-by-a-crash'), 'x');
    const { status } = hacktree([`--repo=${mirror.path}`, 'summary', '-u']);
    expect(status).toBe(0);
    expect(fs.readdirSync(packsDir()).filter((name) => name.startsWith('.tmp'))).toEqual([]);
    expect(named()).toContain(first);
    await expectComplete(await pulledClient());
  });

  withMount('keeps its packs on a full disk, and says how to do without', () => {
    const mount = join(dir, 'mount');
    fs.mkdirSync(mount);
    runOk('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mount]);
    try {
      const repo = join(mount, 'repo');
      hacktreeOk([`--repo=${repo}`, 'init', '--mode=archive']);
      hacktreeOk([`--repo=${repo}`, 'config', 'set', 'core.min-free-space-percent', '0']);
      hacktreeOk([`--repo=${repo}`, 'commit', '--branch=main', join(dir, 'tree')]);
      hacktreeOk([`--repo=${repo}`, 'summary', '-u']);
      const before = fs.readFileSync(join(repo, 'extensions/hacktree/mirror-packs/current'), 'utf8');
      add(FILES, 500);
      hacktreeOk([`--repo=${repo}`, 'commit', '--branch=main', join(dir, 'tree')]);
      const { bavail, bsize } = fs.statfsSync(mount);
      fs.writeFileSync(join(mount, 'filling'), Buffer.alloc(bavail * bsize - 120_000, 1));
      const { status, stderr } = hacktree([`--repo=${repo}`, 'summary', '-u']);
      expect(status).toBe(1);
      expect(stderr).toContain('No space left on device');
      expect(stderr).toContain('archive.packs false');
      expect(fs.readFileSync(join(repo, 'extensions/hacktree/mirror-packs/current'), 'utf8')).toBe(before);
      hacktreeOk([`--repo=${repo}`, 'config', 'set', 'archive.packs', 'false']);
      hacktreeOk([`--repo=${repo}`, 'summary', '-u']);
    } finally {
      runOk('umount', [mount]);
    }
  });

  async function pulledClient(): Promise<Repo> {
    const repo = client();
    await pull(repo, 'm', { refs: ['main'] });
    return openRepo(repo.path);
  }
});
