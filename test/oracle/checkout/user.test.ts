/** Checkouts by an ordinary user, compared with ostree run by the same user. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout } from '../../../src/checkout/index.ts';
import { openRepo } from '../../../src/repo/index.ts';
import { listCheckout } from '../../helpers/checkouts.ts';
import { initOstreeRepo, ostreeCommit } from '../../helpers/oracle.ts';
import { requireRoot, requireTool, run, runOk } from '../../helpers/run.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const withOstree = requireTool('ostree', 'setpriv') && requireRoot() ? it : it.skip;

const USER = 54_321;

/** Does something as an ordinary user without groups. */
async function asUser<T>(work: () => Promise<T>): Promise<T> {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([]);
  process.setegid?.(USER);
  process.seteuid?.(USER);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

function makeTree(tree: string): void {
  fs.mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  for (const [name, mode] of [
    ['a', 0o644],
    ['usr/bin/tool', 0o755],
    ['usr/suid', 0o4755],
    ['wide', 0o666],
    ['usr/read-only', 0o444],
  ] as const) {
    fs.writeFileSync(join(tree, name), name);
    fs.chmodSync(join(tree, name), mode);
  }
  fs.writeFileSync(join(tree, 'zero'), '');
  fs.symlinkSync('a', join(tree, 'link'));
  for (const [name, mode] of [
    ['read-only', 0o555],
    ['no-entry', 0o600],
    ['nothing', 0o000],
    ['sticky', 0o1777],
  ] as const) {
    fs.mkdirSync(join(tree, name, 'below'), { recursive: true });
    fs.writeFileSync(join(tree, name, 'below/file'), name);
    fs.chmodSync(join(tree, name), mode);
  }
}

describe.each(['bare', 'bare-user', 'bare-user-only', 'archive'])('a %s repository', (mode) => {
  const cases: [string, CheckoutOptions, string[]][] = [
    ['no options', {}, []],
    ['-U', { userMode: true }, ['-U']],
    ['-U -H', { userMode: true, requireHardlinks: true }, ['-U', '-H']],
    ['-U -C', { userMode: true, forceCopy: true }, ['-U', '-C']],
    ['-U -M', { userMode: true, bareUserOnlyDirs: true }, ['-U', '-M']],
    ['-U --union', { userMode: true, union: 'replace' }, ['-U', '--union']],
    ['-U --union-add', { userMode: true, union: 'add' }, ['-U', '--union-add']],
  ];

  withOstree.each(cases)('%s', async (_, options, flags) => {
    const dir = scratchDir();
    makeTree(join(dir, 'tree'));
    initOstreeRepo(join(dir, 'repo'), mode);
    ostreeCommit(join(dir, 'repo'), join(dir, 'tree'), '--owner-uid=0', '--owner-gid=0');
    runOk('chown', ['-R', `${USER}:${USER}`, dir]);
    runOk('cp', ['-a', join(dir, 'repo'), join(dir, 'their-repo')]);
    const [ours, theirs] = [join(dir, 'out'), join(dir, 'their-out')];
    if (options.union !== undefined) {
      for (const dest of [ours, theirs]) {
        fs.mkdirSync(join(dest, 'usr'), { recursive: true });
        fs.writeFileSync(join(dest, 'usr/suid'), 'old');
        fs.chmodSync(join(dest, 'usr'), 0o2755);
        runOk('chown', ['-R', `${USER}:${USER}`, dest]);
        fs.chownSync(join(dest, 'usr'), USER, USER + 1);
        fs.chmodSync(join(dest, 'usr'), 0o2775);
      }
    }
    const drop = ['--reuid', String(USER), '--regid', String(USER), '--clear-groups'];
    const command = ['ostree', `--repo=${join(dir, 'their-repo')}`, 'checkout', ...flags, 'main', theirs];
    const { status, stderr } = run('setpriv', [...drop, ...command]);
    const before = fs.readdirSync(dir);
    const request = { rev: 'main', destination: ours, options };
    const work = asUser(() => checkout(openRepo(join(dir, 'repo')), request));
    if (status === 0) {
      await work;
      expect(listCheckout(ours)).toEqual(listCheckout(theirs));
    } else {
      await expect(work).rejects.toMatchObject({ code: stderr.includes('not permitted') ? 'permission' : 'repo-mode' });
      expect(fs.readdirSync(dir)).toEqual(before);
    }
  });
});
