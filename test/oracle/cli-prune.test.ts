/** `prune`: the drop-in and the real ostree keep and remove the same, and say the same of it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, it } from '@jest/globals';
import { fixtureDir } from '../helpers/fixture.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { requireTool } from '../helpers/run.ts';
import { compareSides } from '../helpers/side-by-side.ts';

const withOstree = requireTool('ostree') ? it : it.skip;

const start = join(fixtureDir(), 'start');
const NONE = 'a'.repeat(64);
const repo = join(start, 'r');

/** Two branches with commits at known times, so that there is something to keep and to remove. */
beforeAll(() => {
  const tree = join(start, 'tree');
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc/file'), 'in both branches\n');
  initOstreeRepo(repo, 'bare-user');
  for (const [i, time] of [86_400, 172_800, 259_200].entries()) {
    writeFileSync(join(tree, 'version'), `${i}\n`);
    ostreeCommit(repo, tree, `--timestamp=@${time}`);
    ostreeCommit(repo, join(tree, 'etc'), `--timestamp=@${time}`, '--branch=second/branch');
  }
  rmSync(tree, { recursive: true });
});

function compare(args: readonly string[], prepare?: (dir: string) => void): void {
  compareSides(args, { start, prepare, names: ['r'] });
}

describe('prune', () => {
  withOstree.each([
    [[]],
    [['--no-prune']],
    [['--refs-only']],
    [['--refs-only', '--depth=0']],
    [['--refs-only', '--depth=1', '--no-prune']],
    [['--depth', '1']],
    [['--refs-only', '--depth=0', '--commit-only']],
    [['--commit-only']],
    [['--keep-younger-than=1970-01-03 00:00:00 +0000']],
    [['--keep-younger-than=@86401', '--retain-branch-depth=main=2']],
    [['--retain-branch-depth=main=1']],
    [['--only-branch=main', '--refs-only', '--depth=0']],
    [['--only-branch=main', '--keep-younger-than=@200000']],
    [['--only-branch=nothing', '--depth=0']],
    [['--keep-younger-than=garbage']],
    [['--retain-branch-depth=main']],
    [['--depth=few']],
    [[`--delete-commit=${NONE}`, '--no-prune']],
  ])('%j', (options) => {
    compare(['prune', ...options]);
  });

  withOstree('of a named commit', () => {
    compare(['prune', `--delete-commit=${ostree(repo, 'rev-parse', 'main^')}`]);
    compare(['prune', `--delete-commit=${ostree(repo, 'rev-parse', 'main')}`]);
  });

  withOstree('after a ref is gone', () => {
    const forget = (dir: string): void => void ostree(join(dir, 'r'), 'refs', '--delete', 'second');
    compare(['prune', '--refs-only'], forget);
    compare(['prune', '--refs-only', '--no-prune'], forget);
  });
});
