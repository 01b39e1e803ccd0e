/** prune leaves exactly what the real ostree leaves, counts as it does, and refuses what it refuses. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isChecksum, parseChecksum } from '../../src/core/index.ts';
import { openRepo, type PruneOptions, type PruneReport, prune } from '../../src/repo/index.ts';
import { initOstreeRepo, ostree, ostreeFsck } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;
const DAY_SEC = 86_400;
const START_SEC = 1_700_000_000;

/** Three branches of five commits a day apart, one more in a remote, two orphans; files come and go. */
function makeRepo(mode = 'archive'): string {
  const dir = scratchDir();
  const repo = join(dir, 'repo');
  initOstreeRepo(repo, mode);
  for (const branch of ['x', 'y', 'z']) {
    const tree = join(dir, branch);
    fs.mkdirSync(join(tree, 'sub'), { recursive: true });
    for (let day = 1; day <= 5; day++) {
      fs.writeFileSync(join(tree, 'sub', `${branch}${day}`), `${branch} ${day}\n`);
      fs.writeFileSync(join(tree, 'changing'), `${branch} on day ${day}\n`);
      if (day > 2) fs.rmSync(join(tree, 'sub', `${branch}${day - 2}`));
      commitAt(repo, tree, START_SEC + day * DAY_SEC, `--branch=${branch}`);
    }
  }
  commitAt(repo, join(dir, 'x'), START_SEC - DAY_SEC, '--orphan');
  commitAt(repo, join(dir, 'y', 'sub'), START_SEC + 9 * DAY_SEC, '--orphan');
  fs.mkdirSync(join(repo, 'refs/remotes/origin'), { recursive: true });
  fs.writeFileSync(join(repo, 'refs/remotes/origin/y'), `${ostree(repo, 'rev-parse', 'y^')}\n`);
  return repo;
}

function commitAt(repo: string, tree: string, timeSec: number, ...args: readonly string[]): void {
  ostree(
    repo,
    'commit',
    '--subject=s',
    `--timestamp=@${timeSec}`,
    '--fsync=false',
    '--owner-uid=0',
    '--owner-gid=0',
    ...args,
    tree,
  );
}

function copyOf(repo: string): string {
  const copy = join(scratchDir(), 'repo');
  run('cp', ['-a', repo, copy]);
  return copy;
}

/** Every file below objects/, state/, deltas/ and refs/, and the config. */
function contentsOf(repo: string): string[] {
  const list = (dir: string): string[] =>
    fs.existsSync(join(repo, dir))
      ? fs
          .readdirSync(join(repo, dir), { recursive: true, encoding: 'utf8' })
          .filter((name) => fs.lstatSync(join(repo, dir, name)).isFile())
          .map((name) => `${dir}/${name}`)
      : [];
  return [...['objects', 'state', 'deltas', 'refs'].flatMap(list).sort(), fs.readFileSync(join(repo, 'config'), 'utf8')];
}

/** What ostree prints, with a size in words only for its unit. */
function summaryOf({ objectCount, prunedCount, prunedBytes, dryRun, commitOnly }: PruneReport): string[] {
  const size = prunedBytes < 1000 ? `${prunedBytes} bytes` : `${(prunedBytes / 1000).toFixed(1)} kB`;
  const total = `Total ${commitOnly ? '(commit only) ' : ''}objects: ${objectCount}`;
  if (prunedCount === 0) return [total, 'No unreachable objects'];
  return [
    total,
    dryRun ? `Would delete: ${prunedCount} objects, freeing ${size}` : `Deleted ${prunedCount} objects, ${size} freed`,
  ];
}

interface Case {
  readonly args: readonly string[];
  readonly options: PruneOptions;
}

