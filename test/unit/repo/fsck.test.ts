/** fsck of hostile repositories: findings, in bounded time, never a hang or a crash. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { decodeCommit, encodeCommit, MAX_METADATA_BYTES } from '../../../src/format/index.ts';
import {
  type FsckReport,
  fsck,
  initRepo,
  MAX_COMMITS,
  MAX_PATHS,
  objectPath,
  type Repo,
  type RepoMode,
  readCommitState,
  readMetadata,
  repairFromRepo,
  writeRef,
} from '../../../src/repo/index.ts';
import { putCommit, putDirmeta, putDirtree, putFiles, putObject } from '../../helpers/craft.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const newRepo = (mode: RepoMode = 'archive'): Repo => initRepo(join(scratchDir(), 'repo'), { mode });
const inline = (repo: Repo): Promise<FsckReport> => fsck(repo, { threads: 0 });
const kinds = ({ findings }: FsckReport): string[] => findings.map(({ kind, object }) => `${kind} ${object?.type}`);

/** A commit of one directory with one file `f`, and a ref to it. */
async function makeRepo(mode?: RepoMode): Promise<{ repo: Repo; file: Checksum; tree: Checksum; commit: Checksum }> {
  const repo = newRepo(mode);
  const [file] = (await putFiles(repo, ['content\n'])) as [Checksum];
  const tree = putDirtree(repo, { files: [{ name: 'f', checksum: file }] });
  const commit = putCommit(repo, tree);
  writeRef(repo, { ref: 'main' }, commit);
  return { repo, file, tree, commit };
}

describe('things that are no object', () => {
  it.each(['archive', 'bare', 'bare-user-only'] as const)(
    'a FIFO, a directory and nothing at all in place of a file: %s',
    async (mode) => {
      const { repo, file } = await makeRepo(mode);
      expect((await inline(repo)).ok).toBe(true);
      const path = objectPath(repo, file, 'file');
      fs.rmSync(path);
      execFileSync('mkfifo', [path]);
      expect(kinds(await inline(repo))).toEqual(['object-invalid file']);
      fs.rmSync(path);
      fs.mkdirSync(path);
      expect(kinds(await inline(repo))).toEqual(['object-invalid file']);
      fs.rmdirSync(path);
      fs.writeFileSync(path, '');
      expect((await inline(repo)).ok).toBe(false);
    },
  );

  it('a FIFO, a directory and a huge file in place of metadata', async () => {
    const { repo, tree } = await makeRepo();
    const path = objectPath(repo, tree, 'dirtree');
    fs.rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(kinds(await inline(repo))).toEqual(['object-invalid dirtree']);
    fs.rmSync(path);
    fs.mkdirSync(path);
    expect(kinds(await inline(repo))).toEqual(['object-invalid dirtree']);
    fs.rmdirSync(path);
    fs.writeFileSync(path, '');
    fs.truncateSync(path, MAX_METADATA_BYTES + 1);
    expect(kinds(await inline(repo))).toEqual(['object-invalid dirtree']);
  });

  it('a directory in place of an object is repaired', async () => {
    const { repo, file, tree } = await makeRepo();
    const source = newRepo();
    fs.cpSync(repo.path, source.path, { recursive: true });
    for (const path of [objectPath(repo, file, 'file'), objectPath(repo, tree, 'dirtree')]) {
      fs.rmSync(path);
      fs.mkdirSync(join(path, 'inside'), { recursive: true });
    }
    const report = await fsck(repo, { threads: 0, repairFrom: repairFromRepo(source) });
    expect([report.ok, report.repaired.length]).toEqual([true, 2]);
    expect((await inline(repo)).findings).toEqual([]);
  });

  it('an archive object that claims to be small and is not', async () => {
    const { repo, file } = await makeRepo();
    const path = objectPath(repo, file, 'file');
    const header = fs.readFileSync(path).subarray(0, 8 + fs.readFileSync(path).readUInt32BE(0));
    const { deflateRawSync } = await import('node:zlib');
    fs.writeFileSync(path, Buffer.concat([header, deflateRawSync(Buffer.alloc(50_000_000))]));
    expect(kinds(await inline(repo))).toEqual(['object-invalid file']);
    fs.writeFileSync(path, Buffer.concat([header, Buffer.alloc(4_000_000)]));
    expect(kinds(await inline(repo))).toEqual(['object-invalid file']);
  });
});

