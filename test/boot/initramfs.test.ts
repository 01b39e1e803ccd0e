/**
 * The step that turns the physical root into a deployed one, in each kind of initramfs, with a stock Debian root and its
 * untouched initial RAM disk: only the overlay is hacktree's. Started by QEMU itself, without a boot loader.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { baseArguments } from '../../src/bootloader/index.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot, type InitrdName } from './lab/base-root.ts';
import { ROOT_UUID } from './lab/disk.ts';
import { type Report, waitForReport } from './lab/report.ts';
import { addRoot, directBoot, finishDisk, makeStage, rootOf, topOf, writeInto } from './lab/stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'setpriv'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

let dir: string;
let image: string;
let base: BaseRoot;

beforeAll(() => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  base = ensureBaseRoot();
  dir = mkdtempSync('/var/tmp/hacktree-test-');
  image = join(dir, 'disk.img');
  const stage = makeStage(base);
  for (const name of ['root-1', 'root-rw', 'root-ro', 'root-links', 'root-no-state', 'root-no-var', 'root-empty'])
    addRoot(stage, name);
  writeInto(
    rootOf(stage, 'root-rw'),
    'etc/fstab',
    `UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1\nmine /tmp tmpfs size=5m 0 0\n`,
  );
  writeInto(rootOf(stage, 'root-ro'), 'etc/fstab', `UUID=${ROOT_UUID} / ext4 ro 0 1\n`);
  makeLinksAsOstree(rootOf(stage, 'root-links'));
  rmSync(join(topOf(stage), 'gnomeos/state/root-no-state'), { recursive: true });
  writeInto(topOf(stage), 'gnomeos/state/root-no-var/boot', 'var=nothing\n');
  rmSync(join(rootOf(stage, 'root-empty'), 'usr'), { recursive: true });
  symlinkSync('root-1', rootOf(stage, 'root-link'));
  finishDisk(stage, image);
}, 300_000);

afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

/** Gives a tree the links that OSTree's trees have in place of directories. */
function makeLinksAsOstree(root: string): void {
  for (const [name, target] of Object.entries({ home: 'var/home', root: 'var/roothome', srv: 'var/srv', tmp: 'sysroot/tmp' })) {
    rmSync(join(root, name), { recursive: true });
    symlinkSync(target, join(root, name));
  }
}

const HOST_ARGUMENTS = [`root=UUID=${ROOT_UUID}`, 'quiet', 'console=ttyS0'];
/** Reports without starting a system: a few seconds per boot. */
const REPORT_AS_INIT = 'init=/usr/lib/lab-report';

function boot(initrd: InitrdName, words: readonly string[]): Vm {
  return startVm({ disk: { path: image }, directBoot: directBoot(base, join(dir, 'initrd'), initrd, words) });
}

const argumentsFor = (root: string, ...extra: string[]): string[] => [
  ...baseArguments({ root, hostArguments: HOST_ARGUMENTS, panicSec: 1 }),
  ...extra,
];

async function report(vm: Vm): Promise<Report> {
  const result = await waitForReport(vm);
  await vm.waitForExit();
  return result;
}

const WRITABLE = ['/etc', '/var', '/root', '/srv', '/mnt', '/media', '/home', '/tmp'];

/** What holds in every deployed root, with and without systemd. */
function expectDeployed(found: Report, root: string): void {
  expect(found.one('id')).toBe(root);
  expect(found.writable).toEqual(WRITABLE);
  expect(found.all('booted')).toEqual([`root=${root}`, 'var=debian', expect.stringMatching(/^boot_id=[0-9a-f-]{36}$/)]);
  expect(found.one('same-boot')).toBe('1');
  expect(found.one('home')).toBe('hello');
  expect(found.one('gnomeos')).toContain('root-1 ');
  expect(found.one('dpkg')).toMatch(/^1\./);
  expect(found.all('mount')).toEqual(
    expect.arrayContaining([
      `/ /gnomeos/${root} ro,relatime`,
      `/etc /gnomeos/${root}/etc rw,relatime`,
      '/var /gnomeos/var/debian rw,relatime',
      '/home /home rw,relatime',
      `/var/lib/dpkg /gnomeos/${root}/var/lib/dpkg ro,relatime`,
      '/boot /boot ro,relatime',
      '/sysroot / ro,relatime',
    ]),
  );
}

