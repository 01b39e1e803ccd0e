/**
 * The step that turns the physical root into a deployed one, in each kind of initramfs, with a stock Debian root and its
 * untouched initial RAM disk: only the overlay is hacktree's. Started by QEMU itself, without a boot loader. A whole system with
 * dracut is in story-dracut.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { baseArguments } from '../../src/bootloader/index.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { type BaseRoot, bakeInitrds, ensureBaseRoot, type InitrdName } from './lab/base-root.ts';
import { ROOT_UUID } from './lab/disk.ts';
import { expectDeployed, expectHealthySystem } from './lab/expectations.ts';
import { type Report, waitForReport } from './lab/report.ts';
import { addRoot, breakTree, directBoot, finishDisk, HOST_ARGUMENTS, makeStage, rootOf, writeInto } from './lab/stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'setpriv'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

let dir: string;
let image: string;
let base: BaseRoot;

beforeAll(async () => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  base = await ensureBaseRoot();
  dir = mkdtempSync('/var/tmp/hacktree-test-');
  image = join(dir, 'disk.img');
  const stage = makeStage(base);
  for (const name of ['root-1', 'root-rw', 'root-broken']) addRoot(stage, name);
  breakTree(rootOf(stage, 'root-broken'));
  writeInto(
    rootOf(stage, 'root-rw'),
    'etc/fstab',
    `UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1\nmine /tmp tmpfs size=5m 0 0\n`,
  );
  finishDisk(stage, image);
}, 600_000);

afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

const HOST_WORDS = HOST_ARGUMENTS.split(' ');
/** Reports without starting a system: a few seconds per boot. */
const REPORT_AS_INIT = 'init=/usr/lib/lab-report';

function boot(initrd: InitrdName, words: readonly string[]): Vm {
  return startVm({ disk: { path: image }, directBoot: directBoot(base, join(dir, 'initrd'), base.initrds[initrd], words) });
}

const argumentsFor = (root: string, ...extra: string[]): string[] => [
  ...baseArguments({ root, hostArguments: HOST_WORDS, panicSec: 1 }),
  ...extra,
];

async function report(vm: Vm): Promise<Report> {
  const result = await waitForReport(vm);
  await vm.waitForExit();
  return result;
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
      const found = await report(boot('small', [...HOST_WORDS, 'boot=hacktree', REPORT_AS_INIT]));
      expect(found.one('id')).toBe('host');
      expect(found.all('booted')).toEqual([]);
      expect(found.writable).toEqual([]);
    },
    BOOT_LIMIT_MS,
  );

  inVm(
    "a line for / in a deployed root's fstab does not open the tree, one for /tmp counts",
    async () => {
      const found = await report(boot('small', argumentsFor('root-rw')));
      expectDeployed(found, 'root-rw');
      expectHealthySystem(found, 'root-rw');
      expect(found.all('mount')).toContain('/tmp / rw,relatime');
    },
    BOOT_LIMIT_MS,
  );
});

describe("a root whose initial RAM disk has hacktree's own hook or module, without the overlay", () => {
  inVm.each(['initramfs-tools', 'dracut'])(
    '%s: the root is prepared',
    async (kind) => {
      if (!existsSync(join(dir, 'baked'))) bakeInitrds(base, join(dir, 'baked'));
      const commandLine = argumentsFor('root-1', REPORT_AS_INIT)
        .filter((word) => word !== 'boot=hacktree')
        .join(' ');
      const vm = startVm({
        disk: { path: image },
        directBoot: { kernel: base.kernel, initrd: join(dir, 'baked', kind), commandLine },
      });
      expectDeployed(await report(vm), 'root-1');
    },
    2 * BOOT_LIMIT_MS,
  );
});

describe('a root that is not there', () => {
  inVm.each(['small', 'klibc', 'dracut', 'dracut-without-systemd'] as const)(
    '%s: says so and restarts',
    async (initrd) => {
      const vm = boot(initrd, argumentsFor('root-9'));
      await vm.waitForExit();
      expect(vm.text).toContain('hacktree: cannot boot /gnomeos/root-9: it is missing');
      expect(vm.text).not.toContain('lab: ');
    },
    BOOT_LIMIT_MS,
  );
});

describe('a root with neither an init nor a shell that could start', () => {
  inVm(
    'restarts',
    async () => {
      const vm = boot('small', argumentsFor('root-broken'));
      await vm.waitForExit();
      expect(vm.text).toMatch(/No init found/);
    },
    BOOT_LIMIT_MS,
  );
});
