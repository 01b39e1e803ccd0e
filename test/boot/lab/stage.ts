/**
 * Lays out a host system with deployed roots in a directory, as `deploy` does on a disk: hard links to a stock root, an
 * /etc of its own for each, one /var for all, kernels by the side of the boot menu. The menu is written by the real
 * boot loader module.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyGrubenv } from '../../../src/bootloader/grubenv.ts';
import {
  applyBootPlan,
  type BootEntry,
  type BootMenu,
  baseArguments,
  buildOverlay,
  EMPTY_MENU,
  openBootloader,
} from '../../../src/bootloader/index.ts';
import { PROJECT_DIR, runOk } from '../../helpers/run.ts';
import type { BaseRoot, InitrdName } from './base-root.ts';
import { BOOT_UUID, type DiskKind, installGrubModules, installSystemdBoot, makeDisk, ROOT_UUID } from './disk.ts';
import type { DirectBoot } from './vm.ts';

/** Hard links to the cached root need its file system. */
const STAGE_PARENT = '/var/tmp';
const GUEST_DIR = join(PROJECT_DIR, 'test/boot/guest');
export const VAR_NAME = 'debian';
/** What the host gives its kernel. Guarding against the processor's flaws costs time and is of no use in emulation. */
export const HOST_ARGUMENTS = `root=UUID=${ROOT_UUID} ro quiet console=ttyS0 mitigations=off`;
/** Timers and terminals that would run beside the tests; systemd is told to leave them alone. */
const QUIET_UNITS = [
  ...['e2scrub_reap.service', 'getty-static.service', 'getty@tty1.service', 'e2scrub_all.timer', 'fstrim.timer'],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer'],
];

export interface Stage {
  readonly dir: string;
  readonly kind: DiskKind;
  readonly base: BaseRoot;
  /** Directory that the boot loader's `bootDir` is in the making. */
  readonly bootDir: string;
  readonly loader: 'grub' | 'systemd-boot';
}

export interface StageOptions {
  readonly kind?: DiskKind;
  readonly loader?: 'grub' | 'systemd-boot';
}

/** Makes a host system without deployed roots. */
export function makeStage(base: BaseRoot, options: StageOptions = {}): Stage {
  const { kind = 'bios', loader = 'grub' } = options;
  const dir = mkdtempSync(join(STAGE_PARENT, 'hacktree-stage-'));
  const top = join(dir, 'root');
  copyTree(base.dir, top);
  rmSync(join(top, 'boot'), { recursive: true });
  const bootDir = loader === 'systemd-boot' ? join(top, 'efi') : join(top, 'boot');
  const stage: Stage = { dir, kind, base, bootDir, loader };
  writeInto(top, 'usr/lib/lab-id', 'host\n');
  writeInto(top, 'etc/fstab', `UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1\n${separateBootLine(stage)}`);
  writeInto(top, 'home/alice/file', 'hello\n');
  mkdirSync(join(top, 'boot'), { recursive: true });
  for (const name of ['gnomeos/repo', 'gnomeos/state']) mkdirSync(join(top, name), { recursive: true });
  addReport(top);
  addVar(stage);
  if (loader === 'systemd-boot') addHostSystemdBoot(stage);
  else addHostGrub(stage);
  return stage;
}

export const topOf = (stage: Stage): string => join(stage.dir, 'root');
export const rootOf = (stage: Stage, name: string): string => join(topOf(stage), 'gnomeos', name);

/** Deploys the stock root under a name. Its /usr stays untouched but for a file with its name. */
export function addRoot(stage: Stage, name: string): void {
  const root = rootOf(stage, name);
  makeTree(stage.base, root, name);
  mkdirSync(join(root, 'sysroot'));
  symlinkSync('sysroot/gnomeos', join(root, 'gnomeos'));
  writeInto(root, 'etc/fstab', separateBootLine(stage));
  writeInto(topOf(stage), `gnomeos/state/${name}/boot`, `var=${VAR_NAME}\n`);
}

/** Lays out the stock tree with the report, as something to commit. Its files are hard links to the cached ones. */
export function makeTree(base: BaseRoot, dir: string, id: string, initrd: InitrdName = 'small'): void {
  copyTree(base.dir, dir);
  const ramDisk = join(dir, `boot/initrd.img-${base.kernelVersion}`);
  rmSync(ramDisk);
  linkSync(base.initrds[initrd], ramDisk);
  writeInto(dir, 'usr/lib/lab-id', `${id}\n`);
  addReport(dir);
}

/** Replaces a file; its hard links elsewhere keep the old content. */
export function writeInto(top: string, path: string, content: string | Uint8Array, mode = 0o644): void {
  const file = join(top, path);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, content, { mode });
}

/** Replaces what a tree could start, init and shells, by what cannot. */
export function breakTree(top: string): void {
  for (const path of ['usr/lib/systemd/systemd', 'usr/bin/dash', 'usr/bin/bash']) writeInto(top, path, 'cannot start\n');
}

/** Makes a boot entry for a root, and puts its kernel, initial RAM disk and the overlay where the boot loader finds them. */
export function addEntry(
  stage: Stage,
  id: string,
  options: { initrd?: InitrdName; root?: string; extra?: readonly string[] } = {},
): BootEntry {
  const { initrd = 'small', root = id, extra = [] } = options;
  const directory = `hacktree/${initrd}`;
  mkdirSync(join(stage.bootDir, directory), { recursive: true });
  const kernel = `${directory}/vmlinuz`;
  const ramDisk = `${directory}/initrd`;
  if (!existsSync(join(stage.bootDir, kernel))) {
    linkSync(stage.base.kernel, join(stage.bootDir, kernel));
    writeFileSync(join(stage.bootDir, ramDisk), misaligned(readFileSync(stage.base.initrds[initrd])));
  }
  writeInto(stage.bootDir, 'hacktree/overlay', buildOverlay());
  return {
    id,
    title: `Lab ${id}`,
    version: id.replace(/^root-/, ''),
    kernel,
    initrds: [ramDisk, 'hacktree/overlay'],
    arguments: [...baseArguments({ root, hostArguments: HOST_ARGUMENTS.split(' '), panicSec: 1 }), ...extra],
  };
}

