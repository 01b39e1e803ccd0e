/**
 * Content index, prune and fsck under fire: killed at, or failed by, system calls all along. Whatever happens, no commit
 * lacks an object without being marked, the index stays readable and true, and the next run finishes the job.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../src/core/index.ts';
import {
  checkContentIndex,
  commit,
  initRepo,
  listObjects,
  objectPath,
  openContentIndex,
  openRepo,
  type Repo,
  readCommitState,
  readIndexStats,
  rebuildContentIndex,
} from '../../src/repo/index.ts';
import { matchingCalls, runWithFault, spread } from '../helpers/faults.ts';
import { addedRecords, recordsOf, runJob } from '../helpers/integrity-workload.ts';
import { ostree, ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withTools = requireTool('strace', 'ostree') && requireRoot() ? it : it.skip;
const WORKLOAD = join(import.meta.dirname, '../helpers/integrity-workload.js');
const PER_CALL = 3;

interface Ground {
  /** Put back before each fault. */
  readonly pristine: string;
  /** Sound copy of it. */
  readonly sound: string;
  readonly path: string;
}

/** Three commits of `main` that share files and have their own, an index in several segments, a wide set of objects. */
async function prepare(): Promise<Ground> {
  const dir = scratchDir();
  const repo = initRepo(join(dir, 'pristine'), { mode: 'bare' });
  const tree = join(dir, 'tree');
  fs.mkdirSync(join(tree, 'etc'), { recursive: true });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) fs.writeFileSync(join(tree, `file-${i}`), i === 0 ? 'always' : `${round} ${i}`);
    fs.writeFileSync(join(tree, 'etc', `own-${round}`), `own ${round}`);
    await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: tree }], timestampSec: BigInt(1_700_000_000 + round) });
  }
  runOk('cp', ['-a', repo.path, join(dir, 'sound')]);
  return { pristine: repo.path, sound: join(dir, 'sound'), path: join(dir, 'repo') };
}

function reset({ pristine, path }: Ground): void {
  fs.rmSync(path, { recursive: true, force: true });
  runOk('cp', ['-a', pristine, path]);
}

const argvOf = (job: string, { path, sound }: Ground): string[] => [WORKLOAD, job, path, sound];

function names(path: string): string[] {
  return [...listObjects(openRepo(path))].map(({ checksum, type }) => `${checksum}.${type}`).sort();
}

/** Objects of all records that the index answers with, for objects that exist. */
async function requireSoundIndex(repo: Repo): Promise<void> {
  expect(await checkContentIndex(repo, { threads: 0 })).toMatchObject({ wrongRecords: [], damagedSegments: [] });
}

/** Runs the job with one fault after the other; `judge` looks at the repository and finishes the job. */
async function sweep(job: string, ground: Ground, judge: (label: string) => Promise<void>): Promise<void> {
  reset(ground);
  const ended = { killed: 0, failed: 0 };
  for (const { calls, effects } of FAULTS) {
    reset(ground);
    const positions = matchingCalls(argvOf(job, ground), ground.path, calls);
    for (const effect of effects) {
      for (const when of spread(positions, PER_CALL)) {
        reset(ground);
        const { status } = runWithFault(argvOf(job, ground), { calls, effect, when });
        if (status === 137) ended.killed++;
        else if (status !== 0) ended.failed++;
        await judge(`${effect} at ${calls} ${when} of ${job}`);
      }
    }
  }
  expect([ended.killed > 3, ended.failed > 3]).toEqual([true, true]);
}

const FAULTS = [
  { calls: 'rename,renameat2', effects: ['signal=KILL', 'error=EDQUOT'] },
  { calls: 'unlink,unlinkat,rmdir', effects: ['signal=KILL', 'error=EIO'] },
  { calls: 'fsync,syncfs', effects: ['signal=KILL', 'error=EIO'] },
  { calls: 'write', effects: ['signal=KILL', 'error=ENOSPC'] },
];

/** Runs the job without a fault; it must succeed. */
async function finish(job: string, { path, sound }: Ground, label: string): Promise<void> {
  await runJob(job, path, sound).catch((error: unknown) => {
    throw new Error(`after ${label}: ${job} failed`, { cause: error });
  });
}

describe('several processes at once', () => {
  it('add to the content index: nothing is lost, segments stay few', async () => {
    const repo = initRepo(join(scratchDir(), 'repo'));
    const writers = ['a', 'b', 'c', 'd'];
    await Promise.all(writers.map((name) => promisify(execFile)(process.execPath, [WORKLOAD, 'add-many', repo.path, name])));
    const { recordCount, damagedSegments } = readIndexStats(repo);
    expect([recordCount, damagedSegments]).toEqual([writers.length * addedRecords().length, []]);
    const index = openContentIndex(repo);
    for (const [i, [digest]] of addedRecords().entries()) {
      expect(index.find(digest)).toEqual(writers.map((name) => recordsOf(name)[i]?.[1]).sort());
    }
    index.close();
    // One more addition takes in whatever was left beside a merge that another process was doing.
    await runJob('add-many', repo.path, 'e');
    expect(readIndexStats(repo).segmentCount).toBe(1);
  });
});

