/**
 * The main job, with hacktree's own command on one machine: a host with Debian deploys a tree, boots it, upgrades it from a
 * mirror, goes back in the boot menu and for good, and gets a version that cannot boot.
 *
 * Everything happens inside the machine (guest/story, a step for each start), every restart but those of the broken version
 * is in order. node and hacktree lie in /home, which all roots share: the deployed trees have nothing of hacktree in them.
 * The first version is in /gnomeos/repo from the start; the others come from a mirror, nginx, over HTTP.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { hacktreeOk, PROJECT_DIR, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot } from './lab/base-root.ts';
import { expectDeployed, expectHealthySystem } from './lab/expectations.ts';
import { type Report, reportUntilExit } from './lab/report.ts';
import { finishDisk, makeStage, makeTree, type Stage, topOf, writeInto } from './lab/stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm, type VmOptions } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'setpriv', 'grub-mkimage', 'nginx'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

/** A step boots, works and shuts down; the machine's own limit says more when it is the first to be over. */
const STEP_LIMIT_MS = 5 * BOOT_LIMIT_MS;
const TEST_LIMIT_MS = STEP_LIMIT_MS + BOOT_LIMIT_MS;

let dir: string;
let image: string;
let mirror: string;
let nginx: Nginx;
const times: string[] = [];

beforeAll(async () => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  dir = mkdtempSync('/var/tmp/hacktree-test-');
  image = join(dir, 'disk.img');
  mirror = join(dir, 'mirror');
  const base = ensureBaseRoot();
  makeMirror(base);
  nginx = await startNginx(mirror, join(dir, 'nginx'));
  const stage = makeStage(base);
  rmSync(join(topOf(stage), 'gnomeos'), { recursive: true });
  addFirstVersion(stage);
  addHacktree(topOf(stage));
  finishDisk(stage, image);
}, 600_000);

afterEach(stopAllVms);
afterAll(async () => {
  await nginx?.stop();
  if (dir !== undefined) rmSync(dir, { recursive: true });
  process.stderr.write(times.map((line) => `${line}\n`).join(''));
});

/** The stock tree with defaults in /etc that tell the version; from 2.0 on there is one more system user. */
function makeVersion(base: BaseRoot, tree: string, version: string): void {
  makeTree(base, tree, `root-${version}`);
  writeInto(tree, 'etc/issue', `Lab ${version}\n`);
  writeInto(tree, 'etc/lab.conf', `# of version ${version}\nname = unset\n\n# limits\nfiles = 10\n`);
  if (version === '1.0') return;
  for (const [file, line] of [
    ['passwd', 'labd:x:950:950::/nonexistent:/usr/sbin/nologin'],
    ['group', 'labd:x:950:'],
    ['shadow', 'labd:!:19000::::::'],
  ] as const) {
    writeInto(
      tree,
      `etc/${file}`,
      `${readFileSync(join(tree, 'etc', file), 'utf8')}${line}\n`,
      file === 'shadow' ? 0o640 : 0o644,
    );
  }
}

/** Version N is committed N days after some day: upgrades refuse what is older. */
const commitOf = (version: string, ...rest: string[]): string[] => [
  ...['commit', '--branch=lab/debian', `--add-metadata-string=version=${version}`],
  `--timestamp=@${1_700_000_000 + 86_400 * Number(version)}`,
  ...rest,
];

/** Version 2.0, on a mirror. */
function makeMirror(base: BaseRoot): void {
  const tree = join(dir, 'tree');
  makeVersion(base, tree, '2.0');
  hacktreeOk(['init', `--repo=${mirror}`, '--mode=archive']);
  hacktreeOk(commitOf('2.0', `--repo=${mirror}`, tree));
  rmSync(tree, { recursive: true });
}

/** Version 3.0 has nothing that could start: neither init nor a shell. */
function publishBrokenVersion(): void {
  const change = join(dir, 'change');
  for (const path of ['usr/lib/systemd/systemd', 'usr/bin/dash', 'usr/bin/bash']) writeInto(change, path, 'cannot start\n');
  hacktreeOk(commitOf('3.0', `--repo=${mirror}`, '--tree=ref=lab/debian', `--tree=dir=${change}`));
}

/** Version 1.0 in the host's repository, as if pulled from the mirror before. */
function addFirstVersion(stage: Stage): void {
  const tree = join(stage.dir, 'tree');
  makeVersion(stage.base, tree, '1.0');
  hacktreeOk(['sysroot', 'init', '--sysroot', topOf(stage)]);
  const repo = `--repo=${join(topOf(stage), 'gnomeos/repo')}`;
  hacktreeOk(commitOf('1.0', repo, tree));
  hacktreeOk(['refs', repo, '--create=lab:lab/debian', 'lab/debian']);
  hacktreeOk(['refs', repo, '--delete', 'lab/debian']);
  hacktreeOk(['remote', 'add', repo, '--no-sign-verify', 'lab', nginx.url.replace('127.0.0.1', '10.0.2.2')]);
  rmSync(tree, { recursive: true });
}

