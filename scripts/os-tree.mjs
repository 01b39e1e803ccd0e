/**
 * Real OS trees to work on, made once and kept: a Debian root by mmdebstrap (root and network needed), or one around busybox.
 *
 * A tree appears under its final name only when it is complete. Device nodes are left out, since commits cannot hold them.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { tool } from './steps.mjs';

const SUITE = 'bookworm';

/** Makes a Debian root at `dir` unless it is there; returns whether there is one now. `options` are mmdebstrap's. */
export function ensureDebianTree(dir, { variant, packages = [], options = [] }) {
  if (existsSync(dir)) return true;
  if (process.getuid() !== 0 || findOnPath('mmdebstrap') === undefined) return false;
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const args = ['--quiet', `--variant=${variant}`, ...include, ...options, '--format=directory', SUITE];
  return appear(dir, (partial) => {
    console.log(`$ mmdebstrap ${args.map((word) => (/^[-=:@%+,./\w]+$/.test(word) ? word : `'${word}'`)).join(' ')} ${partial}`);
    if (tool('mmdebstrap', [...args, partial]) !== 0) return false;
    for (const name of readdirSync(join(partial, 'dev'))) rmSync(join(partial, 'dev', name), { recursive: true });
    return true;
  });
}

const WITHOUT_DOCS = ['doc', 'man', 'locale', 'info', 'zoneinfo'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

/** Of the kernel's modules, what a virtual machine needs: a tenth of all. The last filter that matches a path counts. */
const FEW_MODULES = [
  '--dpkgopt=path-exclude=/lib/modules/*/kernel/*',
  ...[
    'fs/ext4/*',
    'fs/jbd2/*',
    'fs/mbcache*',
    'fs/autofs/*',
    'lib/*',
    'crypto/*',
    'arch/*',
    'drivers/virtio/*',
    'drivers/block/virtio*',
  ].map((path) => `--dpkgopt=path-include=/lib/modules/*/kernel/${path}`),
];

/** An initramfs with the drivers of a virtual machine alone: quick to make and to load. */
const SMALL_INITRAMFS = `--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf "MODULES=list\\nCOMPRESSLEVEL=3\\n" >"$1/etc/initramfs-tools/conf.d/small"
printf "virtio_pci\\nvirtio_blk\\next4\\n" >"$1/usr/share/initramfs-tools/modules.d/small"`;

/** Makes a Debian root that a virtual machine can boot at `dir` unless it is there; returns whether there is one now. */
export function ensureBootableTree(dir) {
  // usr-is-merged: else the package usrmerge comes, and with it the whole of perl.
  const packages = [
    'linux-image-cloud-amd64',
    'initramfs-tools',
    'busybox-static',
    'systemd-sysv',
    'udev',
    'kmod',
    'zstd',
    'usr-is-merged',
  ];
  const options = ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', ...WITHOUT_DOCS, ...FEW_MODULES, SMALL_INITRAMFS];
  return ensureDebianTree(dir, { variant: 'minbase', packages, options });
}

/** Makes a small root around the machine's busybox at `dir` unless it is there; returns whether there is one now. */
export function ensureBusyboxTree(dir) {
  if (existsSync(dir)) return true;
  const busybox = findOnPath('busybox');
  if (busybox === undefined) return false;
  return appear(dir, (partial) => {
    for (const name of ['usr/bin', 'usr/lib', 'etc', 'var', 'proc', 'sys', 'dev', 'tmp'])
      mkdirSync(join(partial, name), { recursive: true });
    for (const name of ['bin', 'lib']) symlinkSync(`usr/${name}`, join(partial, name));
    symlinkSync('usr/bin', join(partial, 'sbin'));
    copyFileSync(busybox, join(partial, 'usr/bin/busybox'));
    chmodSync(join(partial, 'usr/bin/busybox'), 0o755);
    const { stdout } = spawnSync(busybox, ['--list'], { encoding: 'utf8' });
    for (const name of stdout.split('\n')) {
      if (name !== '' && name !== 'busybox') symlinkSync('busybox', join(partial, 'usr/bin', name));
    }
    writeFileSync(join(partial, 'etc/os-release'), 'ID=busybox\nVERSION_ID=1\nPRETTY_NAME="Busybox 1"\n');
    writeFileSync(join(partial, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(partial, 'etc/group'), 'root:x:0:\n');
    return true;
  });
}

/** Copies the readable part of this machine's own configuration to `dir` unless it is there: for want of anything better. */
export function ensureHostTree(dir) {
  if (existsSync(dir)) return;
  appear(dir, (partial) => {
    mkdirSync(join(partial, 'usr/share'), { recursive: true });
    for (const path of ['etc', 'usr/share/zoneinfo']) spawnSync('cp', ['-a', join('/', path), join(partial, path)]);
    rmSync(join(partial, 'etc/os-release'), { force: true });
    writeFileSync(join(partial, 'etc/os-release'), 'ID=demo\n');
    return true;
  });
}

/** Makes something under a temporary name and renames it when it is whole; returns whether it is. */
function appear(dir, make) {
  const partial = `${dir}.partial-${process.pid}`;
  mkdirSync(dirname(dir), { recursive: true });
  const isWhole = make(partial);
  if (isWhole) renameSync(partial, dir);
  else rmSync(partial, { recursive: true, force: true });
  return isWhole;
}

function findOnPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
