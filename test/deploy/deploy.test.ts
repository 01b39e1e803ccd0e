/**
 * Deploy without a machine: stopped after every step, the menu names complete roots only, the default is the old or the new
 * one, and the next deployment cleans up. Also retention, space, locks, and what must be refused.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ContentDigest } from '../../src/core/index.ts';
import {
  applyCleanup,
  applyDeploy,
  type DeployOptions,
  type DeployRequest,
  deploy,
  editKargsOnce,
  editRootKargs,
  findRoot,
  initSysroot,
  lockSysroot,
  openSysroot,
  openSysrootRepo,
  pinRoot,
  planCleanup,
  planDeploy,
  readState,
  rollbackTarget,
  rootKargs,
  type Sysroot,
  type SysrootState,
  sysrootStatus,
  undeploy,
  withDefault,
  withOneShot,
  writeMenu,
} from '../../src/deploy/index.ts';
import { defaultEtcPolicy } from '../../src/etc/index.ts';
import { commit, openRepo, resolveRev } from '../../src/repo/index.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { GRUB_CFG } from '../helpers/sysroot.ts';

const asRoot = requireRoot() && requireTool('grub-editenv', 'unshare') ? it : it.skip;

let dir: string;
let tree: string;
let sysroot: Sysroot;

/** Not memory: a boot menu there has no place where GRUB could count tries. */
const DISK = '/var/tmp';

beforeEach(() => {
  dir = scratchDir(DISK);
  tree = join(dir, 'tree');
  const root = join(dir, 'sys');
  for (const part of ['boot/grub', 'etc', 'home']) fs.mkdirSync(join(root, part), { recursive: true });
  fs.writeFileSync(join(root, 'boot/grub/grub.cfg'), GRUB_CFG);
  runOk('grub-editenv', [join(root, 'boot/grub/grubenv'), 'create']);
  fs.writeFileSync(join(root, 'etc/fstab'), 'UUID=1234-abcd / ext4 errors=remount-ro 0 1\nUUID=5 /home ext4 defaults 0 2\n');
  sysroot = initSysroot(root);
  for (const part of ['usr/bin', 'usr/lib/modules/6.1', 'etc', 'var/lib/dpkg', 'var/log', 'root'])
    fs.mkdirSync(join(tree, part), { recursive: true });
  fs.writeFileSync(join(tree, 'usr/lib/modules/6.1/initramfs.img'), 'initial');
  fs.writeFileSync(join(tree, 'etc/os-release'), 'PRETTY_NAME="Test OS"\n');
  fs.writeFileSync(join(tree, 'etc/motd'), 'hello\n');
  fs.writeFileSync(join(tree, 'var/log/started'), '');
});

/** Commits a version whose kernel is its own. */
async function commitVersion(version: string): Promise<string> {
  fs.writeFileSync(join(tree, 'usr/lib/modules/6.1/vmlinuz'), `kernel of ${version}`);
  fs.writeFileSync(join(tree, 'usr/bin/version'), version);
  const trees = [{ kind: 'dir', path: tree }] as const;
  return (await commit(openSysrootRepo(sysroot), { branch: 'os', metadataStrings: [['version', version]], trees, fsync: false }))
    .commit;
}

async function deployVersion(version: string, options: Partial<DeployOptions> = {}): Promise<void> {
  await commitVersion(version);
  await deploy(sysroot, { rev: 'os', ...options });
}

const state = (): SysrootState => readState(sysroot);
const rootOf = (name: string): string => join(sysroot.paths.gnomeos, name);
const read = (root: string, path: string): string => fs.readFileSync(join(rootOf(root), path), 'utf8');

/** Says that a root came up well, as the booted root itself does. */
function markGood(root: string): void {
  fs.writeFileSync(join(sysroot.paths.states, root, 'good'), `time=${Math.floor(Date.now() / 1000)}\n`);
}

/** Requires that every entry of the menu could be booted. */
function requireBootable(label: string, allowed: readonly string[]): void {
  const now = state();
  const digests = new Map(now.deployments.flatMap(({ bootFiles }) => [...bootFiles] as [string, ContentDigest][]));
  expect([label, now.bootloader?.verify(now.menu, digests)]).toEqual([label, []]);
  for (const { root, commit: deployed } of now.deployments) {
    expect([label, root, fs.existsSync(join(rootOf(root), 'usr/bin/version')), deployed !== undefined]).toEqual([
      label,
      root,
      true,
      true,
    ]);
    expect([label, fs.existsSync(join(rootOf(root), 'etc/motd'))]).toEqual([label, true]);
  }
  expect(allowed).toContain(now.menu.defaultId);
}

