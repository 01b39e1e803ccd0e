/** Every option of checkout in every repository mode gives the tree that ostree gives. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout } from '../../../src/checkout/index.ts';
import { openRepo } from '../../../src/repo/index.ts';
import { setXattr } from '../../../src/sys/index.ts';
import { listCheckout } from '../../helpers/checkouts.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../../helpers/oracle.ts';
import { requireRoot, requireTool, run, runOk } from '../../helpers/run.ts';
import { scratchDir } from '../../helpers/scratch.ts';
import { makeSmallTree } from '../../helpers/trees.ts';

const withOstree = requireTool('ostree') && requireRoot() ? it : it.skip;

const MODES = ['bare', 'bare-user', 'bare-user-only', 'archive'] as const;
type Mode = (typeof MODES)[number];

interface Place {
  readonly dir: string;
  readonly repo: string;
  readonly dest: string;
}

const base = fs.mkdtempSync(join(os.tmpdir(), 'hacktree-checkout-'));
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

/** Makes each repository once. */
function repoOf(mode: Mode, makeTree: (dir: string) => void): string {
  const repo = join(base, `${makeTree.name}-${mode}`);
  const tree = join(base, makeTree.name);
  if (!fs.existsSync(tree)) makeTree(tree);
  if (!fs.existsSync(repo)) {
    initOstreeRepo(repo, mode);
    ostree(repo, 'config', 'set', 'core.fsync', 'false');
    ostreeCommit(repo, tree);
  }
  return repo;
}

/** Two copies of one repository, so that link counts can be compared. */
function makePlaces(mode: Mode, makeTree: (dir: string) => void): { ours: Place; theirs: Place } {
  const dir = scratchDir();
  const place = (name: string): Place => {
    const repo = join(dir, name, 'repo');
    fs.mkdirSync(join(dir, name));
    runOk('cp', ['-a', repoOf(mode, makeTree), repo]);
    return { dir: join(dir, name), repo, dest: join(dir, name, 'out') };
  };
  return { ours: place('ours'), theirs: place('theirs') };
}

/** Checks out with both programs and compares results; `prepare` makes what is at the destination before. */
async function compare(
  places: { ours: Place; theirs: Place },
  options: CheckoutOptions,
  flags: readonly string[],
  prepare?: (dest: string) => void,
): Promise<{ listing: string[]; stderr: string }> {
  const { ours, theirs } = places;
  for (const { dest } of [ours, theirs]) prepare?.(dest);
  const { status, stderr } = run('ostree', [`--repo=${theirs.repo}`, 'checkout', ...flags, 'main', theirs.dest]);
  const request = { rev: 'main', destination: ours.dest, options };
  if (status === 0) await checkout(openRepo(ours.repo), request);
  else await expect(checkout(openRepo(ours.repo), request)).rejects.toThrow();
  const listing = status === 0 ? listCheckout(ours.dest) : [];
  if (status === 0) expect(listing).toEqual(listCheckout(theirs.dest));
  const cache = 'uncompressed-objects-cache';
  expect(fs.existsSync(join(ours.repo, cache))).toBe(fs.existsSync(join(theirs.repo, cache)));
  if (status === 0 && fs.existsSync(join(ours.repo, cache))) {
    expect(listCheckout(join(ours.repo, cache))).toEqual(listCheckout(join(theirs.repo, cache)));
  }
  const found = fs.readdirSync(ours.dir).sort();
  expect(found).toEqual(status === 0 || prepare !== undefined ? fs.readdirSync(theirs.dir).sort() : ['repo']);
  return { listing, stderr };
}

