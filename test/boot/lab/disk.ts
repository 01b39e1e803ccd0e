/**
 * Disk images with a boot loader, out of directories: no mount, no loop device, no partition scan.
 *
 * mke2fs and mcopy fill the file systems; GRUB is put in by hand, as grub-install would: boot.img into the first 440 bytes,
 * core.img behind the partition table or into the BIOS boot partition, EFI programs onto a FAT made apart.
 *
 * **Source:** GRUB 2.06 boot/i386/pc/boot.S (sector of core.img at 0x5c, 0x66 two no-ops to trust no drive number) and
 * diskboot.S (last block list entry in the last 12 bytes of the first sector: sector, count, segment 0x820).
 */
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../../helpers/run.ts';

export const ROOT_UUID = '6a8f0c1e-0000-4000-8000-00000000c0de';
export const BOOT_UUID = '6a8f0c1e-0000-4000-8000-00000000b007';

/** `bios`: MBR; `separate-boot`: the same with /boot as a partition of its own; `uefi`: GPT with ESP. */
export type DiskKind = 'bios' | 'separate-boot' | 'uefi';

export interface DiskContent {
  readonly root: string;
  /** Content of the boot partition (`separate-boot`). */
  readonly boot?: string;
  /** Content of the ESP, besides GRUB. */
  readonly esp?: string;
  /** Whether GRUB is put onto the ESP as the fallback program. Default true. */
  readonly hasGrub?: boolean;
}

const SECTOR_BYTES = 512;
const MIB = 1 << 20;
const MIB_SECTORS = MIB / SECTOR_BYTES;
const ROOT_MIB = 1100;
const BOOT_MIB = 200;
const ESP_MIB = 160;