/** Puts node, the built hacktree and the story where every root sees them. */
function addHacktree(top: string): void {
  const home = join(top, 'home/hacktree');
  mkdirSync(join(home, 'lib'), { recursive: true });
  for (const name of ['bin', 'dist', 'initramfs', 'package.json'])
    cpSync(join(PROJECT_DIR, name), join(home, name), { recursive: true });
  for (const name of ['koffi', '@koromix'])
    cpSync(join(PROJECT_DIR, 'node_modules', name), join(home, 'node_modules', name), { recursive: true });
  cpSync(process.execPath, join(home, 'node'));
  for (const line of runOk('ldd', [process.execPath]).split('\n')) {
    const path = /lib(?:stdc\+\+|gcc_s)\.so\S* => (\S+)/.exec(line)?.[1];
    if (path !== undefined) cpSync(path, join(home, 'lib', path.slice(path.lastIndexOf('/') + 1)), { dereference: true });
  }
  writeInto(top, 'home/lab-extra', readFileSync(join(PROJECT_DIR, 'test/boot/guest/story')), 0o755);
}

const bootDisk = (options: Partial<VmOptions> = {}): Vm =>
  startVm({ disk: { path: image, isDiscarded: false }, hasNetwork: true, ...options });

/** Waits for the end of a step. */
async function stepOf(vm: Vm, step: number): Promise<Report> {
  const found = await reportUntilExit(vm, STEP_LIMIT_MS);
  times.push(`step ${step}: ${vm.elapsedSec.toFixed(0)} s, report after ${found.one('uptime')} s of uptime`);
  expect(found.one('step')).toBe(String(step));
  return found;
}

const env = (found: Report): string[] =>
  found
    .all('env')
    .filter((line) => /^hacktree_.*=./.test(line))
    .sort();

// Each test goes on with the disk as the one before left it.
describe('a host with Debian', () => {
  inVm(
    '1. deploys version 1.0',
    async () => {
      const found = await stepOf(bootDisk(), 1);
      expect(found.one('id')).toBe('host');
      expect(found.all('init')).toContain('status 0');
      expect(found.all('deploy').slice(-2)).toEqual(['Deployed root-1.0; it boots next', 'status 0']);
    },
    TEST_LIMIT_MS,
  );

  inVm(
    '2. boots it by itself and upgrades it from the mirror',
    async () => {
      const found = await stepOf(bootDisk(), 2);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('issue')).toEqual(['Lab 1.0']);
      expect(env(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=host']);
      expect(found.all('check')).toContain('Update available.');
    },
    TEST_LIMIT_MS,
  );

  inVm(
    '3. boots version 2.0 with both sides of /etc, and the new user logs in',
    async () => {
      const vm = bootDisk();
      await vm.waitFor(/lab: waits for carol\n/, STEP_LIMIT_MS);
      vm.send('\r');
      await vm.waitFor(/login: /);
      vm.send('carol\r');
      await vm.waitFor(/Password: /);
      vm.send('correct horse\r');
      await vm.waitFor(/\$ /);
      vm.send('touch here\r');
      const found = await stepOf(vm, 3);
      expectDeployed(found, 'root-2.0');
      expectHealthySystem(found, 'root-2.0');
      expect(found.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-2.0; it boots next']));
      expect(found.all('issue')).toEqual(['Lab 2.0']);
      expect(found.all('lab-conf')).toEqual(['# of version 2.0', 'name = set on this machine', '', '# limits', 'files = 10']);
      expect(found.one('labd')).toMatch(/^labd:x:950:950:/);
      expect(found.one('carol')).toBe('carol');
      expect(env(found)).toEqual(['hacktree_default=root-2.0', 'hacktree_previous=root-1.0']);
    },
    TEST_LIMIT_MS,
  );

  inVm(
    '4. boots version 1.0 when it is chosen with the cursor keys, with its own /etc, and makes it the default',
    async () => {
      const vm = bootDisk();
      await vm.chooseEntry(1);
      const found = await stepOf(vm, 4);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('lab-conf')).toEqual(['# of version 1.0', 'name = set on this machine', '', '# limits', 'files = 10']);
      expect(found.all('labd')).toEqual([]);
      expect(found.all('only-in-2.0')).toEqual([]);
      expect(env(found)).toContain('hacktree_default=root-2.0');
      expect(found.all('rollback')).toEqual(['root-1.0 boots next; it was root-2.0', 'status 0']);
    },
    TEST_LIMIT_MS,
  );

  inVm(
    '5. boots it by itself after that, and upgrades to a version that cannot boot',
    async () => {
      publishBrokenVersion();
      const found = await stepOf(bootDisk(), 5);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(env(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=root-2.0']);
    },
    TEST_LIMIT_MS,
  );

  inVm(
    '6. boots version 1.0 again after two tries of the broken one, and says so',
    async () => {
      const vm = bootDisk({ canReboot: true });
      const found = await stepOf(vm, 6);
      expect(vm.text.match(/No init found/g)).toHaveLength(2);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('upgrade')).toContain('Deployed root-3.0; it boots next');
      expect(env(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_fell_back=root-3.0', 'hacktree_previous=root-1.0']);
      expect(found.all('status').join('\n')).toMatch(/root-3\.0 \(failed\)[\s\S]*Failed: it did not come up in any of its tries/);
    },
    TEST_LIMIT_MS,
  );
});
