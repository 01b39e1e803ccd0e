/** A fresh destination appears complete or not at all; an existing one never holds half a file under a name. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout } from '../../src/checkout/index.ts';
import type { Checksum } from '../../src/core/index.ts';
import { initRepo, type Repo } from '../../src/repo/index.ts';
import { closeFd, openDirAt, tryLockExclusive } from '../../src/sys/index.ts';
import { listCheckout } from '../helpers/checkouts.ts';
import { putCommit, putDirmeta, putDirtree, putFiles } from '../helpers/craft.ts';
import { scratchDir } from '../helpers/scratch.ts';

let dir: string;
let repo: Repo;

const name = (i: number): string => `d${String(i).padStart(3, '0')}`;

/** A tree of `count` directories of ten files each. */
async function makeCommit(count: number): Promise<Checksum> {
  const contents = await putFiles(
    repo,
    Array.from({ length: 10 }, (_, i) => `${i}`.repeat(i)),
  );
  const files = contents.map((checksum, i) => ({ name: `f${i}`, checksum }));
  const [tree, meta] = [putDirtree(repo, { files }), putDirmeta(repo)];
  return putCommit(
    repo,
    putDirtree(repo, { files, dirs: Array.from({ length: count }, (_, i) => ({ name: name(i), tree, meta })) }),
  );
}

beforeEach(() => {
  dir = scratchDir();
  repo = initRepo(join(dir, 'repo'));
});

const out = (): string => join(dir, 'out');
const run = (rev: Checksum, options: CheckoutOptions = {}) => checkout(repo, { rev, destination: out(), options });

