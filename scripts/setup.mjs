/**
 * Installs what is missing: node_modules by the lock file, and Debian packages when root on a Debian-like system.
 * Uses Node alone, since it runs before anything is installed. Elsewhere it prints what to install and goes on.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { tool } from './steps.mjs';

const words = (text) => text.trim().split(/\s+/);

/** Debian packages by who wants them. */
export const PACKAGES = {
  demo: words('mmdebstrap ca-certificates'),
  bench: words('ostree mmdebstrap ca-certificates time libdeflate0'),
  test: words(`
    ostree git attr acl strace fakeroot mmdebstrap bubblewrap fuse3 time procps python3
    xz-utils zstd bzip2 libdeflate0 cpio gnupg openssl nginx-light busybox-static ca-certificates tzdata selinux-utils
    btrfs-progs xfsprogs e2fsprogs dosfstools mtools fdisk squashfs-tools
    qemu-system-x86 qemu-utils qemu-system-data seabios ovmf ipxe-qemu
    grub-pc-bin grub-efi-amd64-bin grub-common grub2-common kmod`),
};

/** Runs `npm ci` when node_modules is missing or differs from the lock file. */
export function ensureNodeModules() {
  if (isInstalled()) return;
  console.log('=== npm ci');
  if (tool('npm', ['ci', '--no-audit', '--no-fund']) !== 0) process.exit(1);
}

function isInstalled() {
  const installedLock = 'node_modules/.package-lock.json';
  if (!existsSync(installedLock)) return false;
  if (lstatSync('node_modules').isSymbolicLink()) return true; // shared with another work tree, which installs
  const { packages: wanted } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const { packages: present } = JSON.parse(readFileSync(installedLock, 'utf8'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (present[path] === undefined ? optional : present[path].version === version),
  );
}

/** Installs the Debian packages that are missing; prints them where that is not possible. Fails only under CI=true. */
export function ensureDebianPackages(names) {
  const missing = names.filter((name) => !isDebianPackageInstalled(name));
  if (missing.length === 0) return;
  if (!existsSync('/usr/bin/apt-get') || process.getuid() !== 0) {
    console.log(`=== These Debian packages are missing; some parts will be left out:\n  apt-get install ${missing.join(' ')}`);
    if (process.env.CI === 'true') process.exit(1);
    return;
  }
  console.log(`=== apt-get install ${missing.join(' ')}`);
  // RUNLEVEL=1 keeps packages from starting their services where there is no systemd.
  const environment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Use-Pty=0'];
  const isDone =
    tool('apt-get', ['-q', 'update'], environment) === 0 &&
    tool('apt-get', [...options, '--no-install-recommends', 'install', ...missing], environment) === 0;
  if (!isDone && process.env.CI === 'true') process.exit(1);
}

function isDebianPackageInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
  return stdout?.includes('\nStatus: install ok installed\n') === true;
}

if (process.argv[1] === import.meta.filename) {
  ensureNodeModules();
  ensureDebianPackages(PACKAGES.test);
}
