/** prune beyond what ostree knows: the content index follows, hard links are told apart, locks and interruption hold. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import {
  initRepo,
  listCommits,
  lockRepo,
  objectPath,
  openContentIndex,
  openRepo,
  prune,
  type Repo,
  readIndexStats,
  rebuildContentIndex,
  writeRef,
} from '../../../src/repo/index.ts';
import { putCommit, putDirmeta, putDirtree, putFiles } from '../../helpers/craft.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const newRepo = (mode = 'archive'): Repo => initRepo(join(scratchDir(), 'repo'), { mode });

/** Two files, one used by a ref, the other by a commit of no ref. */
async function makeRepo(mode?: string): Promise<{ repo: Repo; kept: Checksum; lost: Checksum }> {
  const repo = newRepo(mode);
  const [kept, lost] = (await putFiles(repo, ['kept', 'lost '.repeat(2000)])) as [Checksum, Checksum];
  writeRef(repo, { ref: 'main' }, putCommit(repo, putDirtree(repo, { files: [{ name: 'f', checksum: kept }] })));
  putCommit(repo, putDirtree(repo, { files: [{ name: 'g', checksum: lost }] }));
  await rebuildContentIndex(repo, { threads: 0 });
  return { repo, kept, lost };
}

describe('prune', () => {
  it('drops the records of what it removes from the content index', async () => {
    const { repo, kept, lost } = await makeRepo();
    expect(readIndexStats(repo).recordCount).toBe(2);
    await prune(repo, { refsOnly: true, dryRun: true });
    expect(readIndexStats(repo).recordCount).toBe(2);
    await prune(repo, { refsOnly: true });
    const index = openContentIndex(repo);
    expect([
      index.recordCount,
      fs.existsSync(objectPath(repo, kept, 'file')),
      fs.existsSync(objectPath(repo, lost, 'file')),
    ]).toEqual([1, true, false]);
    index.close();
  });

  it('tells space that is freed from space that checkouts hold', async () => {
    const { repo, lost } = await makeRepo('bare');
    const alone = await prune(repo, { refsOnly: true, dryRun: true });
    fs.linkSync(objectPath(repo, lost, 'file'), join(scratchDir(), 'checkout'));
    const held = await prune(repo, { refsOnly: true, dryRun: true });
    const blocks = fs.statSync(objectPath(repo, lost, 'file')).blocks * 512;
    expect([alone.heldDiskBytes, held.heldDiskBytes]).toEqual([0, blocks]);
    expect(alone.freedDiskBytes - held.freedDiskBytes).toBe(blocks);
    expect(held.prunedBytes).toBe(alone.prunedBytes);
  });

  it('names every object that goes', async () => {
    const { repo, lost } = await makeRepo();
    const named: string[] = [];
    const report = await prune(repo, {
      refsOnly: true,
      dryRun: true,
      onObject: ({ checksum, type }) => named.push(`${checksum}.${type}`),
    });
    expect(named.length).toBe(report.prunedCount);
    expect(named).toContain(`${lost}.file`);
  });

  it('waits for transactions, and says so when it has waited long enough', async () => {
    const { repo } = await makeRepo();
    fs.appendFileSync(join(repo.path, 'config'), 'lock-timeout-secs=0\n');
    const impatient = openRepo(repo.path);
    const lock = await lockRepo(repo, 'shared');
    await expect(prune(impatient, { refsOnly: true })).rejects.toMatchObject({ code: 'repo-locked' });
    expect((await prune(impatient, { refsOnly: true, dryRun: true })).prunedCount).toBe(3);
    lock.release();
    expect((await prune(impatient, { refsOnly: true })).prunedCount).toBe(3);
  });

  it('removes nothing when a ref cannot be read', async () => {
    const { repo } = await makeRepo();
    fs.writeFileSync(join(repo.path, 'refs/heads/broken'), 'rubbish\n');
    await expect(prune(repo, { refsOnly: true })).rejects.toMatchObject({ code: 'object-corrupt' });
    expect(listCommits(repo).length).toBe(2);
  });

  it('removes nothing when told to stop at once', async () => {
    const { repo } = await makeRepo();
    await expect(prune(repo, { refsOnly: true, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
    expect(listCommits(repo).length).toBe(2);
  });

  it('leaves alone what is no object', async () => {
    const { repo } = await makeRepo();
    const dir = join(repo.path, 'objects', 'ab');
    fs.mkdirSync(dir, { recursive: true });
    for (const name of ['README', `${'c'.repeat(62)}.file`, `${'C'.repeat(62)}.filez`]) fs.writeFileSync(join(dir, name), '');
    await prune(repo, { refsOnly: true });
    expect(fs.readdirSync(dir).length).toBe(3);
  });

  it('keeps what a whole commit needs, whatever partial ones lack', async () => {
    const repo = newRepo();
    const [file] = (await putFiles(repo, ['needed'])) as [Checksum];
    const meta = putDirmeta(repo);
    const inner = putDirtree(repo, { files: [{ name: 'f', checksum: file }] });
    const root = putDirtree(repo, { dirs: [{ name: 'd', tree: inner, meta }] });
    const partial = putCommit(repo, root, meta);
    fs.writeFileSync(join(repo.path, 'state', `${partial}.commitpartial`), '');
    fs.rmSync(objectPath(repo, inner, 'dirtree'));
    await prune(repo, {});
    expect(fs.existsSync(objectPath(repo, root, 'dirtree'))).toBe(true);
    const whole = putCommit(repo, root, putDirmeta(repo, 0o700));
    expect(whole).not.toBe(partial);
    await expect(prune(repo, {})).rejects.toMatchObject({ code: 'object-missing' });
  });
});
