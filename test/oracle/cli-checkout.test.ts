/** `checkout`: the drop-in and the real ostree say the same and leave the same trees, owners and hard links. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../helpers/fixture.ts';
import { both } from '../helpers/front-ends.ts';
import { compareTrees, initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { copySides, type Sides } from '../helpers/side-by-side.ts';

const withOstree = requireTool('ostree') && requireRoot() ? it : it.skip;

const start = join(fixtureDir(), 'start');

/** Repositories of three modes with `main`, a layer with whiteouts, and files for the options. */
beforeAll(() => {
  const tree = join(start, 'tree');
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  mkdirSync(join(tree, 'etc/empty'), { recursive: true });
  writeFileSync(join(tree, 'usr/bin/tool'), '#!/bin/sh\n', { mode: 0o4755 });
  writeFileSync(join(tree, 'etc/name'), 'main\n', { mode: 0o640 });
  writeFileSync(join(tree, 'etc/zero'), '');
  symlinkSync('usr/bin', join(tree, 'bin'));
  const layer = join(start, 'layer');
  mkdirSync(join(layer, 'etc'), { recursive: true });
  writeFileSync(join(layer, 'etc/.wh.name'), '');
  writeFileSync(join(layer, 'etc/added'), 'added\n');
  writeFileSync(join(start, 'skips'), '/usr/\n/etc/zero\n');
  writeFileSync(join(start, 'pairs'), 'main\0/usr\0main\0/etc\0');
  mkdirSync(join(start, 'dest'));
  for (const mode of ['bare', 'bare-user', 'archive']) {
    initOstreeRepo(join(start, mode), mode);
    ostreeCommit(join(start, mode), tree, '--owner-uid=12', '--owner-gid=34');
    ostreeCommit(join(start, mode), layer, '--branch=layer');
  }
});

/** Times aside: what cannot be a hard link is as old as the checkout. */
function expectEqualTrees(sides: Sides): void {
  expect(compareTrees(join(sides.ours, 'dest'), join(sides.real, 'dest'), { times: false })).toEqual([]);
}

/** Runs lines on both sides; all must agree, and so must the trees below `dest`. */
function compare(mode: string, ...lines: readonly (readonly string[])[]): number {
  const sides: Sides = copySides(start);
  let status = 0;
  for (const line of lines) {
    const [ours, real] = both([`--repo=${mode}`, 'checkout', ...line], sides);
    expect([line, ours.status, ours.stdout]).toEqual([line, real.status, real.stdout]);
    status = ours.status;
  }
  // A checkout that fails leaves nothing here, and in ostree what it made so far.
  if (status === 0) expectEqualTrees(sides);
  return status;
}

describe.each([['bare'], ['bare-user'], ['archive']])('from %s', (mode) => {
  withOstree.each([
    [['main', 'dest/a']],
    [['-U', 'main', 'dest/a']],
    [['-C', 'main', 'dest/a']],
    [['-U', '-C', 'main', 'dest/a']],
    [['-H', 'main', 'dest/a']],
    [['-U', '-H', 'main', 'dest/a']],
    [['-U', '-M', 'main', 'dest/a']],
    [['--subpath=/usr', 'main', 'dest/a']],
    [['--subpath=etc/name', 'main', 'dest/a']],
    [['-U', '--skip-list=skips', 'main', 'dest/a']],
    [['-U', '--disable-cache', '--fsync=yes', '-z', 'main', 'dest/a']],
  ])('%j', (line) => {
    compare(mode, line);
  });
});

describe('into what is there', () => {
  withOstree.each([
    [['--union', 'layer', 'dest/a']],
    [['--union-add', 'layer', 'dest/a']],
    [['--union-identical', '-H', 'main', 'dest/a']],
    [['--union', '--whiteouts', 'layer', 'dest/a']],
    [['--union', '--subpath=/etc/added', 'layer', 'dest/a/usr']],
    [['main', 'dest/a']],
  ])('%j', (line) => {
    compare('bare', ['main', 'dest/a'], line);
  });

  withOstree('an identical union stops at a file that differs', () => {
    expect(compare('bare', ['--union', 'main', 'dest/a'], ['--union', '--subpath=/etc', 'main', 'dest/a'])).toBe(0);
    expect(compare('bare', ['--union', '-C', 'main', 'dest/a'], ['--union-identical', '-H', 'layer', 'dest/a'])).toBe(0);
  });
});

describe('many at once', () => {
  withOstree('from a file', () => {
    expect(compare('bare', ['--union', '--from-file=pairs', 'dest/a'])).toBe(0);
  });
});

describe('mistakes', () => {
  withOstree.each([
    [['main', 'dest/no/such']],
    [['nothing', 'dest/a']],
    [['--subpath=/nothing', 'main', 'dest/a']],
    [['--subpath=/nothing', '--allow-noent', 'main', 'dest/a']],
    [['-H', '-C', 'main', 'dest/a']],
    [['-U', '-H', 'main', 'dest/a']],
    [['--union', '--union-add', 'main', 'dest/a']],
    [['--union-identical', 'main', 'dest/a']],
    [['--selinux-prefix=/x', 'main', 'dest/a']],
    [['--skip-list=nothing', 'main', 'dest/a']],
    [['--fsync=perhaps', 'main', 'dest/a']],
    [[]],
  ])('%j', (line) => {
    compare('bare', line);
  });
});

withOstree('makes a directory named like the ref', () => {
  const sides = copySides(start);
  const [ours, real] = both(['checkout', `--repo=../bare`, 'main'], {
    real: join(sides.real, 'dest'),
    ours: join(sides.ours, 'dest'),
  });
  expect(ours).toEqual(real);
  expectEqualTrees(sides);
  expect(
    ostree(join(sides.ours, 'bare'), 'commit', '--orphan', '--no-bindings', '--timestamp=@1', join(sides.ours, 'dest/main')),
  ).toBe(
    ostree(join(sides.real, 'bare'), 'commit', '--orphan', '--no-bindings', '--timestamp=@1', join(sides.real, 'dest/main')),
  );
});
