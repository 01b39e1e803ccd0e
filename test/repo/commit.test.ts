/** What commit promises beyond ostree: the stat cache, links, drift of ids, and that nothing is dropped in silence. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../src/core/index.ts';
import {
  type CommitOptions,
  type CommitReport,
  commit,
  initRepo,
  listObjects,
  listTreeDir,
  loadCommit,
  loadFile,
  lookupPath,
  type Repo,
  readContent,
  resolveRev,
} from '../../src/repo/index.ts';
import { setXattr } from '../../src/sys/index.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const asRoot = requireRoot() ? it : it.skip;
const withTools = requireTool('mkfifo', 'setpriv') && requireRoot() ? it : it.skip;

let dir: string;
let tree: string;
let repo: Repo;

/** Old enough for the stat cache to trust it: ctime cannot be set, so the clock of the cache is what tests wait for. */
function settle(): void {
  const end = Date.now() + 2100;
  while (Date.now() < end) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}

beforeEach(() => {
  dir = scratchDir();
  tree = join(dir, 'tree');
  repo = initRepo(join(dir, 'repo'), { mode: 'bare' });
  fs.mkdirSync(join(tree, 'etc'), { recursive: true });
  fs.mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  fs.writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:\n');
  fs.writeFileSync(join(tree, 'usr/bin/a'), 'aaaa');
  fs.writeFileSync(join(tree, 'usr/bin/b'), 'bbbb');
  fs.symlinkSync('a', join(tree, 'usr/bin/link'));
});

const run = (options: Partial<CommitOptions> = {}): Promise<CommitReport> =>
  commit(repo, { branch: 'main', timestampSec: 1n, trees: [{ kind: 'dir', path: tree }], ...options });

const rootOf = (checksum: Checksum): string => loadCommit(repo, checksum).rootTree;
const contentOf = (path: string): string => {
  const node = lookupPath(repo, resolveRev(repo, 'main'), path);
  return node.kind === 'file' ? readContent(loadFile(repo, node.checksum)).toString() : 'directory';
};

/** What a commit without any cache makes of the same tree. */
async function fresh(): Promise<string> {
  const other = initRepo(join(dir, `fresh-${fs.readdirSync(dir).length}`), { mode: 'bare' });
  const { commit: checksum } = await commit(other, { branch: 'main', timestampSec: 1n, trees: [{ kind: 'dir', path: tree }] });
  return loadCommit(other, checksum).rootTree;
}

