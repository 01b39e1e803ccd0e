/** Boot entries and menus for tests, and a host's grub.cfg as Debian's grub-mkconfig writes it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type BootEntry, type BootMenu, EMPTY_MENU } from '../../src/bootloader/index.ts';
import { scratchDir } from './scratch.ts';

export const FS_UUID = '6a8f0c1e-0000-4000-8000-00000000c0de';

export function makeEntry(id: string, change: Partial<BootEntry> = {}): BootEntry {
  return {
    id,
    title: `Lab ${id}`,
    version: id.replace('root-', ''),
    kernel: `hacktree/${id}/vmlinuz`,
    initrds: [`hacktree/${id}/initrd`, 'hacktree/overlay'],
    arguments: [`root=UUID=${FS_UUID}`, 'ro', `hacktree=/gnomeos/${id}`, 'boot=hacktree', 'panic=5'],
    ...change,
  };
}

export function makeMenu(ids: readonly string[], change: Partial<BootMenu> = {}): BootMenu {
  return { ...EMPTY_MENU, entries: ids.map((id) => makeEntry(id)), defaultId: ids[0] ?? 'host', ...change };
}

export const HOST_GRUB_CFG = `
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
function load_video {
  insmod all_video
}
set timeout=3
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-${FS_UUID}' {
	load_video
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	insmod part_msdos
	insmod ext2
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,msdos1 ${FS_UUID}
	else
	  search --no-floppy --fs-uuid --set=root ${FS_UUID}
	fi
	echo	'Loading Linux 6.1.0-23-amd64 ...'
	linux	/boot/vmlinuz-6.1.0-23-amd64 root=UUID=${FS_UUID} ro  quiet console=ttyS0,115200 \${vt_handoff}
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd.img-6.1.0-23-amd64
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-${FS_UUID}' {
	menuentry 'Debian GNU/Linux, recovery' {
		linux	/boot/vmlinuz-6.1.0-23-amd64 root=UUID=${FS_UUID} ro single
	}
}
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
`;

/** Writes files by relative path below a directory. */
export function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(join(dir, path, '..'), { recursive: true });
    fs.writeFileSync(join(dir, path), content);
  }
}

/** Makes a system root with a GRUB in it, and the kernels of a menu. */
export function makeGrubSysroot(menu: BootMenu, files: Readonly<Record<string, string>> = {}): string {
  const sysroot = scratchDir();
  writeFiles(sysroot, { 'boot/grub/grub.cfg': HOST_GRUB_CFG, ...files });
  writeKernels(join(sysroot, 'boot'), menu);
  return sysroot;
}

/** Writes every file that a menu names, with its own path as content. */
export function writeKernels(bootDir: string, menu: BootMenu): void {
  const paths = menu.entries.flatMap(({ kernel, initrds }) => [kernel, ...initrds]);
  writeFiles(bootDir, Object.fromEntries(paths.map((path) => [path, path])));
}