describe('under fire', () => {
  withTools('adding to the content index: everything old is found, the new all or not at all', async () => {
    const ground = await prepare();
    const before = readIndexStats(openRepo(ground.pristine)).recordCount;
    expect(before).toBeGreaterThan(5);
    const added = addedRecords();
    await sweep('add', ground, async (label) => {
      const repo = openRepo(ground.path);
      const { recordCount, damagedSegments } = readIndexStats(repo);
      expect([label, damagedSegments]).toEqual([label, []]);
      expect([label, [before, before + added.length].includes(recordCount)]).toEqual([label, true]);
      await finish('add', ground, label);
      const index = openContentIndex(repo);
      expect([label, added.every(([digest, object]) => index.find(digest)[0] === object)]).toEqual([label, true]);
      index.close();
      expect([label, readIndexStats(repo).recordCount]).toEqual([label, before + added.length]);
    });
  });

  withTools('rebuilding the content index: it stays true', async () => {
    const ground = await prepare();
    fs.writeFileSync(join(ground.pristine, 'extensions/hacktree/content-index/segment-0000000000000000'), 'rubbish');
    await sweep('rebuild', ground, async (label) => {
      const repo = openRepo(ground.path);
      expect([label, (await checkContentIndex(repo, { threads: 0 })).wrongRecords]).toEqual([label, []]);
      await finish('rebuild', ground, label);
      const report = await checkContentIndex(repo, { threads: 0 });
      expect([label, report.ok, report.unindexedObjects]).toEqual([label, true, 0]);
    });
  });

  withTools('prune: no commit lacks anything, and the next run leaves what one run leaves', async () => {
    const ground = await prepare();
    reset(ground);
    await finish('prune', ground, 'without a fault');
    const expected = names(ground.path);
    await sweep('prune', ground, async (label) => {
      expect([label, ostreeFsck(ground.path)]).toEqual([label, '']);
      await requireSoundIndex(openRepo(ground.path));
      await finish('prune', ground, label);
      expect([label, names(ground.path)]).toEqual([label, expected]);
      expect([label, ostreeFsck(ground.path)]).toEqual([label, '']);
    });
  });

  withTools('fsck --delete: a damaged object goes only after its commits are marked', async () => {
    const ground = await prepare();
    const checksum = ostree(ground.pristine, 'ls', '-C', 'main', '/file-0').split(/\s+/)[4] as Checksum;
    fs.appendFileSync(objectPath(openRepo(ground.pristine), checksum, 'file'), 'damage');
    const commits = names(ground.pristine).flatMap((name) => (name.endsWith('.commit') ? [name.slice(0, 64) as Checksum] : []));
    const allMarked = (repo: Repo): boolean => commits.every((name) => readCommitState(repo, name) === 'damaged');
    await sweep('delete', ground, async (label) => {
      const repo = openRepo(ground.path);
      const isThere = fs.existsSync(objectPath(repo, checksum, 'file'));
      expect([label, isThere || allMarked(repo)]).toEqual([label, true]);
      await finish('delete', ground, label);
      expect([label, fs.existsSync(objectPath(repo, checksum, 'file')), allMarked(repo)]).toEqual([label, false, true]);
    });
  });

  withTools('fsck --repair: it starts again and ends whole', async () => {
    const ground = await prepare();
    const file = (path: string): string =>
      objectPath(
        openRepo(ground.pristine),
        ostree(ground.pristine, 'ls', '-C', 'main', path).split(/\s+/)[4] as Checksum,
        'file',
      );
    fs.appendFileSync(file('/file-0'), 'damage');
    const lost = [file('/file-1'), file('/etc/own-2')];
    const tree = ostree(ground.pristine, 'ls', '-C', '-d', 'main', '/etc').split(/\s+/)[4] as Checksum;
    for (const path of [...lost, objectPath(openRepo(ground.pristine), tree, 'dirtree')]) fs.rmSync(path);
    const expected = names(ground.sound);
    await sweep('repair', ground, async (label) => {
      await finish('repair', ground, label);
      expect([label, names(ground.path), ostreeFsck(ground.path)]).toEqual([label, expected, '']);
    });
  });

  withTools('on a read-only file system everything can still be looked at', async () => {
    const ground = await prepare();
    await rebuildContentIndex(openRepo(ground.pristine), { threads: 0 });
    reset(ground);
    const mountAndRun = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" "$3" look "$1"`;
    const command = ['-m', 'sh', '-c', mountAndRun, 'sh', ground.path, process.execPath, WORKLOAD];
    const { status, stdout, stderr } = run('unshare', command);
    expect([status, stderr]).toEqual([0, '']);
    const { report, plan, index, usage } = JSON.parse(stdout);
    expect([report.ok, plan.dryRun, plan.prunedCount > 0, index.ok, usage.commits.length]).toEqual([true, true, true, true, 3]);
  });
});