/** Runs both on copies of one repository and compares what they say and what they leave. */
async function compare(repo: string, { args, options }: Case): Promise<PruneReport> {
  const [theirs, dry, ours] = [copyOf(repo), copyOf(repo), copyOf(repo)];
  const output = ostree(theirs, 'prune', ...args)
    .replaceAll('\u00a0', ' ')
    .split('\n');
  const planned = await prune(openRepo(dry), { ...options, dryRun: true });
  expect(contentsOf(dry)).toEqual(contentsOf(repo));
  const report = await prune(openRepo(ours), options);
  expect(summaryOf(report)).toEqual(output);
  expect(contentsOf(ours)).toEqual(contentsOf(theirs));
  expect({ ...planned, dryRun: options.dryRun === true }).toEqual(report);
  expect(ostreeFsck(ours)).toBe('');
  return report;
}

const retain = (...pairs: [string, number][]): ReadonlyMap<string, number> => new Map(pairs);
const younger = BigInt(Date.parse('2023-11-18T00:00:00Z') / 1000);
const KEEP = '--keep-younger-than=2023-11-18 00:00:00 +0000';

const CASES: Record<string, Case> = {
  'orphaned objects only': { args: [], options: {} },
  'depth without refs-only keeps every commit': { args: ['--depth=0'], options: { depth: 0 } },
  'refs only': { args: ['--refs-only'], options: { refsOnly: true } },
  'refs only, depth 0': { args: ['--refs-only', '--depth=0'], options: { refsOnly: true, depth: 0 } },
  'refs only, depth 2': { args: ['--refs-only', '--depth=2'], options: { refsOnly: true, depth: 2 } },
  'dry run': { args: ['--refs-only', '--depth=1', '--no-prune'], options: { refsOnly: true, depth: 1, dryRun: true } },
  'commits only': {
    args: ['--commit-only', '--refs-only', '--depth=0'],
    options: { commitOnly: true, refsOnly: true, depth: 0 },
  },
  'commits only, all': { args: ['--commit-only'], options: { commitOnly: true } },
  'young commits': { args: [KEEP], options: { keepYoungerThanSec: younger } },
  'young commits, whatever the depth': { args: [KEEP, '--depth=3'], options: { keepYoungerThanSec: younger, depth: 3 } },
  'young commits of one branch': {
    args: [KEEP, '--only-branch=x'],
    options: { keepYoungerThanSec: younger, onlyBranches: ['x'] },
  },
  'young commits and a retained depth': {
    args: [KEEP, '--retain-branch-depth=x=3', '--retain-branch-depth=y=0'],
    options: { keepYoungerThanSec: younger, retainBranchDepth: retain(['x', 3], ['y', 0]) },
  },
  'young commits and a whole branch': {
    args: [KEEP, '--retain-branch-depth=x=-1'],
    options: { keepYoungerThanSec: younger, retainBranchDepth: retain(['x', -1]) },
  },
  'nothing is young': { args: ['--keep-younger-than=2100-01-01'], options: { keepYoungerThanSec: 4_102_444_800n } },
  'a retained depth': { args: ['--retain-branch-depth=x=1'], options: { retainBranchDepth: retain(['x', 1]) } },
  'a retained depth of a remote, others at 0': {
    args: ['--retain-branch-depth=origin:y=1', '--depth=0'],
    options: { retainBranchDepth: retain(['origin:y', 1]), depth: 0 },
  },
  'a retained depth of no branch': { args: ['--retain-branch-depth=no=1'], options: { retainBranchDepth: retain(['no', 1]) } },
  'only one branch': { args: ['--only-branch=x', '--depth=0'], options: { onlyBranches: ['x'], depth: 0 } },
  'only one branch, all its history': { args: ['--only-branch=x'], options: { onlyBranches: ['x'] } },
  'two branches': { args: ['--only-branch=x', '--only-branch=z', '--depth=1'], options: { onlyBranches: ['x', 'z'], depth: 1 } },
  'one branch and a retained depth of another': {
    args: ['--only-branch=x', '--retain-branch-depth=y=1', '--depth=0'],
    options: { onlyBranches: ['x'], retainBranchDepth: retain(['y', 1]), depth: 0 },
  },
};

describe('prune and ostree prune leave the same', () => {
  for (const [name, options] of Object.entries(CASES)) {
    withOstree(name, async () => void (await compare(makeRepo(), options)));
  }
});

