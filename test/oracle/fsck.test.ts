/** fsck finds what the real ostree finds, in the same words, and leaves the repository as it does. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseChecksum } from '../../src/core/index.ts';
import { type ObjectType, parseObjectName } from '../../src/format/index.ts';
import { type FsckOptions, type FsckReport, fsck, objectPath, openRepo, repairFromRepo } from '../../src/repo/index.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { makeSmallTree } from '../helpers/trees.ts';

const withOstree = requireTool('ostree') ? it : it.skip;
const MODES = ['bare', 'archive', 'bare-user', 'bare-user-only'];

/** Two commits of `main`, one of `other`, one of a remote, with a file, a directory and a symlink that all share. */
function makeRepo(mode = 'bare'): string {
  const dir = scratchDir();
  const repo = join(dir, 'repo');
  const tree = join(dir, 'tree');
  fs.mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  fs.writeFileSync(join(tree, 'usr/bin/tool'), 'tool\n', { mode: 0o755 });
  fs.writeFileSync(join(tree, 'hello'), 'hello\n');
  fs.symlinkSync('hello', join(tree, 'link'));
  initOstreeRepo(repo, mode);
  ostreeCommit(repo, tree);
  fs.writeFileSync(join(tree, 'new'), 'new\n');
  ostreeCommit(repo, tree);
  fs.writeFileSync(join(tree, 'usr/bin/second'), 'second\n');
  ostreeCommit(repo, tree, '--branch=other');
  ostree(repo, 'commit', '--orphan', '--subject=orphan', '--timestamp=@1700000000', tree);
  fs.mkdirSync(join(repo, 'refs/remotes/origin'), { recursive: true });
  fs.copyFileSync(join(repo, 'refs/heads/other'), join(repo, 'refs/remotes/origin/other'));
  return repo;
}

/** Path of the loose object of a file or directory (`TYPE` of it) in `main`. */
function objectOf(repo: string, path: string, type: ObjectType): string {
  const fields = ostree(repo, 'ls', '-C', '-d', 'main', path).split(/\s+/);
  const checksum = type === 'dirmeta' ? fields[5] : fields[4];
  return objectPath(openRepo(repo), parseChecksum(checksum as string), type);
}

const commitFile = (repo: string, rev: string): string =>
  objectPath(openRepo(repo), parseChecksum(ostree(repo, 'rev-parse', rev)), 'commit');

function copyOf(repo: string): string {
  const copy = join(scratchDir(), 'repo');
  run('cp', ['-a', repo, copy]);
  return copy;
}

function damage(path: string): void {
  fs.appendFileSync(path, 'x');
}

/** Lines of ostree that name damage, with the commits in them sorted (ostree has them in hash order). */
function complaints(output: string): string[] {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^error: /, ''))
    .filter((line) => /^(In commits|Object missing|fsck [0-9a-f]|Loading commit|Commit |Ref |Collection)/.test(line))
    .map((line) => line.replace(/commits ([0-9a-f, ]+):/, (_, list: string) => `commits ${list.split(', ').sort().join(', ')}:`));
  return [...new Set(lines)].sort();
}

const messages = ({ findings }: FsckReport): string[] => findings.map(({ message }) => message).sort();

const marks = (repo: string): string[] =>
  fs
    .readdirSync(join(repo, 'state'))
    .sort()
    .map((name) => `${name} ${fs.readFileSync(join(repo, 'state', name), 'utf8')}`);

interface Comparison {
  readonly args?: readonly string[];
  readonly options?: FsckOptions;
}

/** Runs both on copies of one repository and requires the same verdict, the same marks and the same objects after it. */
async function compare(repo: string, { args = [], options = {} }: Comparison = {}): Promise<FsckReport> {
  const theirs = copyOf(repo);
  const { status, stdout, stderr } = run('ostree', [`--repo=${theirs}`, 'fsck', '--all', ...args]);
  const report = await fsck(openRepo(repo), { threads: 1, ...options });
  expect({ messages: messages(report), ok: report.ok }).toEqual({
    messages: complaints(`${stdout}\n${stderr}`),
    ok: status === 0,
  });
  expect(marks(repo)).toEqual(marks(theirs));
  expect(listFiles(repo)).toEqual(listFiles(theirs));
  return report;
}

const listFiles = (repo: string): string[] =>
  fs
    .readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.length > 2)
    .sort();

