/**
 * The boot menu in a real GRUB, without Linux: entries print what they would start, and restart. A few seconds per case.
 *
 * What the menu decides is what matters here: default, fallback, one-shot, cursor keys, the way to the host's menu. The
 * disk is a copy that GRUB really writes to; it is read back with GRUB's own code.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseGrubHost } from '../../src/bootloader/grub-host.ts';
import { printGrubScript } from '../../src/bootloader/grub-script.ts';
import { editGrubenv, emptyGrubenv, parseGrubenv } from '../../src/bootloader/grubenv.ts';
import { makeEntry } from '../helpers/boot-menu.ts';
import { PROJECT_DIR, requireTool, runBytes } from '../helpers/run.ts';
import { installGrubModules, makeDisk, ROOT_UUID } from './lab/disk.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm, type VmOptions } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'grub-mkimage', 'grub-fstest', 'mke2fs', 'sfdisk', 'setpriv'];
const withGrub = requireTool(...TOOLS) ? it : it.skip;

let dir: string;
const image = (): string => join(dir, 'disk.img');

beforeAll(() => {
  if (requireTool(...TOOLS)) dir = mkdtempSync('/var/tmp/hacktree-test-');
});
afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

const GRUB_CFG = readFileSync(join(PROJECT_DIR, 'test/boot/guest/grub.cfg'), 'utf8')
  .replaceAll('@UUID@', ROOT_UUID)
  .replaceAll('@BOOT@', '/boot');
/** The line of the user's own, and the one that hacktree adds. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: GRUB's variables
const CUSTOM_CFG = "menuentry 'Mine' {\n echo 'STARTED mine'\n reboot\n}\nsource ${config_directory}/hacktree.cfg\n";
const ON_TRIAL = { hacktree_default: 'root-3', hacktree_previous: 'root-2' };

/** Makes a disk whose entries print "STARTED WHAT" and restart, with these variables in the environment block. */
function makeGrubDisk(variables: Record<string, string>, timeoutSec = 2, kind: 'bios' | 'uefi' = 'bios'): void {
  const top = join(dir, 'top');
  const grub = join(top, 'boot/grub');
  rmSync(top, { recursive: true, force: true });
  mkdirSync(grub, { recursive: true });
  installGrubModules(grub);
  const host = { ...parseGrubHost(GRUB_CFG), linuxCommand: 'echo STARTED', initrdCommand: 'reboot' };
  const entries = ['root-3', 'root-2', 'root-1'].map((id) => makeEntry(id, { kernel: id }));
  const cfg = GRUB_CFG.replace('linux\t/boot/vmlinuz', 'echo STARTED host')
    .replace(/initrd\t.*/, 'reboot')
    .replace('timeout=2', `timeout=${timeoutSec}`);
  writeFileSync(join(grub, 'grub.cfg'), cfg);
  writeFileSync(join(grub, 'custom.cfg'), CUSTOM_CFG);
  writeFileSync(join(grub, 'hacktree.cfg'), printGrubScript({ entries, fallbackDefaultId: 'root-2' }, host, '/boot'));
  writeFileSync(join(grub, 'grubenv'), editGrubenv(emptyGrubenv(), variables));
  makeDisk(image(), kind, { root: top });
}

/** The environment block as GRUB's own code reads it from the disk. */
function readEnvironment(partition = 'msdos1'): Record<string, string> {
  const { stdout } = runBytes('grub-fstest', [image(), 'cat', `(loop0,${partition})/boot/grub/grubenv`]);
  return Object.fromEntries(parseGrubenv(stdout));
}

const startMachine = (options: Partial<VmOptions> = {}): Vm =>
  startVm({ disk: { path: image(), isDiscarded: false }, memoryMib: 256, ...options });

/** Waits for what the machine starts next. */
async function waitForStart(vm: Vm): Promise<string> {
  const [, what = ''] = await vm.waitFor(/STARTED (?:\/boot\/)?(\S+)\s/);
  return what;
}

/** Starts the machine and returns what it started, after what is done in the menu. */
async function startOnce(inMenu: (vm: Vm) => Promise<void> = async () => {}, options: Partial<VmOptions> = {}): Promise<string> {
  const vm = startMachine(options);
  await inMenu(vm);
  const what = await waitForStart(vm);
  await vm.waitForExit();
  return what;
}