describe('a fresh destination', () => {
  it('has its name only when all is there', async () => {
    const rev = await makeCommit(200);
    const seen: boolean[] = [];
    const onProgress = (): void => void seen.push(fs.existsSync(out()));
    const result = await checkout(repo, { rev, destination: out(), onProgress });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).not.toContain(true);
    expect(result).toMatchObject({ commit: rev, found: true, files: 2010, dirs: 201, linked: 9 * 201, copiedBytes: 0 });
    expect(fs.readdirSync(out())).toHaveLength(210);
    expect(fs.readdirSync(dir).sort()).toEqual(['out', 'repo']);
  });

  it('is closed to others until then', async () => {
    const rev = await makeCommit(100);
    const modes = new Set<number>();
    const onProgress = (): void => {
      for (const entry of fs.readdirSync(dir)) if (entry.startsWith('.out.')) modes.add(fs.statSync(join(dir, entry)).mode);
    };
    await checkout(repo, { rev, destination: out(), onProgress });
    expect([...modes]).toEqual([0o040700]);
    expect(fs.statSync(out()).mode).toBe(0o040755);
  });

  it.each([1, 2, 3, 8])('is the same made by %d threads', async (threads) => {
    const rev = await makeCommit(150);
    await run(rev, { threads });
    const found = listCheckout(out());
    fs.rmSync(out(), { recursive: true });
    await run(rev, { threads: 1 });
    expect(listCheckout(out())).toEqual(found);
  });

  it.each([1, 2])('leaves nothing when it is interrupted (%d threads)', async (threads) => {
    const rev = await makeCommit(300);
    const controller = new AbortController();
    let reports = 0;
    const onProgress = (): void => {
      if (++reports === 3) controller.abort();
    };
    const request = { rev, destination: out(), onProgress, signal: controller.signal, options: { threads } };
    await expect(checkout(repo, request)).rejects.toMatchObject({ code: 'interrupted' });
    expect(fs.readdirSync(dir)).toEqual(['repo']);
  });

  it('is not begun when it is interrupted before', async () => {
    const rev = await makeCommit(1);
    const request = { rev, destination: out(), signal: AbortSignal.abort() };
    await expect(checkout(repo, request)).rejects.toMatchObject({ code: 'interrupted' });
    expect(fs.readdirSync(dir)).toEqual(['repo']);
  });

  it('is made once by two at a time', async () => {
    const rev = await makeCommit(100);
    const results = await Promise.allSettled([run(rev), run(rev)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const failed = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(failed.reason).toMatchObject({ code: 'checkout-exists' });
    expect(fs.readdirSync(dir).sort()).toEqual(['out', 'repo']);
  });

  it('may be named in any way', async () => {
    const rev = await makeCommit(2);
    for (const destination of [
      `${out()}/`,
      join(dir, 'é'.repeat(127)),
      join(dir, 'x'.repeat(255)),
      join(dir, '-U'),
      join(dir, 'new\nline'),
    ]) {
      await checkout(repo, { rev, destination });
      expect(fs.readdirSync(destination)).toHaveLength(12);
    }
    expect(fs.readdirSync(dir)).toHaveLength(6);
  });

  it.each([
    ['an empty directory', () => fs.mkdirSync(out())],
    ['a file', () => fs.writeFileSync(out(), '')],
    ['a symlink to nothing', () => fs.symlinkSync('nothing', out())],
    ['a symlink to a directory', () => fs.symlinkSync('repo', out())],
  ])('is refused where there is %s', async (_, make) => {
    const rev = await makeCommit(1);
    make();
    await expect(run(rev)).rejects.toMatchObject({ code: 'checkout-exists', message: expect.stringContaining('File exists') });
    expect(fs.readdirSync(dir).sort()).toEqual(['out', 'repo']);
  });

  it('needs a parent', async () => {
    const request = { rev: await makeCommit(1), destination: join(dir, 'no/where') };
    await expect(checkout(repo, request)).rejects.toMatchObject({ code: 'path-not-found' });
  });

  it('falls back to its own thread for what only this process knows of', async () => {
    const rev = await makeCommit(100);
    const view = { ...repo, objectsPath: join(dir, 'objects') };
    fs.renameSync(repo.objectsPath, view.objectsPath);
    await checkout(view, { rev, destination: out() });
    expect(fs.readdirSync(out())).toHaveLength(110);
  });
});

describe('leftovers of a killed checkout', () => {
  const leave = (entry: string): string => {
    fs.mkdirSync(join(dir, entry, 'half/of/it'), { recursive: true });
    fs.writeFileSync(join(dir, entry, 'half/of/it/file'), '');
    fs.chmodSync(join(dir, entry, 'half/of'), 0o500);
    return join(dir, entry);
  };

  it('go with the next run', async () => {
    const rev = await makeCommit(1);
    leave('.out.hacktree-01234567');
    leave('.out.hacktree-89abcdef');
    await run(rev);
    expect(fs.readdirSync(dir).sort()).toEqual(['out', 'repo']);
  });

  it('stay as long as somebody works in them', async () => {
    const rev = await makeCommit(1);
    const fd = openDirAt(-1, leave('.out.hacktree-01234567')) as number;
    expect(tryLockExclusive(fd)).toBe(true);
    await run(rev);
    closeFd(fd);
    expect(fs.readdirSync(dir).sort()).toEqual(['.out.hacktree-01234567', 'out', 'repo']);
    expect(fs.readdirSync(join(dir, '.out.hacktree-01234567/half/of/it'))).toEqual(['file']);
  });

  it('are nothing of another name, and no symlinks', async () => {
    const rev = await makeCommit(1);
    const others = ['.other.hacktree-01234567', '.out.hacktree-0123456', '.out.hacktree-012345678', 'out.hacktree-01234567'];
    for (const other of others) leave(other);
    leave('elsewhere');
    fs.symlinkSync('elsewhere', join(dir, '.out.hacktree-01234567'));
    await run(rev);
    expect(fs.readdirSync(dir).sort()).toEqual([...others, '.out.hacktree-01234567', 'elsewhere', 'out', 'repo'].sort());
    expect(fs.readdirSync(join(dir, 'elsewhere/half/of/it'))).toEqual(['file']);
  });

  it('go from an existing destination too', async () => {
    const rev = await makeCommit(1);
    fs.mkdirSync(out());
    leave('out/.hacktree-01234567');
    await run(rev, { union: 'replace' });
    expect(fs.readdirSync(out()).filter((entry) => entry.startsWith('.'))).toEqual([]);
  });
});

describe('an existing destination', () => {
  it('may be a symlink to a directory', async () => {
    const rev = await makeCommit(1);
    fs.mkdirSync(join(dir, 'real'));
    fs.symlinkSync('real', out());
    await run(rev, { union: 'replace' });
    expect(fs.readdirSync(join(dir, 'real'))).toHaveLength(11);
  });

  it('keeps what it has got when an object is missing, without anything half done', async () => {
    const [good] = await putFiles(repo, ['good']);
    const files = [
      { name: 'a', checksum: good as Checksum },
      { name: 'b', checksum: 'ab'.repeat(32) as Checksum },
    ];
    const rev = putCommit(repo, putDirtree(repo, { files }));
    fs.mkdirSync(out());
    await expect(run(rev, { union: 'replace', forceCopy: true })).rejects.toMatchObject({ code: 'object-missing' });
    expect(fs.readdirSync(out())).toEqual(['a']);
    expect(fs.readFileSync(join(out(), 'a'), 'utf8')).toBe('good');
  });

  it('gets no file when it is interrupted before', async () => {
    const rev = await makeCommit(3);
    fs.mkdirSync(out());
    const request = { rev, destination: out(), options: { union: 'add' }, signal: AbortSignal.abort() } as const;
    await expect(checkout(repo, request)).rejects.toMatchObject({ code: 'interrupted' });
    expect(fs.readdirSync(out())).toEqual([]);
  });
});