describe.each(MODES)('checkout of a %s repository', (mode) => {
  const plain: [string, CheckoutOptions, string[]][] = [
    ['no options', {}, []],
    ['-U', { userMode: true }, ['-U']],
    ['-C', { forceCopy: true }, ['-C']],
    ['-U -C', { userMode: true, forceCopy: true }, ['-U', '-C']],
    ['-M', { bareUserOnlyDirs: true }, ['-M']],
    ['-U -M', { userMode: true, bareUserOnlyDirs: true }, ['-U', '-M']],
    ['-H', { requireHardlinks: true }, ['-H']],
    ['-U -H', { userMode: true, requireHardlinks: true }, ['-U', '-H']],
    ['--union on nothing', { union: 'replace' }, ['--union']],
    ['one thread', { threads: 1 }, []],
    ['three threads', { threads: 3 }, []],
    ['--fsync', { fsync: true }, ['--fsync=true']],
  ];
  if (mode === 'archive') plain.push(['-U --disable-cache', { userMode: true, disableCache: true }, ['-U', '--disable-cache']]);

  withOstree.each(plain)('%s', async (_, options, flags) => {
    await compare(makePlaces(mode, makeSmallTree), options, flags);
  });

  withOstree('again, from what the first run left in the repository', async () => {
    const places = makePlaces(mode, makeSmallTree);
    await compare(places, { userMode: true }, ['-U']);
    const again = {
      ours: { ...places.ours, dest: `${places.ours.dest}2` },
      theirs: { ...places.theirs, dest: `${places.theirs.dest}2` },
    };
    await compare(again, { userMode: true }, ['-U']);
  });
});

/** A little of everything that a destination may hold already; `/same` is for makeUnionTree's. */
function makeUnionTree(dir: string): void {
  fs.mkdirSync(join(dir, 'usr/bin'), { recursive: true });
  fs.mkdirSync(join(dir, 'empty'));
  fs.mkdirSync(join(dir, 'own'), { mode: 0o750 });
  for (const name of ['a', 'b', 'usr/bin/tool', 'own/file', 'suid']) fs.writeFileSync(join(dir, name), `new ${name}\n`);
  fs.writeFileSync(join(dir, 'zero'), '');
  fs.symlinkSync('a', join(dir, 'link'));
  fs.symlinkSync('usr', join(dir, 'lib'));
  fs.chownSync(join(dir, 'own'), 7, 8);
  fs.chmodSync(join(dir, 'own'), 0o2775);
  fs.chmodSync(join(dir, 'suid'), 0o4755);
  setXattr(join(dir, 'own'), 'user.x', Buffer.from('y'));
}

function makeOldTree(dir: string): void {
  fs.mkdirSync(join(dir, 'usr'), { recursive: true });
  fs.mkdirSync(join(dir, 'empty/kept'), { recursive: true });
  fs.writeFileSync(join(dir, 'a'), 'old\n');
  fs.writeFileSync(join(dir, 'b'), 'new b\n');
  fs.writeFileSync(join(dir, 'usr/old'), 'old\n');
  fs.writeFileSync(join(dir, 'zero'), '');
  fs.symlinkSync('/etc/passwd', join(dir, 'link'));
  fs.chmodSync(join(dir, 'usr'), 0o711);
  fs.chownSync(join(dir, 'usr'), 9, 9);
  fs.utimesSync(join(dir, 'empty'), 1_000_000_000, 1_000_000_000);
}

describe.each(MODES)('checkout of a %s repository into an existing directory', (mode) => {
  const unions: [string, CheckoutOptions, string[]][] = [
    ['--union', { union: 'replace' }, ['--union']],
    ['--union-add', { union: 'add' }, ['--union-add']],
    ['--union -C', { union: 'replace', forceCopy: true }, ['--union', '-C']],
    ['--union-add -C', { union: 'add', forceCopy: true }, ['--union-add', '-C']],
    ['--union -U', { union: 'replace', userMode: true }, ['--union', '-U']],
    ['--union-add -U', { union: 'add', userMode: true }, ['--union-add', '-U']],
    ['--union -H', { union: 'replace', requireHardlinks: true }, ['--union', '-H']],
    ['--union-identical -H', { union: 'identical', requireHardlinks: true }, ['--union-identical', '-H']],
    [
      '--union-identical -U -H',
      { union: 'identical', requireHardlinks: true, userMode: true },
      ['--union-identical', '-U', '-H'],
    ],
    ['--union-identical', { union: 'identical' }, ['--union-identical']],
    ['no option', {}, []],
  ];

  withOstree.each(unions)('%s over other files', async (_, options, flags) => {
    await compare(makePlaces(mode, makeUnionTree), options, flags, makeOldTree);
  });

  withOstree.each(unions.slice(0, -2))('%s over an empty directory', async (_, options, flags) => {
    await compare(makePlaces(mode, makeUnionTree), options, flags, (dest) => fs.mkdirSync(dest, { mode: 0o711 }));
  });

  withOstree.each(unions.slice(0, -2))('%s over the same tree, copied', async (_, options, flags) => {
    await compare(makePlaces(mode, makeUnionTree), options, flags, makeUnionTree);
  });
});
