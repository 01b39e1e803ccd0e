/**
 * OSTree's merge as the floor: one deployment holds every case of the table, each under a name of its own, ostree merges it
 * with a second one, and what it kept, we keep.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, it } from '@jest/globals';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { CASES, treeAt } from './cases.ts';
import { mergeDirs, readTree, type TreeEntries, writeTree } from './trees.ts';

const withOstree = requireTool('ostree', 'chattr') && requireRoot() ? it : it.skip;

/**
 * OSTree refuses to deploy where the user has a changed file or symlink and the new default is a directory, and where the
 * user changed something below a directory that the new defaults have turned into a file or symlink.
 */
const DEPLOYABLE = CASES.filter(([d, u, n]) => {
  const isLeafAgainstDir = /^[fl]/.test(u) && u !== d && n.startsWith('d');
  const isDirAgainstLeaf = d.startsWith('d') && u.startsWith('d') && u !== d && /^[fl]/.test(n);
  return !isLeafAgainstDir && !isDirAgainstLeaf;
});

/** Where the user turned a file into a directory that is one in the new defaults, too, ostree forgets the user's files in it. */
const isForgotten = ([d, u, n]: readonly [string, string, string]): boolean =>
  /^[fl]/.test(d) && u.startsWith('d') && n.startsWith('d');

function side(index: 0 | 1 | 2): TreeEntries {
  return Object.fromEntries(DEPLOYABLE.map((things) => [things.join(' '), { dir: treeAt(things[index]) }]));
}

/** Makes what ostree wants to see in a tree besides /etc. */
function writeOs(dir: string, etc: TreeEntries): void {
  const kernel = { vmlinuz: 'kernel', 'initramfs.img': 'initramfs' };
  writeTree(dir, {
    boot: { dir: {} },
    sysroot: { dir: {} },
    var: { dir: {} },
    usr: {
      dir: { etc: { dir: etc }, lib: { dir: { 'os-release': 'ID=test\n', modules: { dir: { '6.1': { dir: kernel } } } } } },
    },
  });
}

withOstree('whatever ostree keeps, we keep', () => {
  const dir = scratchDir();
  const at = (name: string): string => path.join(dir, name);
  const sysroot = at('sysroot');
  fs.mkdirSync(sysroot);
  runOk('ostree', ['admin', 'init-fs', '--modern', sysroot]);
  runOk('ostree', ['admin', `--sysroot=${sysroot}`, 'os-init', 'test']);
  const deployments = path.join(sysroot, 'ostree/deploy/test/deploy');
  const deploy = (tree: string): string => {
    const commit = runOk('ostree', [`--repo=${sysroot}/ostree/repo`, 'commit', '--branch=main', tree]);
    runOk('ostree', ['admin', `--sysroot=${sysroot}`, 'deploy', '--os=test', 'main']);
    return path.join(deployments, `${commit}.0`);
  };
  try {
    writeOs(at('D'), side(0));
    writeOs(at('N'), side(2));
    const old = deploy(at('D'));
    for (const name of fs.readdirSync(path.join(old, 'etc'))) fs.rmSync(path.join(old, 'etc', name), { recursive: true });
    writeTree(path.join(old, 'etc'), side(1));
    const next = deploy(at('N'));
    const theirs = readTree(path.join(next, 'etc'));
    const ours = mergeDirs([path.join(old, 'usr/etc'), path.join(old, 'etc'), path.join(next, 'usr/etc')], at('R')).tree;
    const forgotten = DEPLOYABLE.filter(isForgotten).map((things) => things.join(' '));
    const comparable = (tree: Record<string, string>): Record<string, string> => {
      const entries = Object.entries(tree).filter(([name]) => !forgotten.includes(name.split('/')[0] ?? ''));
      return Object.fromEntries(entries.filter(([name]) => !/\.hacktree-new(\/|$)/.test(name)));
    };
    expect(DEPLOYABLE.length - forgotten.length).toBeGreaterThan(200);
    expect(comparable(ours)).toEqual(comparable(theirs));
    const mine = Object.entries(readTree(path.join(old, 'etc'))).filter(([name]) => forgotten.includes(name.split('/')[0] ?? ''));
    expect(mine.length).toBeGreaterThan(forgotten.length);
    for (const [name, state] of mine) expect([name, ours[name]]).toEqual([name, state]);
  } finally {
    for (const name of fs.readdirSync(deployments)) {
      if (!name.endsWith('.origin')) runOk('chattr', ['-i', path.join(deployments, name)]);
    }
  }
});
