/**
 * The rows of the benchmark: what is run, by whom, and which ratio is wanted.
 *
 * A row is `{ name, target, contenders: { NAME: argv }, prepare(name) }`. Every contender has a folder of its own, beside the tree, so
 * all of them work on one file system. `prepare` runs before every measured run and is not measured. The first contender is the one
 * that is compared: `target.faster` wants the last one's time over the first's at least that, `target.slower` wants the first's time
 * over the last's at most that, `target.seconds` the first's time below that. `sameOutput` demands that all contenders print the same (a commit's checksum).
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A commit that comes out the same each time. */
export const COMMIT = ['commit', '--subject=bench', '--timestamp=@1700000000'];

/** Makes the rows for one place to work in. `tools` is { hacktree: argv, ostree: argv }; `run(argv)` must succeed. */
export function makeRows({ tree, work, tools, run }) {
  const at = (name, path) => join(work, name, path);
  const call = (name, path, args) => [...tools[name], `--repo=${at(name, path)}`, ...args];
  const both = (args, path = 'repo') => {
    const argvOf = typeof args === 'function' ? args : () => args;
    return Object.fromEntries(Object.keys(tools).map((name) => [name, call(name, path, argvOf(name))]));
  };
  const commit = [...COMMIT, '--branch=main', tree];

  const remove = (name, path) => rmSync(at(name, path), { recursive: true, force: true });
  const freshRepo = (name, path, mode) => {
    remove(name, path);
    run(call(name, path, ['init', `--mode=${mode}`]));
  };
  const ensureCommitted = (name) => {
    if (existsSync(at(name, 'repo/refs/heads/main'))) return;
    freshRepo(name, 'repo', 'bare');
    run(call(name, 'repo', commit));
  };
  const freshCheckout = (name) => {
    ensureCommitted(name);
    remove(name, 'checkout');
    run(call(name, 'repo', ['checkout', '--require-hardlinks', 'main', at(name, 'checkout')]));
  };

  return [
    {
      name: 'first commit, bare',
      target: { faster: 3 },
      sameOutput: true,
      prepare: (name) => freshRepo(name, 'repo', 'bare'),
      contenders: both(commit),
    },
    {
      name: 'unchanged recommit',
      target: { faster: 20 },
      sameOutput: true,
      prepare: ensureCommitted,
      contenders: both(commit),
    },
    {
      name: 'recommit, cold stat cache',
      target: { faster: 5 },
      sameOutput: true,
      prepare: (name) => {
        ensureCommitted(name);
        remove(name, 'repo/extensions/hacktree/stat-cache');
      },
      contenders: both(commit),
    },
    {
      name: 'hard-link checkout',
      target: { faster: 1.3 },
      prepare: (name) => {
        ensureCommitted(name);
        remove(name, 'checkout');
      },
      contenders: both((name) => ['checkout', '--require-hardlinks', 'main', at(name, 'checkout')]),
    },
    {
      name: 'commit -I of a hard-link checkout',
      target: { faster: 1 },
      sameOutput: true,
      prepare: (name) => {
        if (!existsSync(at(name, 'checkout'))) freshCheckout(name);
      },
      contenders: both((name) => [...COMMIT, '--branch=relinked', '--link-checkout-speedup', '-I', at(name, 'checkout')]),
    },
    { name: 'fsck', target: { faster: 3 }, prepare: ensureCommitted, contenders: both(['fsck', '--quiet']) },
    { name: 'ls -R', target: { faster: 1 }, prepare: ensureCommitted, sameOutput: true, contenders: both(['ls', '-R', 'main']) },
    {
      name: 'first commit, archive',
      target: { faster: 2 },
      sameOutput: true,
      prepare: (name) => freshRepo(name, 'archive', 'archive'),
      contenders: both(commit, 'archive'),
    },
    deployRow({ at, run, tools, remove, freshCheckout }),
    limit('cp -a', ['cp', '-a', tree, at('limits', 'copy')], () => remove('limits', 'copy')),
    limit('cp -al', ['cp', '-al', tree, at('limits', 'links')], () => remove('limits', 'links')),
    limit('sha256sum', ['sh', '-c', 'find "$1" -type f -print0 | xargs -0 sha256sum', 'sh', tree]),
    startUp('--version', [...tools.hacktree, '--version'], () => {}),
    startUp('refs', call('hacktree', 'repo', ['refs']), () => ensureCommitted('hacktree')),
    startUp('rev-parse', call('hacktree', 'repo', ['rev-parse', 'main']), () => ensureCommitted('hacktree')),
  ];
}

/** A deployment of a tree that is in the repository, against a checkout of it by hard links into the same place. */
function deployRow({ at, run, tools, remove, freshCheckout }) {
  const sysroot = at('hacktree', 'sysroot');
  const repo = `${sysroot}/gnomeos/repo`;
  const prepare = () => {
    freshCheckout('hacktree'); // also makes sure of the commit
    remove('hacktree', 'checkout');
    remove('hacktree', 'sysroot');
    for (const dir of ['boot', 'etc']) mkdirSync(join(sysroot, dir), { recursive: true });
    run([...tools.hacktree, 'sysroot', 'init', `--sysroot=${sysroot}`]);
    rmSync(repo, { recursive: true });
    run(['cp', '-al', at('hacktree', 'repo'), repo]);
  };
  const deploy = [...tools.hacktree, 'deploy', `--sysroot=${sysroot}`, '--bootloader=none', '--name=bench', 'main'];
  const checkout = [...tools.hacktree, 'checkout', `--repo=${repo}`, '-H', 'main', join(sysroot, 'gnomeos/checkout')];
  return { name: 'deploy', target: { slower: 1.5 }, prepare, contenders: { hacktree: deploy, checkout } };
}

function limit(name, argv, prepare = () => {}) {
  return { name: `limit: ${name}`, prepare, contenders: { limit: argv } };
}

/** Short enough that it is run many times, and `time` (a process more) is not put in front. */
function startUp(name, hacktree, prepare) {
  const contenders = { hacktree, node: [process.execPath, '-e', '0'] };
  return { name: `start-up: ${name}`, target: { slower: 2 }, isShort: true, prepare, contenders };
}