/** Lengthens an initial RAM disk by zeros, which the kernel skips, so that what follows is not at a multiple of 4. */
function misaligned(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((5 - (bytes.length % 4)) % 4)]);
}

/** Writes the boot menu with the real module. */
export async function writeMenu(stage: Stage, menu: Partial<BootMenu> & Pick<BootMenu, 'entries'>): Promise<void> {
  const loader = openBootloader(topOf(stage));
  if (loader.name !== stage.loader) throw new Error(`found ${loader.name}, expected ${stage.loader}`);
  await applyBootPlan(loader.plan({ ...EMPTY_MENU, ...menu }));
}

/** Writes the disk image and removes the stage. */
export function finishDisk(stage: Stage, image: string): void {
  const top = topOf(stage);
  const moveOut = (name: string): string => {
    renameSync(join(top, name), join(stage.dir, name));
    mkdirSync(join(top, name));
    return join(stage.dir, name);
  };
  const boot = stage.kind === 'separate-boot' ? moveOut('boot') : undefined;
  const esp = stage.loader === 'systemd-boot' ? moveOut('efi') : undefined;
  makeDisk(image, stage.kind, { root: top, boot, esp, hasGrub: stage.loader === 'grub' });
  removeStage(stage);
}

export function removeStage(stage: Stage): void {
  rmSync(stage.dir, { recursive: true, force: true });
}

/** Kernel, one file of initial RAM disk with the overlay right behind it, and command line, for a start without a boot loader. */
export function directBoot(base: BaseRoot, file: string, initrd: string, words: readonly string[]): DirectBoot {
  writeFileSync(file, Buffer.concat([misaligned(readFileSync(initrd)), buildOverlay()]));
  return { kernel: base.kernel, initrd: file, commandLine: words.join(' ') };
}

function copyTree(from: string, to: string): void {
  runOk('cp', ['-al', from, to]);
  rmSync(join(to, 'initrds'), { recursive: true });
  for (const name of readdirSync(join(to, 'dev'))) rmSync(join(to, 'dev', name), { recursive: true });
  rmSync(join(to, 'etc'), { recursive: true });
  runOk('cp', ['-a', join(from, 'etc'), join(to, 'etc')]);
  writeInto(to, 'etc/machine-id', '');
}

function addVar(stage: Stage): void {
  const dir = join(topOf(stage), 'gnomeos/var');
  mkdirSync(dir, { recursive: true });
  runOk('cp', ['-a', join(stage.base.dir, 'var'), join(dir, VAR_NAME)]);
  for (const name of ['srv', 'mnt', 'media']) mkdirSync(join(dir, VAR_NAME, name));
  mkdirSync(join(dir, VAR_NAME, 'roothome'), { mode: 0o700 });
}

function addReport(top: string): void {
  const units = 'etc/systemd/system';
  const unit = readFileSync(join(GUEST_DIR, 'lab-report.service'), 'utf8');
  writeInto(top, 'usr/lib/lab-report', readFileSync(join(GUEST_DIR, 'lab-report'), 'utf8'), 0o755);
  writeInto(top, `${units}/lab-report.service`, unit);
  mkdirSync(join(top, units, 'multi-user.target.wants'), { recursive: true });
  symlinkSync('../lab-report.service', join(top, units, 'multi-user.target.wants/lab-report.service'));
  for (const name of QUIET_UNITS) symlinkSync('/dev/null', join(top, units, name));
}

const separateBootLine = ({ kind }: Pick<Stage, 'kind'>): string =>
  kind === 'separate-boot' ? `UUID=${BOOT_UUID} /boot ext4 defaults 0 2\n` : '';

function addHostGrub(stage: Stage): void {
  const { base, bootDir, kind } = stage;
  installGrubModules(join(bootDir, 'grub'));
  writeInto(bootDir, 'grub/grubenv', emptyGrubenv());
  linkSync(base.kernel, join(bootDir, 'vmlinuz'));
  linkSync(base.initrds.small, join(bootDir, 'initrd.img'));
  const separate = kind === 'separate-boot';
  const text = readFileSync(join(GUEST_DIR, 'grub.cfg'), 'utf8')
    .replaceAll('@UUID@', separate ? BOOT_UUID : ROOT_UUID)
    .replaceAll('@BOOT@', separate ? '' : '/boot')
    .replaceAll('@ARGUMENTS@', HOST_ARGUMENTS);
  writeInto(bootDir, 'grub/grub.cfg', text);
}

function addHostSystemdBoot({ base, bootDir }: Stage): void {
  installSystemdBoot(bootDir, base.dir);
  mkdirSync(join(bootDir, 'host'));
  linkSync(base.kernel, join(bootDir, 'host/linux'));
  linkSync(base.initrds.small, join(bootDir, 'host/initrd'));
  writeInto(bootDir, 'loader/loader.conf', 'timeout 2\nconsole-mode keep\ndefault host-*\n');
  writeInto(
    bootDir,
    'loader/entries/host-6.1.conf',
    `title Lab host\nsort-key debian\nversion 6.1\nlinux /host/linux\ninitrd /host/initrd\noptions ${HOST_ARGUMENTS}\n`,
  );
}