describe('structure', () => {
  it('names in a tree that would lead outside, under the right checksum', async () => {
    const { repo, file } = await makeRepo();
    const sound = readMetadata(repo, putDirtree(repo, { files: [{ name: 'xx', checksum: file }] }), 'dirtree');
    const evil = Buffer.from(sound.toString('latin1').replace('xx\0', '..\0'), 'latin1');
    const commit = putCommit(repo, putObject(repo, 'dirtree', evil));
    const report = await inline(repo);
    expect(report.findings.map(({ kind, commits }) => [kind, commits])).toEqual([['object-invalid', [commit]]]);
  });

  it('a directory that contains itself, and parents in a circle', async () => {
    const repo = newRepo();
    const meta = putDirmeta(repo);
    const name = 'ab'.repeat(32) as Checksum;
    putObject(
      repo,
      'dirtree',
      readMetadata(repo, putDirtree(repo, { dirs: [{ name: 'self', tree: name, meta }] }), 'dirtree'),
      name,
    );
    const commit = putCommit(repo, name);
    const circle = 'cd'.repeat(32) as Checksum;
    const value = decodeCommit(readMetadata(repo, commit, 'commit'));
    putObject(repo, 'commit', encodeCommit({ ...value, parent: circle }), circle);
    writeRef(repo, { ref: 'round' }, circle);
    const report = await inline(repo);
    expect(report.findings.map(({ kind, object, refs }) => [kind, object?.type, refs])).toEqual([
      ['ref-broken', undefined, ['round']],
      ['object-corrupt', 'commit', ['round']],
      ['object-corrupt', 'dirtree', []],
    ]);
  });

  it('a path for each of 2^40 ways to one missing file: some are named, and it ends', async () => {
    const repo = newRepo();
    const meta = putDirmeta(repo);
    let tree = putDirtree(repo, { files: [{ name: 'f', checksum: 'ef'.repeat(32) as Checksum }] });
    for (let level = 0; level < 40; level++) {
      tree = putDirtree(repo, { dirs: ['a', 'b'].map((name) => ({ name, tree, meta })) });
    }
    writeRef(repo, { ref: 'main' }, putCommit(repo, tree, meta));
    const [finding] = (await inline(repo)).findings;
    expect([finding?.kind, finding?.paths.length, finding?.hasMorePaths, finding?.refs]).toEqual([
      'object-missing',
      MAX_PATHS,
      true,
      ['main'],
    ]);
  });

  it('directories 2000 deep', async () => {
    const repo = newRepo();
    const meta = putDirmeta(repo);
    let tree = putDirtree(repo, { files: [{ name: 'f', checksum: 'ef'.repeat(32) as Checksum }] });
    for (let level = 0; level < 2000; level++) tree = putDirtree(repo, { dirs: [{ name: 'd', tree, meta }] });
    putCommit(repo, tree, meta);
    const [finding] = (await inline(repo)).findings;
    expect(finding?.paths[0]).toBe(`${'/d'.repeat(2000)}/f`);
  });
});

describe('many findings', () => {
  it('names commits and paths of each of 3000 missing objects', async () => {
    const repo = newRepo();
    const files = Array.from({ length: 3000 }, (_, i) => ({
      name: `f${String(i).padStart(4, '0')}`,
      checksum: i.toString(16).padStart(64, '0') as Checksum,
    }));
    const commit = putCommit(repo, putDirtree(repo, { files }));
    const { findings, markedCommits } = await inline(repo);
    expect(findings.map(({ paths }) => paths.join(' '))).toEqual(files.map(({ name }) => `/${name}`));
    expect(markedCommits).toEqual([commit]);
    expect(readCommitState(repo, commit)).toBe('damaged');
  });
});

describe('many commits', () => {
  it('lists some of them and marks them all', async () => {
    const repo = newRepo();
    const meta = putDirmeta(repo);
    const lost = putDirtree(repo, { files: [{ name: 'f', checksum: 'ef'.repeat(32) as Checksum }] });
    const commits = Array.from({ length: MAX_COMMITS + 20 }, (_, i) =>
      putCommit(repo, putDirtree(repo, { dirs: [{ name: `d${i}`, tree: lost, meta }] }), meta),
    );
    const { findings, markedCommits } = await inline(repo);
    expect(findings.map((finding) => [finding.commits.length, finding.hasMoreCommits])).toEqual([[MAX_COMMITS, true]]);
    expect(markedCommits).toEqual(commits.sort());
    expect((await inline(repo)).damagedCommits).toEqual(commits);
  });
});

describe('threads', () => {
  it('give the same report, whatever their number', async () => {
    const repo = newRepo();
    const contents = Array.from({ length: 300 }, (_, i) => `${i}\n`);
    const files = (await putFiles(repo, contents)).map((checksum, i) => ({ name: `f${String(i).padStart(3, '0')}`, checksum }));
    putCommit(repo, putDirtree(repo, { files }));
    for (const { checksum } of files.filter((_, i) => i % 7 === 0)) fs.rmSync(objectPath(repo, checksum, 'file'));
    for (const { checksum } of files.filter((_, i) => i % 7 === 1))
      fs.writeFileSync(objectPath(repo, checksum, 'file'), 'rubbish');
    await inline(repo);
    const reports = await Promise.all([0, 1, 3].map((threads) => fsck(repo, { threads })));
    expect(reports[0]?.findings.length).toBe(86);
    expect(reports[1]).toEqual(reports[0]);
    expect(reports[2]).toEqual(reports[0]);
  });

  it('stops when told to', async () => {
    const { repo } = await makeRepo();
    await expect(fsck(repo, { threads: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
  });
});