describe('deleting a commit', () => {
  withOstree('by its checksum, which leaves a tombstone and turns tombstones on', async () => {
    const repo = makeRepo();
    const commit = parseChecksum(ostree(repo, 'rev-parse', 'x^^'));
    const args = [`--delete-commit=${commit}`];
    const report = await compare(repo, { args, options: { deleteCommit: commit } });
    expect(report.commits).toEqual([commit]);
    await compare(repo, { args: [...args, '--refs-only'], options: { deleteCommit: commit, refsOnly: true } });
    await compare(repo, { args: [...args, '--commit-only'], options: { deleteCommit: commit, commitOnly: true } });
  });

  withOstree('is refused while a ref points at it, in the same words', async () => {
    const repo = makeRepo();
    for (const rev of ['x', 'origin:y']) {
      const commit = parseChecksum(ostree(repo, 'rev-parse', rev));
      const before = contentsOf(repo);
      const { stderr } = run('ostree', [`--repo=${repo}`, 'prune', `--delete-commit=${commit}`]);
      await expect(prune(openRepo(repo), { deleteCommit: commit })).rejects.toMatchObject({
        code: 'ref-conflict',
        message: stderr.replace(/^error: /, '').trim(),
      });
      expect(contentsOf(repo)).toEqual(before);
    }
    const absent = parseChecksum('0'.repeat(64));
    await expect(prune(openRepo(repo), { deleteCommit: absent })).rejects.toMatchObject({ code: 'object-missing' });
  });

  withOstree('with tombstones on, every pruned commit leaves one', async () => {
    const repo = makeRepo();
    ostree(repo, 'config', 'set', 'core.tombstone-commits', 'true');
    await compare(repo, { args: ['--refs-only', '--depth=0'], options: { refsOnly: true, depth: 0 } });
  });
});