describe('fsck of sound repositories', () => {
  for (const mode of MODES) {
    withOstree(`finds nothing in a ${mode} repository that ostree wrote`, async () => {
      const dir = scratchDir();
      const repo = join(dir, 'repo');
      makeSmallTree(join(dir, 'tree'));
      initOstreeRepo(repo, mode);
      ostreeCommit(repo, join(dir, 'tree'), ...(mode === 'bare-user-only' ? ['--canonical-permissions'] : []));
      const report = await compare(repo);
      expect([report.ok, report.commitCount, report.objectCount]).toEqual([true, 1, listFiles(repo).length]);
    });
  }

  withOstree('with bindings', async () => {
    const repo = makeRepo();
    expect((await compare(repo, { args: ['--verify-bindings'], options: { verifyBindings: true } })).ok).toBe(true);
  });
});

describe('fsck of damaged repositories', () => {
  for (const mode of MODES) {
    withOstree(`a damaged and a missing file in a repository of mode ${mode}`, async () => {
      const repo = makeRepo(mode);
      const name = (path: string) => objectOf(repo, path, 'file');
      // Bytes after a deflate stream are no damage, so an archive object gets those of another.
      if (mode === 'archive') fs.writeFileSync(name('/hello'), fs.readFileSync(name('/new')));
      else damage(name('/hello'));
      fs.rmSync(name('/usr/bin/tool'));
      const report = await compare(repo);
      expect(
        report.findings.map(({ kind, refs, paths }) => ({ kind, refs, paths })).sort((a, b) => (a.kind < b.kind ? -1 : 1)),
      ).toEqual([
        { kind: 'object-corrupt', refs: ['main', 'origin:other', 'other'], paths: ['/hello'] },
        { kind: 'object-missing', refs: ['main', 'origin:other', 'other'], paths: ['/usr/bin/tool'] },
      ]);
      expect(report.markedCommits.length).toBe(4);
    });

    withOstree(`removes damaged files from a repository of mode ${mode}`, async () => {
      const repo = makeRepo(mode);
      const hello = objectOf(repo, '/hello', 'file');
      fs.writeFileSync(hello, 'rubbish\n');
      if (mode === 'archive') {
        // ostree stops at a .filez without a header; it has no line to compare with.
        const report = await fsck(openRepo(repo), { deleteDamaged: true, threads: 0 });
        expect([report.findings[0]?.kind, report.deleted.length, fs.existsSync(hello)]).toEqual(['object-invalid', 1, false]);
        return;
      }
      const report = await compare(repo, { args: ['--delete'], options: { deleteDamaged: true } });
      expect([report.deleted.length, fs.existsSync(hello)]).toEqual([1, false]);
    });
  }

  withOstree('damaged directories and their metadata', async () => {
    const repo = makeRepo();
    damage(objectOf(repo, '/usr/bin', 'dirtree'));
    const report = await compare(repo);
    expect(report.findings[0]?.paths).toEqual(['/usr/bin']);
    await compare(repo, { args: ['--delete'], options: { deleteDamaged: true } });
  });

  withOstree('missing metadata of directories', async () => {
    const repo = makeRepo();
    fs.rmSync(objectOf(repo, '/usr', 'dirmeta'));
    const report = await compare(repo);
    expect(report.findings[0]?.paths).toEqual(['/', '/usr', '/usr/bin']);
  });

  withOstree('a missing directory: ostree stops there, we name it', async () => {
    const repo = makeRepo();
    fs.rmSync(objectOf(repo, '/usr/bin', 'dirtree'));
    damage(objectOf(repo, '/hello', 'file'));
    expect(ostreeFsck(copyOf(repo))).toContain('No such metadata object');
    const report = await fsck(openRepo(repo), { threads: 1 });
    expect(report.findings.map(({ kind, paths, refs }) => [kind, paths, refs]).sort()).toEqual([
      ['object-corrupt', ['/hello'], ['main', 'origin:other', 'other']],
      ['object-missing', ['/usr/bin'], ['main']],
    ]);
  });

  withOstree('a damaged commit that no ref names', async () => {
    const repo = makeRepo();
    const file = commitFile(repo, 'main^');
    fs.writeFileSync(file, fs.readFileSync(file, 'latin1').replace('test', 'tset'), 'latin1');
    await compare(repo);
    await compare(repo, { args: ['--delete'], options: { deleteDamaged: true } });
    expect(fs.existsSync(file)).toBe(false);
  });

  withOstree('a commit that is no commit: ostree stops there, we name it', async () => {
    const repo = makeRepo();
    damage(commitFile(repo, 'main'));
    expect(ostreeFsck(copyOf(repo))).not.toBe('');
    const { findings } = await fsck(openRepo(repo), { threads: 0 });
    expect(findings.map(({ kind, refs, object }) => [kind, refs, object?.type])).toEqual([
      ['ref-broken', ['main'], undefined],
      ['object-corrupt', ['main'], 'commit'],
    ]);
  });

  withOstree('refs that lead nowhere', async () => {
    const repo = makeRepo();
    fs.writeFileSync(join(repo, 'refs/heads/lost'), `${'0'.repeat(64)}\n`);
    const report = await compare(repo);
    expect(report.findings.map(({ kind }) => kind)).toEqual(['ref-broken', 'object-missing']);
    fs.writeFileSync(join(repo, 'refs/heads/lost'), 'rubbish\n');
    expect((await fsck(openRepo(repo), { threads: 0 })).findings.map(({ kind, refs }) => [kind, refs])).toEqual([
      ['ref-broken', ['lost']],
    ]);
  });

  withOstree('missing parents are no damage; tombstones on request', async () => {
    const repo = makeRepo();
    const parent = ostree(repo, 'rev-parse', 'main^');
    fs.rmSync(commitFile(repo, 'main^'));
    expect((await compare(repo)).ok).toBe(true);
    // ostree 2022.7 turns the child into a tombstone here, and with it breaks the ref; the format wants the parent's.
    const report = await fsck(openRepo(repo), { addTombstones: true, threads: 0 });
    expect(report.tombstones).toEqual([parent]);
    const tombstone = objectPath(openRepo(repo), parseChecksum(parent), 'tombstone-commit');
    expect(fs.readFileSync(tombstone)).toEqual(
      Buffer.concat([Buffer.from('commit\0\0'), Buffer.from(parent), Buffer.from('\0\0ay\x07\x4d', 'latin1')]),
    );
    expect((await fsck(openRepo(repo), { addTombstones: true, threads: 0 })).tombstones).toEqual([]);
    expect(ostreeFsck(repo)).toBe('');
  });
});

