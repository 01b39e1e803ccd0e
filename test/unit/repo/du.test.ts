/** du agrees with what prune would free, and with sums over the files themselves. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { decodeCommit, encodeCommit, type ObjectType } from '../../../src/format/index.ts';
import {
  beginTransaction,
  du,
  initRepo,
  objectPath,
  prune,
  type Repo,
  readMetadata,
  rebuildContentIndex,
  removeRef,
  type Usage,
  writeAlias,
  writeRef,
} from '../../../src/repo/index.ts';
import { putCommit, putDirmeta, putDirtree, putFiles, putObject } from '../../helpers/craft.ts';
import { scratchDir } from '../../helpers/scratch.ts';

interface Built {
  readonly repo: Repo;
  readonly files: readonly Checksum[];
  /** Commits: first and second (its child) of `main`, and one of `other`. */
  readonly commits: readonly [Checksum, Checksum, Checksum];
}

const content = (i: number): string => `${i} `.repeat(3000 * (i + 1));

/**
 * main, first:  /a = 0, /dir/b = 1
 * main, second: /a = 0, /dir/b = 1, /dir/c = 2, /same/b = 1
 * other:        /a = 0, /d = 3
 * nowhere: 4
 */
async function build(): Promise<Built> {
  const repo = initRepo(join(scratchDir(), 'repo'), { mode: 'bare' });
  const files = await putFiles(repo, [0, 1, 2, 3, 4].map(content));
  const file = (name: string, i: number) => ({ name, checksum: files[i] as Checksum });
  const meta = putDirmeta(repo);
  const dir1 = putDirtree(repo, { files: [file('b', 1)] });
  const dir2 = putDirtree(repo, { files: [file('b', 1), file('c', 2)] });
  const dir = (name: string, tree: Checksum) => ({ name, tree, meta });
  const first = putCommit(repo, putDirtree(repo, { files: [file('a', 0)], dirs: [dir('dir', dir1)] }));
  const root2 = putDirtree(repo, { files: [file('a', 0)], dirs: [dir('dir', dir2), dir('same', dir1)] });
  const value = decodeCommit(readMetadata(repo, putCommit(repo, root2), 'commit'));
  fs.rmSync(objectPath(repo, putCommit(repo, root2), 'commit'));
  const second = putObject(repo, 'commit', encodeCommit({ ...value, parent: first, timestampSec: value.timestampSec + 1n }));
  const other = putCommit(repo, putDirtree(repo, { files: [file('a', 0), file('d', 3)] }));
  writeRef(repo, { ref: 'main' }, second);
  writeRef(repo, { ref: 'other' }, other);
  return { repo, files, commits: [first, second, other] };
}

function sizeOf(repo: Repo, objects: readonly (readonly [Checksum, ObjectType])[]): Usage {
  const stats = objects.map(([checksum, type]) => fs.lstatSync(objectPath(repo, checksum, type)));
  return {
    objects: stats.length,
    apparentBytes: stats.reduce((sum, { size }) => sum + size, 0),
    diskBytes: stats.reduce((sum, { blocks }) => sum + blocks * 512, 0),
  };
}

const fileUsage = (repo: Repo, ...checksums: (Checksum | undefined)[]): Usage =>
  sizeOf(
    repo,
    checksums.map((checksum) => [checksum as Checksum, 'file']),
  );

