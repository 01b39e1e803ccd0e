/**
 * Full and read-only file systems, real ones (tmpfs): what cannot be written is refused with the bytes needed and available, what
 * is there stays readable, and nothing is lost.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compareTrees, ostreeFsck } from '../helpers/oracle.ts';
import { hacktree, hacktreeOk, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const withRoot = requireTool('ostree', 'mount') && requireRoot() ? it : it.skip;

const FILE_BYTES = 100_000;
interface Place {
  readonly mount: string;
  readonly repo: string;
  readonly tree: string;
  readonly commit: string;
}

/** Makes a file system of `sizeMb` with a repository that holds a commit of `files` files, for as long as `use` takes. */
function inPlace(sizeMb: number, files: number, settings: readonly string[], use: (place: Place) => void): void {
  const dir = scratchDir();
  const mount = join(dir, 'mount');
  fs.mkdirSync(mount);
  runOk('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', mount]);
  try {
    use(makePlace(dir, mount, files, settings));
  } finally {
    runOk('umount', [mount]);
  }
}

function makePlace(dir: string, mount: string, files: number, settings: readonly string[]): Place {
  const tree = join(dir, 'tree');
  fs.mkdirSync(join(tree, 'usr'), { recursive: true });
  for (let i = 0; i < files; i++) fs.writeFileSync(join(tree, 'usr', `file-${i}`), noise(FILE_BYTES, `${i}`));
  const repo = join(mount, 'repo');
  hacktreeOk([`--repo=${repo}`, 'init', '--mode=bare']);
  for (const setting of settings) hacktreeOk([`--repo=${repo}`, 'config', 'set', ...setting.split('=')]);
  return { mount, repo, tree, commit: hacktreeOk([`--repo=${repo}`, 'commit', '--branch=main', tree]) };
}

/** Writes until nothing more fits. */
function fill(mount: string): void {
  const fd = fs.openSync(join(mount, 'filling'), 'w');
  const piece = Buffer.alloc(4096, 1);
  try {
    for (;;) fs.writeSync(fd, piece);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    fs.closeSync(fd);
  }
  expect(fs.statfsSync(mount).bavail).toBe(0);
}

/** Commands that only read, and what each must print. */
function expectReadable({ repo, commit, tree }: Place): void {
  expect(hacktreeOk([`--repo=${repo}`, 'refs'])).toBe('main');
  expect(hacktreeOk([`--repo=${repo}`, 'rev-parse', 'main'])).toBe(commit);
  expect(hacktreeOk([`--repo=${repo}`, 'log', 'main'])).toContain(`commit ${commit}`);
  expect(hacktreeOk([`--repo=${repo}`, 'show', 'main'])).toContain(`commit ${commit}`);
  expect(hacktreeOk([`--repo=${repo}`, 'ls', '-R', 'main']).split('\n')).toHaveLength(
    2 + fs.readdirSync(join(tree, 'usr')).length,
  );
  expect(hacktreeOk([`--repo=${repo}`, 'fsck'])).toContain('no errors found');
  expect(hacktreeOk([`--repo=${repo}`, 'index', 'check'])).toContain('records');
  expect(hacktreeOk([`--repo=${repo}`, 'prune', '--dry-run', '--refs-only'])).toContain('No unreachable objects');
  expect(ostreeFsck(repo)).toBe('');
}

describe('a full file system', () => {
  withRoot('is readable, and refuses writes without losing anything', () =>
    inPlace(8, 20, ['core.min-free-space-percent=0'], (place) => {
      fill(place.mount);
      expectReadable(place);
      for (const args of [
        ['refs', '--create=other', 'main'],
        ['config', 'set', 'core.x', 'y'],
        ['commit', '--branch=main', place.mount],
      ]) {
        const { status, stderr } = hacktree([`--repo=${place.repo}`, ...args]);
        expect([args[0], status]).toEqual([args[0], 1]);
        expect(stderr).toMatch(/^error: .*(No space left on device|would be exceeded)/);
      }
      expectReadable(place);
      fs.rmSync(join(place.mount, 'filling'));
      hacktreeOk([`--repo=${place.repo}`, 'refs', '--create=other', 'main']);
      expect(hacktreeOk([`--repo=${place.repo}`, 'refs'])).toBe('main\nother');
    }),
  );

  withRoot('lets space be freed: a ref deleted, its objects pruned', () =>
    inPlace(8, 20, ['core.min-free-space-percent=0'], (place) => {
      fill(place.mount);
      hacktreeOk([`--repo=${place.repo}`, 'refs', '--delete', 'main']);
      hacktreeOk([`--repo=${place.repo}`, 'prune', '--refs-only']);
      expect(fs.statfsSync(place.mount).bavail * 4096).toBeGreaterThan(20 * FILE_BYTES);
    }),
  );
});

describe('a file system that is too small', () => {
  for (const percent of [0, 3]) {
    withRoot(`refuses a commit with the bytes needed and available, reserve ${percent} %`, () =>
      inPlace(8, 20, [`core.min-free-space-percent=${percent}`], (place) => {
        fs.writeFileSync(join(place.tree, 'usr/huge'), noise(9_000_000, 'huge'));
        const { status, stderr } = hacktree([`--repo=${place.repo}`, 'commit', '--branch=main', place.tree]);
        expect(status).toBe(1);
        expect(stderr).toMatch(
          /^error: min-free-space-percent '\d%' would be exceeded, at least 9003\.0 kB requested \(\d+\.\d kB available\)/,
        );
        fs.rmSync(join(place.tree, 'usr/huge'));
        expectReadable(place);
      }),
    );
  }

  withRoot('refuses a checkout of copies, says what it needs, leaves nothing; hard links fit', () =>
    inPlace(3, 20, ['core.min-free-space-percent=0'], (place) => {
      const destination = join(place.mount, 'root');
      const { status, stderr } = hacktree([`--repo=${place.repo}`, 'checkout', '-C', 'main', destination]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/No space left on device/);
      const needed = Number(/expected: (\d+) bytes free/.exec(stderr)?.[1]);
      expect(needed).toBeGreaterThanOrEqual(20 * FILE_BYTES);
      expect(Number(/found: (\d+) bytes/.exec(stderr)?.[1])).toBeLessThan(needed);
      expect(fs.readdirSync(place.mount)).toEqual(['repo']);
      expectReadable(place);
      hacktreeOk([`--repo=${place.repo}`, 'checkout', '-H', 'main', destination]);
      expect(compareTrees(join(destination, 'usr'), join(place.tree, 'usr'), { times: false, linkCounts: false })).toEqual([]);
    }),
  );
});

describe('a read-only file system', () => {
  withRoot('is readable, and says why nothing can be written', () =>
    inPlace(8, 3, [], (place) => {
      runOk('mount', ['-o', 'remount,ro', place.mount]);
      expectReadable(place);
      for (const args of [
        ['refs', '--create=other', 'main'],
        ['refs', '--delete', 'main'],
        ['commit', '--branch=main', place.tree],
        ['prune', '--refs-only'],
        ['config', 'set', 'core.x', 'y'],
        ['checkout', 'main', join(place.mount, 'root')],
      ]) {
        const { status, stderr } = hacktree([`--repo=${place.repo}`, ...args]);
        expect([args[0], status, stderr.split('\n')[0]]).toEqual([
          args[0],
          1,
          expect.stringMatching(/^error: .*: Read-only file system$/),
        ]);
      }
      expectReadable(place);
    }),
  );
});