describe('partial commits', () => {
  withOstree('fetched in part: not verified, no damage', async () => {
    const repo = makeRepo();
    fs.writeFileSync(join(repo, 'state', `${ostree(repo, 'rev-parse', 'other')}.commitpartial`), '');
    fs.rmSync(objectOf(repo, '/hello', 'file'));
    const report = await compare(repo);
    expect([report.commitCount, report.partialCommits]).toEqual([3, [ostree(repo, 'rev-parse', 'other')]]);
  });

  withOstree('damaged ones lose their mark when they are whole again', async () => {
    const repo = makeRepo();
    const hello = objectOf(repo, '/hello', 'file');
    const saved = fs.readFileSync(hello);
    fs.rmSync(hello);
    expect((await fsck(openRepo(repo), { threads: 0 })).markedCommits.length).toBe(4);
    const second = await fsck(openRepo(repo), { threads: 0 });
    expect([second.ok, second.markedCommits.length, second.damagedCommits.length]).toEqual([false, 0, 4]);
    fs.writeFileSync(hello, saved, { mode: 0o644 });
    const third = await fsck(openRepo(repo), { threads: 0 });
    expect([third.ok, third.unmarkedCommits.length, marks(repo)]).toEqual([true, 4, []]);
    expect(ostreeFsck(repo)).toBe('');
  });
});