function requestFor(rev: string): DeployRequest {
  const policy = { keepLast: 1, keepDays: undefined, keepVersions: [] };
  return {
    commit: resolveRev(openSysrootRepo(sysroot), rev),
    refspec: 'os',
    name: undefined,
    osName: undefined,
    kargs: [],
    notAsDefault: false,
    noMerge: false,
    ownVar: false,
    retain: 'policy',
    tries: 3,
    policy,
    nowSec: 2_000_000_000,
  };
}

describe('stopping a deployment', () => {
  asRoot('after every single step leaves the old root or the new one, and the next one cleans up', async () => {
    await deployVersion('1.0');
    markGood('root-1.0');
    await deployVersion('2.0');
    markGood('root-2.0');
    await commitVersion('3.0');
    const pristine = join(dir, 'pristine');
    runOk('cp', ['-a', sysroot.paths.physical, pristine]);
    const count = (await planDeploy(state(), openSysrootRepo(sysroot), requestFor('os'))).steps.length;
    expect(count).toBeGreaterThan(15);
    for (let k = 0; k <= count; k++) {
      fs.rmSync(sysroot.paths.physical, { recursive: true });
      runOk('cp', ['-a', pristine, sysroot.paths.physical]);
      const repo = openSysrootRepo(sysroot);
      const plan = await planDeploy(state(), repo, requestFor('os'));
      await applyDeploy(
        sysroot,
        repo,
        { ...plan, steps: plan.steps.slice(0, k) },
        { etcPolicy: defaultEtcPolicy(), hostFstab: '' },
      );
      requireBootable(`after ${k} of ${count}`, ['root-2.0', 'root-3.0']);
      if (k < plan.visibleFrom) expect(state().menu.defaultId).toBe('root-2.0');
      if (k === count) expect(state().menu.defaultId).toBe('root-3.0');
      await deploy(sysroot, { rev: 'os', name: 'next' });
      requireBootable(`next after ${k}`, ['root-next']);
      expect(fs.readdirSync(sysroot.paths.gnomeos).filter((name) => name.startsWith('.new-'))).toEqual([]);
      expect(state().orphans).toEqual([]);
    }
  });

  asRoot('by an error before the menu is written leaves nothing behind', async () => {
    await deployVersion('1.0');
    fs.rmSync(join(tree, 'usr/lib/modules'), { recursive: true });
    const { commit: broken } = await commit(openSysrootRepo(sysroot), { branch: 'broken', trees: [{ kind: 'dir', path: tree }] });
    await expect(deploy(sysroot, { rev: broken })).rejects.toMatchObject({ code: 'kernel-missing' });
    fs.mkdirSync(join(tree, 'usr/etc'));
    fs.writeFileSync(join(tree, 'usr/etc/x'), '');
    fs.mkdirSync(join(tree, 'usr/lib/modules/6.1'), { recursive: true });
    fs.writeFileSync(join(tree, 'usr/lib/modules/6.1/initramfs.img'), 'initial');
    await expect(deployVersion('2.0')).rejects.toMatchObject({ code: 'tree-invalid' });
    expect(
      fs
        .readdirSync(sysroot.paths.gnomeos)
        .filter((name) => name.includes('root-'))
        .sort(),
    ).toEqual(['root-1.0']);
    requireBootable('afterwards', ['root-1.0']);
  });
});