describe('the stat cache', () => {
  it('takes an unchanged tree without reading, once it is old enough to be trusted', async () => {
    settle();
    const first = await run();
    const second = await run();
    expect(second.contentCacheHits).toBe(4);
    expect(rootOf(second.commit)).toBe(rootOf(first.commit));
  });

  it('does not trust what changed shortly before the scan', async () => {
    await run();
    expect((await run()).contentCacheHits).toBe(0);
  });

  const changes: [string, () => void][] = [
    [
      'same size and restored mtime',
      () => {
        const { atime, mtime } = fs.statSync(join(tree, 'usr/bin/a'));
        fs.writeFileSync(join(tree, 'usr/bin/a'), 'AAAA');
        fs.utimesSync(join(tree, 'usr/bin/a'), atime, mtime);
      },
    ],
    ['mode of a file', () => fs.chmodSync(join(tree, 'usr/bin/b'), 0o700)],
    ['mode of a directory', () => fs.chmodSync(join(tree, 'usr/bin'), 0o700)],
    ['xattr of a file', () => setXattr(join(tree, 'usr/bin/b'), 'user.x', Buffer.from('1'))],
    ['xattr of a directory', () => setXattr(join(tree, 'etc'), 'user.x', Buffer.from('1'))],
    ['new file', () => fs.writeFileSync(join(tree, 'usr/bin/c'), 'c')],
    ['removed file', () => fs.rmSync(join(tree, 'usr/bin/a'))],
    ['renamed file', () => fs.renameSync(join(tree, 'usr/bin/a'), join(tree, 'usr/bin/z'))],
    [
      'two files swapped',
      () => {
        fs.renameSync(join(tree, 'usr/bin/a'), join(tree, 'usr/bin/t'));
        fs.renameSync(join(tree, 'usr/bin/b'), join(tree, 'usr/bin/a'));
        fs.renameSync(join(tree, 'usr/bin/t'), join(tree, 'usr/bin/b'));
      },
    ],
    [
      'symlink target',
      () => {
        fs.rmSync(join(tree, 'usr/bin/link'));
        fs.symlinkSync('b', join(tree, 'usr/bin/link'));
      },
    ],
    [
      'file becomes a directory',
      () => {
        fs.rmSync(join(tree, 'usr/bin/a'));
        fs.mkdirSync(join(tree, 'usr/bin/a'));
      },
    ],
    [
      'directory becomes a file',
      () => {
        fs.rmSync(join(tree, 'etc'), { recursive: true });
        fs.writeFileSync(join(tree, 'etc'), '');
      },
    ],
    ['moved directory', () => fs.renameSync(join(tree, 'usr/bin'), join(tree, 'usr/sbin'))],
  ];
  it('sees every kind of change', async () => {
    const trees = changes.map(([name], i) => {
      const path = join(dir, `tree-${i}`);
      fs.mkdirSync(join(path, 'etc'), { recursive: true });
      fs.mkdirSync(join(path, 'usr/bin'), { recursive: true });
      for (const file of ['etc/passwd', 'usr/bin/a', 'usr/bin/b'])
        fs.writeFileSync(join(path, file), `${file} ${name}`.slice(-8));
      fs.symlinkSync('a', join(path, 'usr/bin/link'));
      return path;
    });
    settle();
    for (const [i, [name, change]] of changes.entries()) {
      tree = trees[i] ?? '';
      await run();
      change();
      expect([name, rootOf((await run()).commit)]).toEqual([name, await fresh()]);
    }
  });

  it('is not believed when its commit is gone, and objects are made again', async () => {
    settle();
    const first = await run();
    const node = lookupPath(repo, first.commit, '/usr/bin/a');
    if (node.kind !== 'file') throw new Error('not a file');
    fs.rmSync(join(repo.path, 'refs/heads/main'));
    fs.rmSync(join(repo.path, 'objects', first.commit.slice(0, 2), `${first.commit.slice(2)}.commit`));
    fs.rmSync(join(repo.path, 'objects', node.checksum.slice(0, 2), `${node.checksum.slice(2)}.file`));
    const second = await run();
    expect(rootOf(second.commit)).toBe(await fresh());
    expect(contentOf('/usr/bin/a')).toBe('aaaa');
  });

  it('that is damaged counts as none', async () => {
    settle();
    await run();
    const cacheDir = join(repo.path, 'extensions/hacktree/stat-cache');
    const file = join(cacheDir, fs.readdirSync(cacheDir)[0] ?? '');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    expect((await run()).contentCacheHits).toBe(0);
    fs.truncateSync(file, 10);
    expect((await run()).contentCacheHits).toBe(0);
  });

  it('is kept apart for other modifiers', async () => {
    settle();
    await run();
    const other = await run({ ownerUid: 5 });
    expect(other.contentCacheHits).toBe(0);
  });
});