/** What holds besides once systemd is up. */
function expectHealthySystem(found: Report, root: string): void {
  expect(found.one('failed-units')).toBe('');
  expect(found.one('machine-id')).toBe('33');
  expect(found.one('below-sysroot')).toBe('0');
  expect(found.one('boot-complete')).toBe('success');
  expect(found.all('state')).toContainEqual(expect.stringMatching(`^${root}/good time=[0-9]+$`));
}

describe('a stock root with its own initial RAM disk and the overlay', () => {
  inVm(
    'initramfs-tools: the system comes up, and shuts down in order',
    async () => {
      const vm = boot('stock', argumentsFor('root-1', 'lab.then=shutdown'));
      const found = await report(vm);
      expectDeployed(found, 'root-1');
      expectHealthySystem(found, 'root-1');
      expect(vm.text).not.toMatch(/Failed unmounting|Failed to start/);
    },
    BOOT_LIMIT_MS,
  );

  inVm(
    'dracut: the system comes up',
    async () => {
      const found = await report(boot('dracut', argumentsFor('root-1')));
      expectDeployed(found, 'root-1');
      expectHealthySystem(found, 'root-1');
    },
    BOOT_LIMIT_MS,
  );

  inVm.each(['klibc', 'dracut-without-systemd'] as const)(
    '%s: the root is prepared',
    async (initrd) => {
      expectDeployed(await report(boot(initrd, argumentsFor('root-1', REPORT_AS_INIT))), 'root-1');
    },
    BOOT_LIMIT_MS,
  );

  inVm(
    'without hacktree= the host boots',
    async () => {
      const found = await report(boot('stock', [...HOST_ARGUMENTS, 'ro', 'boot=hacktree', REPORT_AS_INIT]));
      expect(found.one('id')).toBe('host');
      expect(found.all('booted')).toEqual([]);
      expect(found.writable).toEqual([]);
    },
    BOOT_LIMIT_MS,
  );

  inVm(
    "a tree with OSTree's links has what they point to",
    async () => {
      const found = await report(boot('stock', argumentsFor('root-links', REPORT_AS_INIT)));
      expect(found.writable).toEqual(WRITABLE.filter((name) => name !== '/tmp'));
      expect(found.one('home')).toBe('hello');
    },
    BOOT_LIMIT_MS,
  );
});

describe("a line for / in a deployed root's fstab", () => {
  inVm.each(['root-rw', 'root-ro'])(
    '%s: neither opens the tree nor closes /etc and /var',
    async (root) => {
      const found = await report(boot('stock', argumentsFor(root)));
      expectDeployed(found, root);
      expectHealthySystem(found, root);
      const tmp = found.all('mount').filter((line) => line.startsWith('/tmp '));
      expect(tmp).toEqual([root === 'root-rw' ? '/tmp / rw,relatime' : '/tmp / rw,nosuid,nodev,relatime']);
    },
    BOOT_LIMIT_MS,
  );
});

describe('a root that cannot be booted is refused loudly, and the machine restarts', () => {
  const missing = 'cannot boot /gnomeos/root-9: it is missing';

  inVm.each([
    ['/gnomeos/root-9', missing],
    ['/gnomeos/../etc', "'/gnomeos/../etc' is not of the form /gnomeos/root-NAME"],
    ['/gnomeos/root-1/usr', "'/gnomeos/root-1/usr' is not of the form"],
    ['/home', "'/home' is not of the form"],
    ['/gnomeos/root-link', 'it is a symbolic link'],
    ['/gnomeos/root-empty', 'it has no usr directory'],
    ['/gnomeos/root-no-state', '/gnomeos/state/root-no-state/boot is missing'],
    ['/gnomeos/root-no-var', 'its /var, /gnomeos/var/nothing, is missing'],
  ])(
    'hacktree=%s',
    async (root, message) => {
      await expectRefusal('klibc', root, message);
    },
    BOOT_LIMIT_MS,
  );

  inVm.each(['stock', 'dracut', 'dracut-without-systemd'] as const)(
    '%s: the same',
    async (initrd) => {
      await expectRefusal(initrd, '/gnomeos/root-9', missing);
    },
    BOOT_LIMIT_MS,
  );

  async function expectRefusal(initrd: InitrdName, root: string, message: string): Promise<void> {
    const vm = boot(initrd, [...argumentsFor('root-1'), `hacktree=${root}`]);
    await vm.waitForExit();
    expect(vm.text).toContain(message);
    expect(vm.text).not.toContain('lab: ');
  }
});