describe('du', () => {
  it('says of each ref what prune would free without it', async () => {
    const { repo, commits } = await build();
    await prune(repo, { refsOnly: true });
    const report = du(repo);
    expect(report.refs.map(({ ref, commit, commits: count }) => [ref, commit, count])).toEqual([
      ['main', commits[1], 2],
      ['other', commits[2], 1],
    ]);
    for (const { ref, exclusive } of report.refs) {
      const copy = join(scratchDir(), 'copy');
      fs.cpSync(repo.path, copy, { recursive: true, verbatimSymlinks: true });
      const copied: Repo = { ...repo, path: copy, objectsPath: join(copy, 'objects') };
      removeRef(copied, { ref });
      const pruned = await prune(copied, { refsOnly: true, dryRun: true });
      expect([exclusive.objects, exclusive.apparentBytes, exclusive.diskBytes]).toEqual([
        pruned.prunedCount,
        pruned.prunedBytes,
        pruned.freedDiskBytes,
      ]);
    }
    const [main, other] = report.refs;
    expect((main?.exclusive.objects ?? 0) + (other?.exclusive.objects ?? 0) + (main?.shared.objects ?? 0)).toBe(
      report.total.objects,
    );
    expect(main?.shared).toEqual(other?.shared);
  });

  it('splits each commit into its own and what others need', async () => {
    const { repo, commits, files } = await build();
    const [first, second, other] = commits;
    const byCommit = new Map(du(repo).commits.map((usage) => [usage.commit, usage]));
    const rootOf = (commit: Checksum): Checksum => decodeCommit(readMetadata(repo, commit, 'commit')).rootTree;
    expect(byCommit.get(other)?.exclusive).toEqual(
      sizeOf(repo, [
        [other, 'commit'],
        [rootOf(other), 'dirtree'],
        [files[3] as Checksum, 'file'],
      ]),
    );
    expect(byCommit.get(first)?.exclusive).toEqual(
      sizeOf(repo, [
        [first, 'commit'],
        [rootOf(first), 'dirtree'],
      ]),
    );
    expect(byCommit.get(second)?.refs).toEqual(['main']);
    expect(byCommit.get(second)?.shared.objects).toBe(4);
    expect([...byCommit.keys()][0]).toBe(second);
  });

  it('counts everything, and what nobody needs', async () => {
    const { repo, files } = await build();
    const report = du(repo);
    expect(report.byType.file).toEqual(fileUsage(repo, ...files));
    expect(report.unneeded).toEqual(fileUsage(repo, files[4]));
    const sum = Object.values(report.byType).reduce((total, { objects }) => total + objects, 0);
    expect(report.total.objects).toBe(sum);
  });

  it('splits the names of a directory', async () => {
    const { repo, files, commits } = await build();
    const paths = (path: string, rev = 'main') => du(repo, { path: { rev, path } }).paths;
    expect(paths('/').map(({ path, kind }) => [path, kind])).toEqual([
      ['/a', 'file'],
      ['/dir', 'dir'],
      ['/same', 'dir'],
    ]);
    const [a, dir, same] = paths('/');
    expect(a?.exclusive.objects).toBe(0);
    expect(a?.shared).toEqual(fileUsage(repo, files[0]));
    // Without /dir the file c and the directory itself would go; b is in /same and in the first commit.
    expect(dir?.exclusive.objects).toBe(2);
    expect(dir?.exclusive.apparentBytes).toBeGreaterThan(content(2).length);
    expect(same?.exclusive.objects).toBe(0);
    expect(paths('/dir').map(({ path, exclusive }) => [path, exclusive.objects])).toEqual([
      ['/dir/b', 0],
      ['/dir/c', 1],
    ]);
    expect(paths('/d', 'other')).toEqual([
      { path: '/d', kind: 'file', exclusive: fileUsage(repo, files[3]), shared: { objects: 0, apparentBytes: 0, diskBytes: 0 } },
    ]);
    expect(paths('/', commits[0]).length).toBe(2);
    expect(() => paths('/nothing')).toThrow(expect.objectContaining({ code: 'path-not-found' }));
    expect(() => paths('/', 'nothing')).toThrow(expect.objectContaining({ code: 'ref-not-found' }));
  });

  it('measures contents that are stored more than once', async () => {
    const { repo, files } = await build();
    expect(du(repo).duplicates).toEqual({ contents: 0, objects: 0, extraDiskBytes: 0, largest: [], indexedObjects: 0 });
    const transaction = await beginTransaction(repo);
    const header = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o100600, target: '', xattrs: [] };
    const twin = transaction.writer.writeBuffer(header, Buffer.from(content(3))).checksum;
    await transaction.commit();
    await rebuildContentIndex(repo, { threads: 0 });
    const { duplicates } = du(repo);
    expect(duplicates).toMatchObject({ contents: 1, objects: 2, indexedObjects: 6 });
    expect(duplicates.extraDiskBytes).toBe(fileUsage(repo, twin).diskBytes);
    expect(duplicates.largest[0]?.objects).toEqual([files[3], twin].sort());
  });

  it('takes partial commits, damaged commits and aliases as they are', async () => {
    const { repo, files, commits } = await build();
    fs.rmSync(objectPath(repo, files[3] as Checksum, 'file'));
    writeAlias(repo, 'alias', 'main');
    putObject(repo, 'commit', Buffer.from('rubbish'), 'ab'.repeat(32) as Checksum);
    const report = du(repo);
    expect(report.commits.find(({ commit }) => commit === commits[2])?.missingObjects).toBe(1);
    expect([report.commits.length, report.refs.map(({ ref }) => ref)]).toEqual([3, ['main', 'other']]);
    expect(report.refs[0]?.exclusive.objects).toBeGreaterThan(0);
  });

  it('is empty for an empty repository', () => {
    const repo = initRepo(join(scratchDir(), 'repo'));
    const nothing: Usage = { objects: 0, apparentBytes: 0, diskBytes: 0 };
    expect(du(repo)).toMatchObject({ total: nothing, unneeded: nothing, commits: [], refs: [], paths: [] });
  });
});
