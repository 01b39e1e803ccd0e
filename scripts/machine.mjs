/**
 * A machine for the demo: a host's directory with GRUB's files, a disk image made of it without mounts, and QEMU in software
 * emulation on the serial line.
 *
 * GRUB comes on a disk of its own (boot.img, then core.img, as on a floppy) and looks for the other by its UUID; that one is
 * a plain ext4 file system, made by mke2fs out of the directory.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const UUID = '6a8f0c1e-0000-4000-8000-0000000000de';
const GRUB_DIR = '/usr/lib/grub/i386-pc';
const MODULES =
  'biosdisk ext2 search_fs_uuid serial terminal normal configfile test echo linux gzio loadenv sleep reboot all_video';
const LIMIT_MS = 150_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are what is taken out
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1bc|[\x00\x08\x0f\r]/g;

/** Says what is missing to boot a machine here; empty when nothing is. */
export function missingForBoot() {
  const tools = ['qemu-system-x86_64', 'grub-mkimage', 'mke2fs'].filter(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  );
  return [...tools, ...(existsSync(join(GRUB_DIR, 'boot.img')) ? [] : ['grub-pc-bin'])];
}

/** Makes the directory of a host that has GRUB and nothing else. */
export function makeHost(dir) {
  for (const name of ['boot/grub', 'etc', 'home']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'etc/fstab'), `UUID=${UUID} / ext4 defaults 0 1\n`);
  writeFileSync(join(dir, 'etc/hostname'), 'demo\n');
  writeFileSync(join(dir, 'etc/passwd'), 'anna:x:1000:1000:Anna:/home/anna:/bin/bash\n');
  writeFileSync(join(dir, 'etc/group'), 'anna:x:1000:\n');
  writeFileSync(join(dir, 'boot/grub/grubenv'), '# GRUB Environment Block\n'.padEnd(1024, '#'));
  writeFileSync(
    join(dir, 'boot/grub/grub.cfg'),
    `serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial
load_env
set timeout=1
menuentry 'The host' --id host {
  search --no-floppy --fs-uuid --set=root ${UUID}
  linux /boot/vmlinuz root=UUID=${UUID} ro console=ttyS0 quiet mitigations=off
  initrd /boot/initrd.img
}
source \${prefix}/custom.cfg
`,
  );
}

/** Boots a host's directory; returns the lines that begin with `demo: `. The machine must turn itself off. */
export async function boot(hostDir, scratch) {
  const [loader, disk] = [join(scratch, 'grub.img'), join(scratch, 'disk.img')];
  makeLoader(loader, scratch);
  rmSync(disk, { force: true });
  run('mke2fs', ['-q', '-t', 'ext4', '-O', '^orphan_file,^metadata_csum_seed', '-U', UUID, '-d', hostDir, disk, '2G']);
  const drives = [loader, disk].flatMap((file) => ['-drive', `file=${file},format=raw,if=virtio,snapshot=on`]);
  const machine = [
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max,aes=off,pclmulqdq=off',
    '-smp',
    '2',
    '-m',
    '1024',
    '-nodefaults',
    '-display',
    'none',
  ];
  const child = spawn('qemu-system-x86_64', [...machine, '-no-reboot', '-serial', 'stdio', ...drives], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = () => child.kill('SIGKILL');
  process.on('exit', stop);
  const timer = setTimeout(stop, LIMIT_MS);
  let text = '';
  for await (const bytes of child.stdout) text += bytes.toString('latin1');
  clearTimeout(timer);
  process.removeListener('exit', stop);
  const lines = text.replace(ESCAPES, '').split('\n');
  const said = lines.filter((line) => line.startsWith('demo: ')).map((line) => line.slice('demo: '.length));
  if (said.at(-1) === 'done') return said.slice(0, -1);
  throw new Error(`The machine did not come up. Its last output:\n${lines.slice(-30).join('\n')}`);
}

/** GRUB's first sector, then its core with what it needs to find the other disk. */
function makeLoader(image, scratch) {
  const [config, core] = [join(scratch, 'early.cfg'), join(scratch, 'core.img')];
  writeFileSync(config, `search.fs_uuid ${UUID} root\nset prefix=($root)/boot/grub\n`);
  run('grub-mkimage', ['-O', 'i386-pc', '-p', '/boot/grub', '-c', config, '-o', core, ...MODULES.split(' ')]);
  writeFileSync(image, Buffer.concat([readFileSync(join(GRUB_DIR, 'boot.img')), readFileSync(core)]));
  truncateSync(image, 2 << 20);
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