/** Writes a disk image; the file is sparse. Files under `work` are scratch. */
export function makeDisk(image: string, kind: DiskKind, content: DiskContent): void {
  const work = `${image}.work`;
  rmSync(image, { force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(image, '');
  if (kind === 'bios') makeBios(image, work, content);
  else if (kind === 'separate-boot') makeSeparateBoot(image, work, content);
  else makeUefi(image, work, content);
  rmSync(work, { recursive: true });
}

function makeBios(image: string, work: string, content: DiskContent): void {
  partition(image, 1 + ROOT_MIB, `label: dos\n${MIB_SECTORS},,83,*`);
  makeExt4(image, 1, ROOT_MIB, ROOT_UUID, content.root);
  installBiosGrub(image, work, 1, '(hd0,msdos1)/boot/grub', 'part_msdos');
}

function makeSeparateBoot(image: string, work: string, content: DiskContent): void {
  const table = `label: dos\n${MIB_SECTORS},${BOOT_MIB * MIB_SECTORS},83,*\n${(1 + BOOT_MIB) * MIB_SECTORS},,83`;
  partition(image, 1 + BOOT_MIB + ROOT_MIB, table);
  makeExt4(image, 1, BOOT_MIB, BOOT_UUID, content.boot ?? '');
  makeExt4(image, 1 + BOOT_MIB, ROOT_MIB, ROOT_UUID, content.root);
  installBiosGrub(image, work, 1, '(hd0,msdos1)/grub', 'part_msdos');
}

function makeUefi(image: string, work: string, content: DiskContent): void {
  const start = 1 + ESP_MIB;
  const table = `label: gpt
start=${MIB_SECTORS}, size=${ESP_MIB * MIB_SECTORS}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=${start * MIB_SECTORS}, size=${ROOT_MIB * MIB_SECTORS}, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4`;
  partition(image, start + ROOT_MIB + 1, table);
  makeExt4(image, start, ROOT_MIB, ROOT_UUID, content.root);
  const esp = join(work, 'esp.img');
  writeFileSync(esp, '');
  truncateSync(esp, ESP_MIB * MIB);
  runOk('mkfs.vfat', ['-F', '32', '-n', 'ESP', esp]);
  if (content.esp !== undefined) runOk('sh', ['-c', 'mcopy -s -Q -i "$1" "$2"/* ::/', 'sh', esp, content.esp]);
  if (content.hasGrub !== false) installEfiGrub(esp, work);
  runOk('dd', [`if=${esp}`, `of=${image}`, 'bs=1M', 'seek=1', 'conv=notrunc,sparse', 'status=none']);
}

function partition(image: string, sizeMib: number, table: string): void {
  truncateSync(image, sizeMib * MIB);
  runOk('sfdisk', ['--quiet', image], { input: table });
}

/** Old GRUBs do not read metadata_csum_seed; the journal is small so that the image is quick to make. */
function makeExt4(image: string, startMib: number, sizeMib: number, uuid: string, content: string): void {
  const extended = `offset=${startMib * MIB},lazy_itable_init=0,lazy_journal_init=0`;
  const features = ['-O', '^orphan_file,^metadata_csum_seed', '-J', 'size=4', '-E', extended];
  runOk('mke2fs', ['-q', '-F', '-t', 'ext4', ...features, '-U', uuid, '-d', content, image, `${sizeMib}m`]);
}

function installBiosGrub(image: string, work: string, coreSector: number, prefix: string, partitions: string): void {
  const corePath = join(work, 'core.img');
  const modules = ['biosdisk', partitions, 'ext2', 'normal', 'serial'];
  runOk('grub-mkimage', ['-O', 'i386-pc', '-p', prefix, '-o', corePath, ...modules]);
  const boot = readFileSync('/usr/lib/grub/i386-pc/boot.img');
  const core = readFileSync(corePath);
  const coreSectors = Math.ceil(core.length / SECTOR_BYTES);
  if (coreSectors >= MIB_SECTORS) throw new Error('core.img does not fit before the first partition');
  boot.writeBigUInt64LE(BigInt(coreSector), 0x5c);
  boot.fill(0x90, 0x66, 0x68);
  core.writeBigUInt64LE(BigInt(coreSector + 1), SECTOR_BYTES - 12);
  core.writeUInt16LE(coreSectors - 1, SECTOR_BYTES - 4);
  core.writeUInt16LE(0x820, SECTOR_BYTES - 2);
  const fd = openSync(image, 'r+');
  writeSync(fd, boot, 0, 440, 0);
  writeSync(fd, core, 0, core.length, coreSector * SECTOR_BYTES);
  closeSync(fd);
}

const EFI_MODULES = [
  ...['part_gpt', 'part_msdos', 'ext2', 'fat', 'search', 'search_fs_uuid', 'configfile', 'normal', 'serial'],
  ...['linux', 'echo', 'test', 'all_video', 'gzio', 'loadenv', 'terminal', 'true', 'reboot', 'halt'],
];

/** A self-contained GRUB that goes on with the grub.cfg of the root file system. */
function installEfiGrub(esp: string, work: string): void {
  const early = join(work, 'early.cfg');
  const program = join(work, 'grub.efi');
  writeFileSync(early, `search.fs_uuid ${ROOT_UUID} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n`);
  runOk('grub-mkimage', ['-O', 'x86_64-efi', '-p', '/boot/grub', '-c', early, '-o', program, ...EFI_MODULES]);
  runOk('sh', ['-c', 'mmd -i "$1" -D s ::/EFI ::/EFI/BOOT; mcopy -o -i "$1" "$2" ::/EFI/BOOT/BOOTX64.EFI', 'sh', esp, program]);
}

/** Copies GRUB's modules to where its BIOS core looks for them. */
export function installGrubModules(grubDir: string): void {
  mkdirSync(join(grubDir, 'i386-pc'), { recursive: true });
  runOk('sh', ['-c', 'cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst "$1"', 'sh', join(grubDir, 'i386-pc')]);
}

/** Copies an image with its holes. */
export function copyDisk(from: string, to: string): void {
  runOk('cp', ['--sparse=always', '--reflink=auto', from, to]);
}

/** Puts systemd-boot onto an ESP's directory: where bootctl would, and as the fallback program. */
export function installSystemdBoot(espDir: string, baseRoot: string): void {
  const program = join(baseRoot, 'usr/lib/systemd/boot/efi/systemd-bootx64.efi');
  for (const path of ['EFI/systemd/systemd-bootx64.efi', 'EFI/BOOT/BOOTX64.EFI']) {
    mkdirSync(join(espDir, path, '..'), { recursive: true });
    copyFileSync(program, join(espDir, path));
  }
}