describe('what cannot be stored', () => {
  withTools('a FIFO is an error that names it, unless specials are to be skipped', async () => {
    runOk('mkfifo', [join(tree, 'usr/pipe')]);
    await expect(run()).rejects.toMatchObject({ code: 'special-file', message: expect.stringContaining('usr/pipe') });
    expect([...listObjects(repo)]).toEqual([]);
    const report = await run({ skipSpecial: true });
    expect(report.skippedSpecials).toEqual(['/usr/pipe']);
  });

  it('a name that is not UTF-8 is an error that shows it', async () => {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${tree}/usr/x`), Buffer.from([0xff])]), '');
    await expect(run()).rejects.toMatchObject({ code: 'name-invalid', message: expect.stringContaining('x\\xff') });
    expect([...listObjects(repo)]).toEqual([]);
  });

  it('a symlink target that is not UTF-8 is an error', async () => {
    fs.symlinkSync(Buffer.from([0x61, 0xff]), join(tree, 'usr/l'));
    await expect(run()).rejects.toMatchObject({ code: 'name-invalid', message: expect.stringContaining('usr/l') });
  });

  it('a missing tree is an error', async () => {
    await expect(run({ trees: [{ kind: 'dir', path: join(dir, 'none') }] })).rejects.toMatchObject({ code: 'path-not-found' });
  });
});

describe('uid and gid drift', () => {
  it('is reported, refused when strict, and silent for new names', async () => {
    await run();
    fs.writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nbob:x:1000:1000::/:\neve:x:1001:1001::/:\n');
    await expect(run({ strictIds: true })).rejects.toMatchObject({ code: 'id-drift' });
    const { idDrift } = await run();
    expect(idDrift).toEqual([{ kind: 'uid', id: 1000, parentName: 'alice', name: 'bob' }]);
  });

  asRoot('can be mapped away', async () => {
    fs.chownSync(join(tree, 'usr/bin/a'), 1000, 50);
    const { commit: checksum } = await run({ idMap: { uids: new Map([[1000, 1002]]), gids: new Map([[50, 51]]) } });
    const node = lookupPath(repo, checksum, '/usr/bin/a');
    if (node.kind !== 'file') throw new Error('not a file');
    expect(loadFile(repo, node.checksum).header).toMatchObject({ uid: 1002, gid: 51 });
  });
});

describe('links and consuming', () => {
  it('--link adopts files instead of copying them', async () => {
    const { commit: linked } = await run({ link: true });
    const node = lookupPath(repo, linked, '/usr/bin/a');
    if (node.kind !== 'file') throw new Error('not a file');
    expect(fs.statSync(loadFile(repo, node.checksum).path).ino).toBe(fs.statSync(join(tree, 'usr/bin/a')).ino);
    expect(rootOf(linked)).toBe(await fresh());
  });

  it('-I takes hard links of objects unread', async () => {
    await run({ link: true });
    const again = await run({ devinoCanonical: true, statCache: false });
    expect(again.contentCacheHits).toBeGreaterThanOrEqual(3);
    expect(rootOf(again.commit)).toBe(await fresh());
  });

  it('--consume removes the tree, and only after a commit', async () => {
    await expect(run({ consume: true, strictIds: true, skipList: new Set(['/none']) })).rejects.toThrow();
    expect(fs.existsSync(tree)).toBe(true);
    await run({ consume: true });
    expect(fs.existsSync(tree)).toBe(false);
    expect(contentOf('/usr/bin/b')).toBe('bbbb');
  });
});

describe('other ways to end', () => {
  it('an unchanged tree makes no commit when asked', async () => {
    const first = await run({ subject: 'one' });
    const second = await run({ subject: 'two', skipIfUnchanged: true });
    expect(second).toMatchObject({ isUnchanged: true, commit: first.commit });
  });

  it('a signal stops it; refs stay and the next commit goes on', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(run({ signal: controller.signal })).rejects.toMatchObject({ code: 'interrupted' });
    expect(fs.existsSync(join(repo.path, 'refs/heads/main'))).toBe(false);
    await run();
    expect(
      listTreeDir(repo, {
        kind: 'dir',
        path: '/',
        name: '',
        tree: rootOf(resolveRev(repo, 'main')) as Checksum,
        meta: '' as Checksum,
      }).length,
    ).toBe(2);
  });

  it('a full disk by the rule of the repository says what is needed', async () => {
    repo.config.keyFile.set('core', 'min-free-space-size', '900000TB');
    fs.writeFileSync(join(repo.path, 'config'), repo.config.keyFile.print());
    const full = initRepo(repo.path);
    await expect(commit(full, { branch: 'main', trees: [{ kind: 'dir', path: tree }] })).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining('would be exceeded, at least 4.1 kB requested'),
    });
  });
});