describe('what boots by itself', () => {
  withGrub.each<[string, Record<string, string>, string]>([
    ['the default of the environment block', { hacktree_default: 'root-1', hacktree_previous: 'root-2' }, 'root-1'],
    ["without a default the script's own", {}, 'root-2'],
    ["with a default that is not listed the script's own", { hacktree_default: 'root-9', hacktree_tries: '3' }, 'root-2'],
  ])(
    '%s',
    async (_, variables, expected) => {
      makeGrubDisk(variables);
      expect(await startOnce()).toBe(expected);
      expect(readEnvironment()).toEqual(variables);
    },
    BOOT_LIMIT_MS,
  );

  withGrub(
    "the host, whose own menu then takes its own default and notes it under the host's own name",
    async () => {
      makeGrubDisk({ hacktree_default: 'host' });
      expect(await startOnce()).toBe('host');
      expect(readEnvironment()).toEqual({ hacktree_default: 'host', saved_entry: `gnulinux-simple-${ROOT_UUID}` });
    },
    BOOT_LIMIT_MS,
  );
});

describe('a root on trial', () => {
  withGrub(
    'is started as often as it has tries, from 9 to 1, then the previous one is the default for good',
    async () => {
      makeGrubDisk({ ...ON_TRIAL, hacktree_tries: '9', other: 'kept' }, 0);
      const vm = startMachine({ canReboot: true });
      const started: string[] = [];
      while (started.length < 11) started.push(await waitForStart(vm));
      await vm.stop();
      expect(started).toEqual([...Array.from({ length: 9 }, () => 'root-3'), 'root-2', 'root-2']);
      expect(vm.text).toContain('root-3 did not come up, going back to root-2');
      const after = { hacktree_default: 'root-2', hacktree_previous: 'root-2', hacktree_fell_back: 'root-3', hacktree_tries: '' };
      expect(readEnvironment()).toEqual({ ...after, other: 'kept' });
    },
    BOOT_LIMIT_MS,
  );

  withGrub(
    'gives way to the host when the previous root is gone',
    async () => {
      makeGrubDisk({ hacktree_default: 'root-3', hacktree_previous: 'root-9', hacktree_tries: '0' });
      expect(await startOnce()).toBe('host');
      expect(readEnvironment()).toMatchObject({ hacktree_default: 'host', hacktree_fell_back: 'root-3', hacktree_tries: '' });
    },
    BOOT_LIMIT_MS,
  );

  withGrub(
    'is counted when it is chosen by hand, another is not',
    async () => {
      makeGrubDisk({ ...ON_TRIAL, hacktree_tries: '3' });
      expect(await startOnce((vm) => vm.chooseEntry(2))).toBe('root-1');
      expect(readEnvironment()).toMatchObject({ hacktree_tries: '3' });
      expect(await startOnce((vm) => vm.chooseEntry(0))).toBe('root-3');
      expect(readEnvironment()).toMatchObject({ hacktree_tries: '2' });
    },
    BOOT_LIMIT_MS,
  );
});

describe('the menu', () => {
  withGrub(
    "lists hacktree's entries first, newest first, then the host's",
    async () => {
      makeGrubDisk(ON_TRIAL);
      expect(await startOnce((vm) => vm.chooseEntry(3))).toBe('host');
      expect(await startOnce((vm) => vm.chooseEntry(1))).toBe('root-2');
    },
    BOOT_LIMIT_MS,
  );

  withGrub(
    "leads to the whole of the host's menu by Escape",
    async () => {
      makeGrubDisk(ON_TRIAL);
      const vm = startMachine();
      await vm.waitFor(/automatically in \ds/);
      await vm.press('escape');
      await vm.waitFor(/Lab host(?! \(host\))/);
      await vm.press('home', 'down', 'down', 'enter');
      expect(await waitForStart(vm)).toBe('mine');
      expect(vm.text).toContain('Something else of the host');
    },
    BOOT_LIMIT_MS,
  );
});

describe('a one-shot choice', () => {
  withGrub.each([
    ['root-1', 'root-1'],
    ['1', 'something'],
  ])(
    'next_entry=%s, as grub-reboot sets it, is taken once',
    async (choice, expected) => {
      makeGrubDisk({ ...ON_TRIAL, next_entry: choice }, 0);
      const vm = startMachine({ canReboot: true });
      if (expected === 'something') await vm.waitFor(/something else\n/);
      else expect(await waitForStart(vm)).toBe(expected);
      expect(await waitForStart(vm)).toBe('root-3');
      await vm.stop();
      expect(readEnvironment()).toEqual({ ...ON_TRIAL, next_entry: '' });
    },
    BOOT_LIMIT_MS,
  );
});

describe('UEFI', () => {
  withGrub(
    'counts, and falls back',
    async () => {
      makeGrubDisk({ ...ON_TRIAL, hacktree_tries: '1' }, 0, 'uefi');
      const vm = startMachine({ firmware: 'uefi', canReboot: true });
      expect([await waitForStart(vm), await waitForStart(vm)]).toEqual(['root-3', 'root-2']);
      await vm.stop();
      expect(readEnvironment('gpt2')).toMatchObject({
        hacktree_default: 'root-2',
        hacktree_fell_back: 'root-3',
        hacktree_tries: '',
      });
    },
    BOOT_LIMIT_MS,
  );
});
