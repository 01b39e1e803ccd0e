/**
 * A stock Debian root, made once by mmdebstrap and kept under /var/tmp, with four initial RAM disks made by the
 * distribution's own tools. Nothing of hacktree is in it.
 *
 * The cache's name has the hash of everything that goes in, so a change makes a new one; older ones are removed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../../helpers/run.ts';

const CACHE_DIR = '/var/tmp/hacktree-cache';
const CACHE_PREFIX = 'boot-root-';

const PACKAGES = [
  ...['systemd-sysv', 'udev', 'kmod', 'linux-image-cloud-amd64', 'initramfs-tools', 'dracut-core', 'busybox-static', 'zstd'],
  ...['e2fsprogs', 'grub2-common', 'grub-common', 'systemd-boot-efi'],
];

/** `stock` is what Debian's kernel package makes; the others differ in one way each. */
export const INITRDS = ['stock', 'klibc', 'dracut', 'dracut-without-systemd'] as const;
export type InitrdName = (typeof INITRDS)[number];

const WITHOUT_DOCS = ['doc', 'man', 'locale', 'info'].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`);

/** Run in the root with /dev, /proc and /sys mounted. $1 is the kernel's version. */
const MAKE_INITRDS = `
set -e
mkdir -p /initrds
ln /boot/initrd.img-$1 /initrds/stock
cp -a /etc/initramfs-tools /tmp/klibc
echo BUSYBOX=n >/tmp/klibc/conf.d/klibc
mkinitramfs -d /tmp/klibc -o /initrds/klibc "$1"
rm -rf /tmp/klibc
drivers='--add-drivers virtio_pci --add-drivers virtio_blk --add-drivers ext4'
omit='plymouth lvm crypt multipath nfs iscsi network btrfs mdraid dmraid'
dracut --quiet --no-hostonly --no-early-microcode --compress 'zstd -3' --add systemd $drivers \\
    --omit "$omit" /initrds/dracut "$1"
dracut --quiet --no-hostonly --no-early-microcode --compress 'zstd -3' $drivers \\
    --omit "$omit systemd systemd-initrd dracut-systemd dbus dbus-daemon dbus-broker" /initrds/dracut-without-systemd "$1"
`;

const RECIPE = [PACKAGES.join(','), WITHOUT_DOCS.join(' '), MAKE_INITRDS].join('\n');

export interface BaseRoot {
  readonly dir: string;
  readonly kernelVersion: string;
  /** Absolute paths. */
  readonly kernel: string;
  readonly initrds: Readonly<Record<InitrdName, string>>;
}

/** Returns the root, making it when it is not there (about a minute; needs root and the network). */
export function ensureBaseRoot(): BaseRoot {
  const dir = join(CACHE_DIR, `${CACHE_PREFIX}${createHash('sha256').update(RECIPE).digest('hex').slice(0, 12)}`);
  if (!existsSync(dir)) makeBaseRoot(dir);
  const kernelVersion = onlyKernel(dir);
  return {
    dir,
    kernelVersion,
    kernel: join(dir, `boot/vmlinuz-${kernelVersion}`),
    initrds: Object.fromEntries(INITRDS.map((name) => [name, join(dir, 'initrds', name)])) as Record<InitrdName, string>,
  };
}

function onlyKernel(dir: string): string {
  const [version, ...others] = readdirSync(join(dir, 'usr/lib/modules'));
  if (version === undefined || others.length > 0) throw new Error(`${dir} has not one kernel: ${[version, ...others]}`);
  return version;
}

function makeBaseRoot(dir: string): void {
  mkdirSync(CACHE_DIR, { recursive: true });
  for (const name of readdirSync(CACHE_DIR)) {
    if (name.startsWith(CACHE_PREFIX)) rmSync(join(CACHE_DIR, name), { recursive: true });
  }
  const partial = `${dir}.partial`;
  const include = `--include=${PACKAGES.join(',')}`;
  runOk('mmdebstrap', ['--quiet', '--variant=minbase', include, ...WITHOUT_DOCS, 'bookworm', partial], { timeoutMs: 600_000 });
  const inside =
    'mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"; exec chroot "$1" sh -c "$2" sh "$3"';
  runOk('unshare', ['-m', 'sh', '-c', inside, 'sh', partial, MAKE_INITRDS, onlyKernel(partial)], { timeoutMs: 600_000 });
  renameSync(partial, dir);
}