describe('bindings', () => {
  const bindings: Comparison = { args: ['--verify-bindings'], options: { verifyBindings: true } };
  const backRefs: Comparison = { args: ['--verify-back-refs'], options: { verifyBackRefs: true } };

  /** ostree stops at the first problem of bindings, so only that one is compared. */
  async function compareFirst(repo: string, { args = [], options = {} }: Comparison): Promise<void> {
    const { status, stdout, stderr } = run('ostree', [`--repo=${repo}`, 'fsck', ...args]);
    const report = await fsck(openRepo(repo), { ...options, threads: 0 });
    const theirs = complaints(`${stdout}\n${stderr}`);
    expect(theirs.length).toBe(1);
    expect([status === 0, messages(report)]).toEqual([report.ok, expect.arrayContaining(theirs)]);
  }

  withOstree('a ref that the commit is not bound to', async () => {
    const repo = makeRepo();
    ostree(repo, 'refs', '--create=alias', 'main');
    await compareFirst(repo, bindings);
    ostree(repo, 'refs', '--delete', 'alias');
    ostree(repo, 'refs', '--delete', 'origin:other');
    const extra = join(repo, 'refs/remotes/origin/elsewhere');
    fs.mkdirSync(dirname(extra), { recursive: true });
    fs.copyFileSync(join(repo, 'refs/heads/main'), extra);
    await compareFirst(repo, bindings);
  });

  withOstree('several bindings, and none', async () => {
    const repo = makeRepo();
    const dir = scratchDir();
    ostreeCommit(repo, dir, '--branch=b', '--bind-ref=c', '--bind-ref=a');
    ostree(repo, 'refs', '--create=e', 'b');
    await compareFirst(repo, bindings);
    fs.rmSync(join(repo, 'refs/heads/e'));
    fs.rmSync(join(repo, 'refs/heads/b'));
    ostreeCommit(repo, dir, '--branch=unbound', '--no-bindings');
    await compare(repo, bindings);
  });

  withOstree('back references', async () => {
    const repo = makeRepo();
    await compareFirst(repo, backRefs);
    fs.renameSync(join(repo, 'refs/heads/main'), join(repo, 'refs/heads/gone'));
    await compareFirst(repo, backRefs);
    ostree(repo, 'prune', '--refs-only', '--depth=0');
    fs.renameSync(join(repo, 'refs/heads/gone'), join(repo, 'refs/remotes/origin/main'));
    await compare(repo, backRefs);
  });

  withOstree('collections', async () => {
    const repo = makeRepo();
    ostree(repo, 'refs', '--delete', 'main');
    ostree(repo, 'refs', '--delete', 'other');
    ostree(repo, 'refs', '--delete', 'origin:other');
    ostree(repo, 'prune', '--refs-only');
    const dir = scratchDir();
    ostreeCommit(repo, dir, '--branch=before');
    ostree(repo, 'config', 'set', 'core.collection-id', 'org.example.One');
    await compareFirst(repo, bindings);
    ostree(repo, 'refs', '--delete', 'before');
    ostreeCommit(repo, dir, '--branch=bound');
    await compare(repo, bindings);
    ostreeCommit(repo, dir, '--branch=unbound', '--no-bindings');
    await compareFirst(repo, bindings);
    ostree(repo, 'refs', '--delete', 'unbound');
    ostree(repo, 'config', 'set', 'core.collection-id', 'org.example.Two');
    await compareFirst(repo, bindings);
    await compareFirst(repo, backRefs);
  });
});

describe('repair', () => {
  for (const [mode, sourceMode] of [
    ['bare', 'bare'],
    ['archive', 'bare'],
    ['bare', 'archive'],
    ['bare-user', 'archive'],
    ['bare-user-only', 'bare-user-only'],
  ] as const) {
    withOstree(`fetches exactly what is bad, into ${mode} from ${sourceMode}`, async () => {
      const repo = makeRepo(mode);
      const source = copyOf(repo);
      const asSource = join(scratchDir(), 'source');
      initOstreeRepo(asSource, sourceMode);
      ostree(asSource, 'pull-local', source, 'main', 'other');
      const bad = [
        objectOf(repo, '/hello', 'file'),
        objectOf(repo, '/link', 'file'),
        objectOf(repo, '/usr/bin', 'dirtree'),
        objectOf(repo, '/usr/bin/tool', 'file'),
        commitFile(repo, 'other'),
      ];
      const before = listFiles(repo);
      fs.writeFileSync(bad[0] as string, 'rubbish');
      for (const path of bad.slice(1)) fs.rmSync(path);
      const report = await fsck(openRepo(repo), { repairFrom: repairFromRepo(openRepo(asSource)), threads: 1 });
      expect(report.repaired.map(({ checksum, type }) => objectPath(openRepo(repo), checksum, type)).sort()).toEqual(bad.sort());
      expect([report.ok, report.findings.every((finding) => finding.repaired), marks(repo)]).toEqual([true, true, []]);
      expect(listFiles(repo)).toEqual(before);
      expect(ostreeFsck(repo)).toBe('');
    });
  }

  withOstree('takes nothing damaged, and says what is left', async () => {
    const repo = makeRepo();
    const source = copyOf(repo);
    for (const path of ['/hello', '/new']) fs.writeFileSync(objectOf(repo, path, 'file'), 'rubbish');
    fs.writeFileSync(objectOf(source, '/hello', 'file'), 'also rubbish');
    const report = await fsck(openRepo(repo), { repairFrom: repairFromRepo(openRepo(source)), threads: 0 });
    expect(report.ok).toBe(false);
    expect(report.findings.map(({ paths, repaired }) => [paths, repaired]).sort()).toEqual([
      [['/hello'], false],
      [['/new'], true],
    ]);
    const again = await fsck(openRepo(repo), { threads: 0 });
    expect(again.findings.map(({ paths }) => paths)).toEqual([['/hello']]);
    expect(parseObjectName(`${again.findings[0]?.object?.checksum}.file`).type).toBe('file');
  });
});