describe('what belongs to commits', () => {
  withOstree('detached metadata and marks go with them, deltas when their target is gone', async () => {
    const repo = makeRepo();
    const rev = (name: string): string => ostree(repo, 'rev-parse', name);
    const generate = (...args: readonly string[]): string => ostree(repo, 'static-delta', 'generate', ...args);
    generate('--empty', `--to=${rev('x')}`);
    generate(`--from=${rev('x^^^')}`, `--to=${rev('x^')}`);
    generate(`--from=${rev('x^')}`, `--to=${rev('x')}`);
    for (const name of ['x', 'x^^']) {
      run('ostree', [`--repo=${repo}`, 'sign', '--sign-type=dummy', rev(name), 'KEY'], {
        env: { OSTREE_DUMMY_SIGN_ENABLED: '1' },
      });
    }
    fs.writeFileSync(join(repo, 'state', `${rev('x^^')}.commitpartial`), '');
    const report = await compare(repo, { args: ['--refs-only', '--depth=0'], options: { refsOnly: true, depth: 0 } });
    expect(report.deltas).toEqual([`${rev('x^^^')}-${rev('x^')}`]);
    const only = { args: ['--static-deltas-only', `--delete-commit=${rev('x')}`] };
    const options: PruneOptions = { staticDeltasOnly: true, deleteCommit: parseChecksum(rev('x')) };
    expect((await compare(repo, { ...only, options })).deltas.length).toBe(2);
    await expect(prune(openRepo(repo), { staticDeltasOnly: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('what cannot be told from rubbish stays', () => {
  withOstree('a missing or damaged directory ends it before anything is removed', async () => {
    const repo = makeRepo();
    const dirtree = join(repo, 'objects', fileOf(ostree(repo, 'ls', '-C', '-d', 'x', '/sub').split(/\s+/)[4] as string));
    const saved = fs.readFileSync(dirtree);
    fs.rmSync(dirtree);
    const before = contentsOf(repo);
    expect(run('ostree', [`--repo=${copyOf(repo)}`, 'prune', '--refs-only']).status).toBe(1);
    await expect(prune(openRepo(repo), { refsOnly: true })).rejects.toMatchObject({ code: 'object-missing' });
    expect(contentsOf(repo)).toEqual(before);
    const other = fs.readFileSync(
      join(repo, 'objects', fileOf(ostree(repo, 'ls', '-C', '-d', 'y', '/sub').split(/\s+/)[4] as string)),
    );
    fs.writeFileSync(dirtree, other);
    await expect(prune(openRepo(repo), { refsOnly: true })).rejects.toMatchObject({ code: 'object-corrupt' });
    fs.writeFileSync(dirtree, saved);
    await compare(repo, { args: ['--refs-only'], options: { refsOnly: true } });
  });

  withOstree('partial commits may lack things, commits of refs may be missing', async () => {
    const repo = makeRepo();
    const dirtree = join(repo, 'objects', fileOf(ostree(repo, 'ls', '-C', '-d', 'x', '/sub').split(/\s+/)[4] as string));
    fs.rmSync(dirtree);
    for (const name of fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' })) {
      const commit = name.replace('/', '').replace('.commit', '');
      if (name.endsWith('.commit') && isChecksum(commit)) fs.writeFileSync(join(repo, 'state', `${commit}.commitpartial`), '');
    }
    fs.rmSync(join(repo, 'objects', `${fileOf(ostree(repo, 'rev-parse', 'z'))}`.replace('.dirtree', '.commit')));
    const [theirs, ours] = [copyOf(repo), copyOf(repo)];
    ostree(theirs, 'prune', '--refs-only', '--depth=1');
    await prune(openRepo(ours), { refsOnly: true, depth: 1 });
    expect(contentsOf(ours)).toEqual(contentsOf(theirs));
  });

  withOstree('what a mirrored ref of another collection needs stays, which ostree forgets', async () => {
    const repo = makeRepo();
    fs.mkdirSync(join(repo, 'refs/mirrors/org.example.Other'), { recursive: true });
    fs.renameSync(join(repo, 'refs/heads/z'), join(repo, 'refs/mirrors/org.example.Other/z'));
    const tip = fs.readFileSync(join(repo, 'refs/mirrors/org.example.Other/z'), 'utf8').trim();
    await compare(repo, { args: ['--refs-only'], options: { refsOnly: true } });
    const { commits } = await prune(openRepo(repo), { onlyBranches: ['x'], depth: 0 });
    expect(commits).not.toContain(tip);
    expect(ostreeFsck(repo)).toBe('');
  });
});

describe('in every mode', () => {
  for (const mode of ['bare', 'bare-user', 'bare-user-only']) {
    withOstree(mode, async () => {
      await compare(makeRepo(mode), { args: ['--refs-only', '--depth=0'], options: { refsOnly: true, depth: 0 } });
    });
  }

  withOstree('payload links go with the content they stand for (ostree 2022.7 removes them all)', async () => {
    const repo = makeRepo('bare');
    for (const [i, rev] of ['x', 'x^^^'].entries()) {
      const dir = join(repo, 'objects', `0${i}`);
      fs.mkdirSync(dir, { recursive: true });
      const target = ostree(repo, 'ls', '-C', rev, '/changing').split(/\s+/)[4] as string;
      fs.symlinkSync(`../${target.slice(0, 2)}/${target.slice(2)}.file`, join(dir, `${'e'.repeat(62)}.payload-link`));
    }
    await prune(openRepo(repo), { refsOnly: true, depth: 0 });
    const names = fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('payload-link'))).toEqual([`00/${'e'.repeat(62)}.payload-link`]);
  });
});

describe('branches that share history', () => {
  withOstree('keep what each of them wants (in ostree that depends on which comes first)', async () => {
    const repo = makeRepo();
    const history = ['y', 'y^', 'y^^', 'y^^^', 'y^^^^'].map((rev) => ostree(repo, 'rev-parse', rev));
    const { commits } = await prune(openRepo(repo), { onlyBranches: ['origin:y'], depth: 0 });
    expect(commits.filter((commit) => history.includes(commit))).toEqual([]);
  });
});

const fileOf = (checksum: string): string => `${checksum.slice(0, 2)}/${checksum.slice(2)}.dirtree`;