describe('a deployment', () => {
  asRoot('makes what a root needs, and nothing of it is shared with the repository', async () => {
    await deployVersion('1.0');
    expect(read('root-1.0', 'etc/fstab')).toBe('UUID=5 /home ext4 defaults 0 2\n');
    expect(fs.readdirSync(rootOf('root-1.0'))).toEqual(
      expect.arrayContaining(['boot', 'dev', 'home', 'proc', 'run', 'sys', 'sysroot', 'tmp', 'var']),
    );
    expect(fs.existsSync(join(sysroot.paths.vars, 'default/log/started'))).toBe(true);
    fs.writeFileSync(join(rootOf('root-1.0'), 'etc/motd'), 'changed\n');
    expect(read('root-1.0', 'usr/etc/motd')).toBe('hello\n');
    expect(state().menu).toMatchObject({ defaultId: 'root-1.0', previousId: 'host', triesLeft: 3 });
  });

  asRoot('carries /etc on, and keeps /var', async () => {
    await deployVersion('1.0');
    fs.writeFileSync(join(rootOf('root-1.0'), 'etc/mine'), 'mine\n');
    fs.writeFileSync(join(sysroot.paths.vars, 'default/state'), 'kept');
    fs.writeFileSync(join(tree, 'etc/motd'), 'new default\n');
    await deployVersion('2.0');
    expect([read('root-2.0', 'etc/mine'), read('root-2.0', 'etc/motd')]).toEqual(['mine\n', 'new default\n']);
    expect(fs.readFileSync(join(sysroot.paths.vars, 'default/state'), 'utf8')).toBe('kept');
  });

  asRoot('says what it would do and changes nothing with dryRun', async () => {
    await commitVersion('1.0');
    const { plan } = await deploy(sysroot, { rev: 'os', dryRun: true });
    expect(plan.root).toBe('root-1.0');
    expect(plan.space.every(({ fits }) => fits)).toBe(true);
    expect(fs.existsSync(rootOf('root-1.0'))).toBe(false);
    expect(state().menu.entries).toEqual([]);
  });

  asRoot('gives every root a name of its own', async () => {
    await deployVersion('1.0');
    await deploy(sysroot, { rev: 'os' });
    expect(state().deployments.map(({ root }) => root)).toEqual(['root-1.0.2', 'root-1.0']);
    await expect(deploy(sysroot, { rev: 'os', name: '1.0' })).rejects.toMatchObject({ code: 'root-exists' });
    for (const name of ['../x', 'a/b', '.hidden', 'x..y', '']) {
      await expect(deploy(sysroot, { rev: 'os', name })).rejects.toMatchObject({ code: 'ref-invalid' });
    }
  });

  asRoot('can stay out of the default', async () => {
    await deployVersion('1.0');
    await deployVersion('2.0', { notAsDefault: true });
    expect(state().menu.defaultId).toBe('root-1.0');
    expect(state().deployments.map(({ root }) => root)).toEqual(['root-1.0', 'root-2.0']);
  });

  asRoot('runs local scripts, and is undone when one fails', async () => {
    await deployVersion('1.0');
    const scripts = join(rootOf('root-1.0'), 'etc/hacktree/deploy.d');
    fs.mkdirSync(scripts, { recursive: true });
    fs.writeFileSync(join(scripts, '10-fail'), '#!/nonexistent\n', { mode: 0o755 });
    await expect(deployVersion('2.0')).rejects.toMatchObject({ code: 'deploy-script' });
    requireBootable('after a failed script', ['root-1.0']);
    expect(fs.existsSync(rootOf('root-2.0'))).toBe(false);
  });
});

describe('rollback and menu', () => {
  asRoot('rollback goes to the last good root and back', async () => {
    await deployVersion('1.0');
    markGood('root-1.0');
    await deployVersion('2.0');
    expect(state().menu.previousId).toBe('root-1.0');
    const target = rollbackTarget(state());
    expect(target).toBe('root-1.0');
    await writeMenu(state(), withDefault(state(), target));
    expect(state().menu).toMatchObject({ defaultId: 'root-1.0', triesLeft: undefined });
    expect(fs.existsSync(rootOf('root-2.0'))).toBe(true);
  });

  asRoot('rollback in a root that was chosen in the menu makes it the default', async () => {
    for (const version of ['1.0', '2.0']) {
      await deployVersion(version);
      markGood(`root-${version}`);
    }
    const target = rollbackTarget({ ...state(), booted: 'root-1.0' });
    expect(target).toBe('root-1.0');
    expect(rollbackTarget({ ...state(), booted: 'root-2.0' })).toBe('root-1.0');
    expect(withDefault({ ...state(), booted: 'root-1.0' }, target).previousId).toBe('root-2.0');
  });

  asRoot('one-shot boots leave the default alone', async () => {
    await deployVersion('1.0');
    await writeMenu(state(), withOneShot(state(), 'host'));
    expect(state().menu).toMatchObject({ defaultId: 'root-1.0', oneShotId: 'host' });
  });

  asRoot('kernel arguments come in layers, and once', async () => {
    fs.mkdirSync(join(tree, 'usr/lib/hacktree/kargs.d'), { recursive: true });
    fs.writeFileSync(join(tree, 'usr/lib/hacktree/kargs.d/10.conf'), '# comment\ntree.arg=1\n');
    await deployVersion('1.0', { kargs: [{ op: 'append', argument: 'mine=2' }] });
    const repo = openSysrootRepo(sysroot);
    await editRootKargs(state(), repo, findRoot(state(), '1.0'), [{ op: 'append', argument: 'later=3' }]);
    const origins = rootKargs(state(), repo, findRoot(state(), '1.0')).filter(({ argument }) =>
      /^(tree|mine|later|console)/.test(argument),
    );
    expect(origins).toEqual([
      { argument: 'console=ttyS0', origin: 'host' },
      { argument: 'tree.arg=1', origin: 'tree' },
      { argument: 'mine=2', origin: 'machine' },
      { argument: 'later=3', origin: 'machine' },
    ]);
    await editKargsOnce(state(), repo, findRoot(state(), '1.0'), [{ op: 'append', argument: 'debug' }]);
    const once = state().menu.entries.find(({ id }) => id === state().menu.oneShotId);
    expect(once?.arguments).toContain('debug');
    expect(state().deployments.map(({ root }) => root)).toEqual(['root-1.0']);
    await deployVersion('2.0');
    expect(state().menu.entries.map(({ id }) => id)).toEqual(['root-2.0', 'root-1.0']);
    expect(state().menu.entries[0]?.arguments).toEqual(expect.arrayContaining(['mine=2', 'later=3']));
  });
});

