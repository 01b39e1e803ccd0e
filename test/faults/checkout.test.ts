/**
 * Checkout under fire: killed at, or failed by, system calls all along. A fresh destination is complete or absent, an existing one
 * holds whole files only, the repository is sound, and the next checkout succeeds and clears away what was left.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout } from '../../src/checkout/index.ts';
import { commit, initRepo, openRepo } from '../../src/repo/index.ts';
import { setXattr } from '../../src/sys/index.ts';
import { matchingCalls, runWithFault, spread } from '../helpers/faults.ts';
import { compareTrees, ostree, ostreeFsck } from '../helpers/oracle.ts';
import { HACKTREE, requireRoot, requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withTools = requireTool('strace', 'ostree') && requireRoot() ? it : it.skip;

const CALLS = [
  'linkat',
  'mkdirat,mkdir',
  'mknodat,symlinkat',
  'openat',
  'renameat2,rename',
  'utimensat',
  'statx',
  'pread64,read',
  'write,copy_file_range,ioctl',
  'fchmod,fchmodat',
  'fchown,fchownat',
  'fsetxattr,lsetxattr',
];
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  linkat: ['EIO', 'ENOSPC', 'EDQUOT'],
  'mkdirat,mkdir': ['ENOSPC', 'EDQUOT'],
  'mknodat,symlinkat': ['ENOSPC'],
  openat: ['EIO', 'ENOSPC'],
  'renameat2,rename': ['EIO', 'ENOSPC'],
  'write,copy_file_range,ioctl': ['EIO', 'ENOSPC'],
  statx: ['EIO'],
  'pread64,read': ['EIO'],
  'fsetxattr,lsetxattr': ['ENOSPC'],
};
const PER_CALL = 4;
/** Copies and empty files have the time of their making. */
const ASPECTS = { times: false };

/** Calls that a way of checking out never makes on its files. */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  'by hard links': ['write,copy_file_range,ioctl', 'fsetxattr,lsetxattr'],
  'by copies': ['linkat', 'utimensat'],
  'into an existing directory': ['mknodat,symlinkat', 'write,copy_file_range,ioctl', 'fsetxattr,lsetxattr'],
};

let injected = 0;

interface Ground {
  readonly dir: string;
  readonly repo: string;
  readonly destination: string;
  readonly argv: readonly string[];
  readonly options: CheckoutOptions;
  /** What the real ostree makes of the same request. */
  readonly wanted: string;
  /** Puts everything back before a fault. */
  reset(): void;
}

/** Options for the command, and the same for the service. */
const WAYS: Readonly<Record<string, readonly [readonly string[], CheckoutOptions]>> = {
  'by hard links': [[], {}],
  'by copies': [['-C'], { forceCopy: true }],
  'into an existing directory': [['--union'], { union: 'replace' }],
};

/** Files of all kinds: linked, empty (of two owners), with xattrs; symlinks; directories with another owner and mode. */
async function prepare(flags: readonly string[], options: CheckoutOptions): Promise<Ground> {
  const dir = scratchDir();
  const tree = join(dir, 'tree');
  for (const part of ['etc/private', 'usr/bin', 'usr/lib/deep']) fs.mkdirSync(join(tree, part), { recursive: true });
  for (let i = 0; i < 8; i++) fs.writeFileSync(join(tree, 'usr/bin', `file-${i}`), `content ${i}`.repeat(100));
  for (let i = 0; i < 4; i++) fs.writeFileSync(join(tree, 'usr/lib/deep', `empty-${i}`), '');
  fs.chownSync(join(tree, 'usr/lib/deep/empty-3'), 3, 4);
  fs.symlinkSync('file-1', join(tree, 'usr/bin/link'));
  setXattr(join(tree, 'usr/bin/file-3'), 'user.x', Buffer.from('1'));
  fs.chownSync(join(tree, 'etc/private'), 3, 4);
  fs.chmodSync(join(tree, 'etc/private'), 0o2770);
  const repo = initRepo(join(dir, 'repo'), { mode: 'bare' });
  await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: tree }] });
  const place = join(dir, 'place');
  const [destination, wanted] = [join(place, 'root'), join(dir, 'wanted')];
  const isUnion = options.union !== undefined;
  const start = (path: string): void => {
    fs.rmSync(path, { recursive: true, force: true });
    if (!isUnion) return;
    fs.mkdirSync(join(path, 'usr/bin'), { recursive: true });
    fs.writeFileSync(join(path, 'usr/bin/file-1'), 'an older file');
    fs.writeFileSync(join(path, 'usr/bin/own'), 'not in the commit');
  };
  start(wanted);
  ostree(repo.path, 'checkout', ...flags, 'main', wanted);
  const reset = (): void => {
    fs.rmSync(place, { recursive: true, force: true });
    fs.mkdirSync(place);
    start(destination);
  };
  const argv = [HACKTREE, 'checkout', `--repo=${repo.path}`, ...flags, 'main', destination];
  return { dir, repo: repo.path, destination, argv, options, wanted, reset };
}

/** Every file that is there is the old one or the wanted one. */
function checkWhole({ destination, wanted }: Ground, label: string): void {
  for (const name of fs.readdirSync(wanted, { recursive: true, encoding: 'utf8' })) {
    const stat = fs.lstatSync(join(destination, name), { throwIfNoEntry: false });
    if (stat?.isFile() !== true) continue;
    const text = fs.readFileSync(join(destination, name), 'latin1');
    const whole = [fs.readFileSync(join(wanted, name), 'latin1'), ...(name === 'usr/bin/file-1' ? ['an older file'] : [])];
    expect([label, name, whole.includes(text)]).toEqual([label, name, true]);
  }
}

async function judge(ground: Ground, label: string): Promise<void> {
  const { destination, wanted, repo, options } = ground;
  expect([label, ostreeFsck(repo)]).toEqual([label, '']);
  if (options.union !== undefined) checkWhole(ground, label);
  else if (fs.existsSync(destination)) {
    expect([label, compareTrees(destination, wanted, ASPECTS)]).toEqual([label, []]);
    // Also after an error: what fails then is what comes after the checkout, for example loading the code that ends it.
    fs.rmSync(destination, { recursive: true });
  }
  await checkout(openRepo(repo), { rev: 'main', destination, options });
  expect([label, compareTrees(destination, wanted, ASPECTS)]).toEqual([label, []]);
  expect([label, fs.readdirSync(join(ground.dir, 'place'))]).toEqual([label, ['root']]);
}

for (const [way, [flags, options]] of Object.entries(WAYS)) {
  describe(`checkout ${way}`, () => {
    for (const calls of CALLS.filter((names) => UNUSED[way]?.includes(names) !== true)) {
      for (const effect of ['signal=KILL', ...(ERRORS[calls] ?? []).map((error) => `error=${error}`)]) {
        withTools(`${effect} at ${calls}`, async () => {
          const ground = await prepare(flags, options);
          ground.reset();
          const positions = matchingCalls(ground.argv, ground.dir, calls);
          expect(positions).not.toEqual([]);
          for (const when of spread(positions, PER_CALL)) {
            ground.reset();
            runWithFault(ground.argv, { calls, effect, when });
            injected++;
            await judge(ground, `${effect} at ${calls} ${when}`);
          }
        });
      }
    }
  });
}

afterAll(() => {
  console.log(`checkout: ${injected} faults injected`);
});
