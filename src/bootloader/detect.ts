/**
 * Chooses the backend by looking at the disk: which boot loader's files are where they belong.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HacktreeError } from '../core/index.ts';
import { findGrubDir, openGrub } from './grub.ts';
import { openBls } from './systemd-boot.ts';
import type { Bootloader, BootloaderName } from './types.ts';

/** Where an EFI system partition or an extended boot partition is mounted. */
const ESP_PLACES = ['boot', 'efi', 'boot/efi'];

export interface DetectOptions {
  /** The boot loader to use whatever the disk looks like. */
  readonly name?: BootloaderName;
}

/** Lists the boot loaders found below a system root, the one to use first. */
export function detectBootloaders(sysroot: string): BootloaderName[] {
  const found: BootloaderName[] = [];
  if (findGrubDir(join(sysroot, 'boot')) !== undefined) found.push('grub');
  if (findEsp(sysroot) !== undefined) found.push('systemd-boot');
  return found;
}

/**
 * Opens the boot loader of a system root: the one named, else the only one found; with both GRUB's and systemd-boot's
 * files, GRUB. Errors: `bootloader-missing`, which names the places looked at.
 */
export function openBootloader(sysroot: string, options: DetectOptions = {}): Bootloader {
  const bootDir = join(sysroot, 'boot');
  const name = options.name ?? detectBootloaders(sysroot)[0];
  const efiVariables = join(sysroot, 'sys/firmware/efi/efivars');
  if (name === 'none') return openBls({ name, bootDir, efiVariables });
  const grubDir = findGrubDir(bootDir);
  if (name === 'grub' && grubDir !== undefined) return openGrub(bootDir, grubDir);
  const esp = findEsp(sysroot);
  if (name === 'systemd-boot' && esp !== undefined) return openBls({ name, bootDir: esp, efiVariables });
  throw missing(sysroot, name);
}

/** Directory that holds systemd-boot's entries: the one with `loader/entries`, else the one with its program. */
function findEsp(sysroot: string): string | undefined {
  const places = ESP_PLACES.map((place) => join(sysroot, place));
  const hasProgram = (dir: string): boolean =>
    ['x64', 'aa64', 'ia32'].some((arch) => fs.existsSync(join(dir, `EFI/systemd/systemd-boot${arch}.efi`)));
  const withProgram = places.find(hasProgram);
  if (withProgram === undefined) return undefined;
  return places.find((dir) => fs.existsSync(join(dir, 'loader/entries'))) ?? withProgram;
}

function missing(sysroot: string, name: BootloaderName | undefined): HacktreeError {
  const places = [
    'boot/grub/grub.cfg',
    'boot/grub2/grub.cfg',
    ...ESP_PLACES.map((dir) => `${dir}/EFI/systemd/systemd-boot*.efi`),
  ];
  const what = name === undefined ? 'No boot loader' : `No ${name}`;
  return new HacktreeError('bootloader-missing', `${what} found below ${sysroot}; looked for ${places.join(', ')}`, {
    details: { path: sysroot, expected: places.join(', ') },
    hints: ['run update-grub or bootctl install first, or choose the boot loader `none` to write entries as files alone'],
  });
}