describe('what stays and what goes', () => {
  asRoot('the policy keeps the newest, and what is protected', async () => {
    for (const version of ['1', '2', '3', '4', '5']) {
      await deployVersion(version);
      if (version === '1') pinRoot(state(), 'root-1', 'works');
      if (version === '2') markGood('root-2');
    }
    expect(state().deployments.map(({ root }) => root)).toEqual(['root-5', 'root-4', 'root-3', 'root-2', 'root-1']);
    const plan = planCleanup(state(), { keepLast: 1, keepDays: undefined, keepVersions: ['4*'] }, { nowSec: 2_000_000_000 });
    expect(plan.roots).toEqual(['root-3']);
    await applyCleanup(state(), openSysrootRepo(sysroot), plan);
    expect(fs.existsSync(rootOf('root-3'))).toBe(false);
    requireBootable('after cleanup', ['root-5']);
    expect(
      fs.readdirSync(join(sysroot.paths.physical, 'boot/hacktree')).filter((name) => !name.startsWith('overlay')).length,
    ).toBe(4);
  });

  asRoot('protected roots are not removed', async () => {
    await deployVersion('1');
    await deployVersion('2');
    await expect(undeploy(state(), openSysrootRepo(sysroot), ['root-2'])).rejects.toMatchObject({ code: 'root-protected' });
    pinRoot(state(), 'root-1', undefined);
    await expect(undeploy(state(), openSysrootRepo(sysroot), ['root-1'])).rejects.toMatchObject({ code: 'root-protected' });
    expect(() => findRoot(state(), 'root-9')).toThrow('No deployed root named root-9');
  });

  asRoot('a root deleted by hand is shown, and leaves the menu with the next change', async () => {
    await deployVersion('1');
    await deployVersion('2');
    fs.rmSync(rootOf('root-1'), { recursive: true });
    const status = sysrootStatus(state(), openSysrootRepo(sysroot), { sizes: true });
    expect(status.roots.map(({ root, isPresent }) => [root, isPresent])).toEqual([
      ['root-2', true],
      ['root-1', false],
    ]);
    await deployVersion('3');
    expect(state().menu.entries.map(({ id }) => id)).toEqual(['root-3', 'root-2']);
  });
});

describe('refusals', () => {
  asRoot('two at once: the lock names pid and command', async () => {
    await commitVersion('1');
    const lock = await lockSysroot(sysroot, { command: 'other job', wait: false });
    const refusal = { code: 'sysroot-locked', message: expect.stringContaining(`pid ${process.pid}, command other job`) };
    await expect(deploy(sysroot, { rev: 'os' })).rejects.toMatchObject(refusal);
    lock.release();
    await deploy(sysroot, { rev: 'os' });
  });

  asRoot('names boot files by the SHA-256 of kernel and initial RAM disk together', async () => {
    await deployVersion('1');
    const sum = createHash('sha256').update('kernel of 1initial').digest('hex');
    expect(state().deployments[0]?.bootChecksum).toBe(sum);
    expect(fs.readdirSync(join(sysroot.paths.physical, 'boot/hacktree', sum)).sort()).toEqual(['initrd.img', 'vmlinuz']);
  });

  asRoot('no boot loader, no sysroot, a damaged kernel', async () => {
    await deployVersion('1');
    const kernel = [...(state().deployments[0]?.bootFiles.keys() ?? [])].find((path) => path.endsWith('vmlinuz')) ?? '';
    fs.writeFileSync(join(sysroot.paths.physical, 'boot', kernel), 'damaged');
    await expect(writeMenu(state(), withOneShot(state(), 'host'))).rejects.toMatchObject({ code: 'bootloader-verify' });
    fs.rmSync(join(sysroot.paths.physical, 'boot/grub'), { recursive: true });
    await expect(deploy(sysroot, { rev: 'os', name: 'x' })).rejects.toMatchObject({ code: 'bootloader-missing' });
    expect(() => openSysroot(join(dir, 'none'))).toThrow('No sysroot at');
    expect(openRepo(sysroot.paths.repo).mode).toBe('bare');
  });
});
