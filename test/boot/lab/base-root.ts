/**
 * A stock Debian root, made once by mmdebstrap and kept under /var/tmp, with four initial RAM disks made by the
 * distribution's own tools. Nothing of hacktree is in it.
 *
 * The cache's name has the hash of everything that goes in, so a change makes a new one; older ones are removed once they were
 * not used for a day. Test files that run side by side share it: a lock lets one of them make it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock } from '../../../src/sys/index.ts';
import { PROJECT_DIR, runOk } from '../../helpers/run.ts';

const CACHE_DIR = '/var/tmp/hacktree-cache';
const CACHE_PREFIX = 'boot-root-';
const DAY_MS = 86_400_000;

const PACKAGES = [
  ...['systemd-sysv', 'udev', 'kmod', 'linux-image-cloud-amd64', 'initramfs-tools', 'dracut-core', 'busybox-static', 'zstd'],
  ...['e2fsprogs', 'grub2-common', 'grub-common', 'systemd-boot-efi'],
  'usr-is-merged', // else usrmerge comes, and with it the whole of perl
];
const MERGED_USR = '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr';

/**
 * `stock` is what Debian's kernel package makes; `small` and `klibc` (without busybox) have only the drivers of a virtual
 * machine, which makes a boot seconds shorter.
 */
export const INITRDS = ['stock', 'small', 'klibc', 'dracut', 'dracut-without-systemd'] as const;
export type InitrdName = (typeof INITRDS)[number];

/** Nothing here reads them, and every file takes its time to deploy. */
const LEFT_OUT = ['doc', 'man', 'locale', 'info', 'zoneinfo'].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`);

/** Run in the root with /dev, /proc and /sys mounted. $1 is the kernel's version. */
const MAKE_INITRDS = `
set -e
mkdir -p /initrds
ln /boot/initrd.img-$1 /initrds/stock
cp -a /etc/initramfs-tools /tmp/small
printf 'MODULES=list\\nCOMPRESSLEVEL=3\\n' >/tmp/small/conf.d/small
printf '%s\\n' virtio_pci virtio_blk ext4 >/tmp/small/modules
mkinitramfs -d /tmp/small -o /initrds/small "$1"
echo BUSYBOX=n >>/tmp/small/conf.d/small
mkinitramfs -d /tmp/small -o /initrds/klibc "$1"
rm -rf /tmp/small
common='--quiet --no-hostonly --no-early-microcode'
omit='plymouth lvm crypt multipath nfs iscsi network btrfs mdraid dmraid'
dracut $common --compress 'zstd -3' --drivers 'virtio_pci virtio_blk ext4' --add systemd --omit "$omit" /initrds/dracut "$1"
omit="$omit systemd systemd-initrd dracut-systemd dbus dbus-daemon dbus-broker"
dracut $common --compress 'zstd -3' --drivers 'virtio_pci virtio_blk ext4' --omit "$omit" /initrds/dracut-without-systemd "$1"
`;

const RECIPE = [PACKAGES.join(','), MERGED_USR, LEFT_OUT.join(' '), MAKE_INITRDS].join('\n');

export interface BaseRoot {
  readonly dir: string;
  readonly kernelVersion: string;
  /** Absolute paths. */
  readonly kernel: string;
  readonly initrds: Readonly<Record<InitrdName, string>>;
}

const MAKE_LIMIT_MS = 600_000;

/** Returns the root, making it when it is not there (about a minute; needs root and the network). */
export async function ensureBaseRoot(): Promise<BaseRoot> {
  const dir = join(CACHE_DIR, `${CACHE_PREFIX}${createHash('sha256').update(RECIPE).digest('hex').slice(0, 12)}`);
  mkdirSync(CACHE_DIR, { recursive: true });
  const lock = await acquireLock(join(CACHE_DIR, 'lock'), { kind: 'exclusive', timeoutMs: MAKE_LIMIT_MS });
  try {
    if (!existsSync(dir)) makeBaseRoot(dir);
  } finally {
    lock?.release();
  }
  utimesSync(dir, new Date(), new Date());
  const kernelVersion = onlyKernel(dir);
  return {
    dir,
    kernelVersion,
    kernel: join(dir, `boot/vmlinuz-${kernelVersion}`),
    initrds: Object.fromEntries(INITRDS.map((name) => [name, join(dir, 'initrds', name)])) as Record<InitrdName, string>,
  };
}

/** Run as MAKE_INITRDS, in a copy-on-write view. */
const BAKE_INITRDS = `
set -e
from=/usr/lib/hacktree/initramfs
cp -a /etc/initramfs-tools /tmp/small
printf 'MODULES=list\\nCOMPRESSLEVEL=3\\n' >/tmp/small/conf.d/small
printf '%s\\n' virtio_pci virtio_blk ext4 >/tmp/small/modules
install -D "$from/initramfs-tools/hook" /tmp/small/hooks/hacktree
install -D "$from/initramfs-tools/local-bottom" /tmp/small/scripts/local-bottom/hacktree
mkinitramfs -d /tmp/small -o /out/initramfs-tools "$1"
cp -a "$from/dracut/90hacktree" /usr/lib/dracut/modules.d/
dracut --quiet --no-hostonly --no-early-microcode --compress 'zstd -3' --drivers 'virtio_pci virtio_blk ext4' \\
    --add 'systemd hacktree' --omit 'plymouth lvm crypt multipath nfs iscsi network btrfs mdraid dmraid' /out/dracut "$1"
`;

/** Makes initial RAM disks with hacktree's own hook and dracut module in them: `initramfs-tools` and `dracut` in a directory. */
export function bakeInitrds({ dir, kernelVersion }: BaseRoot, out: string): void {
  const inside = `
set -e
mount -t tmpfs view "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$2"
mount -t overlay -o "lowerdir=$3,upperdir=$1/upper,workdir=$1/work" view "$1/root"
mkdir -p "$1/root/usr/lib/hacktree/initramfs" "$1/root/out"
mount --bind "$4" "$1/root/usr/lib/hacktree/initramfs"
mount --bind "$2" "$1/root/out"
cd "$1/root"
mount --rbind /dev dev; mount -t proc proc proc; mount -t sysfs sysfs sys
exec chroot . sh -c "$5" sh "$6"`;
  const view = `${out}.view`;
  mkdirSync(view, { recursive: true });
  const args = [view, out, dir, join(PROJECT_DIR, 'initramfs'), BAKE_INITRDS, kernelVersion];
  runOk('unshare', ['-m', 'sh', '-c', inside, 'sh', ...args], { timeoutMs: 600_000 });
}

function onlyKernel(dir: string): string {
  const [version, ...others] = readdirSync(join(dir, 'usr/lib/modules'));
  if (version === undefined || others.length > 0) throw new Error(`${dir} has not one kernel: ${[version, ...others]}`);
  return version;
}

function makeBaseRoot(dir: string): void {
  const partial = `${dir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const name of readdirSync(CACHE_DIR)) {
    const path = join(CACHE_DIR, name);
    if (name.startsWith(CACHE_PREFIX) && Date.now() - statSync(path).mtimeMs > DAY_MS) rmSync(path, { recursive: true });
  }
  const include = `--include=${PACKAGES.join(',')}`;
  runOk('mmdebstrap', ['--quiet', '--variant=minbase', MERGED_USR, include, ...LEFT_OUT, 'bookworm', partial], {
    timeoutMs: MAKE_LIMIT_MS,
  });
  const inside =
    'mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"; exec chroot "$1" sh -c "$2" sh "$3"';
  runOk('unshare', ['-m', 'sh', '-c', inside, 'sh', partial, MAKE_INITRDS, onlyKernel(partial)], { timeoutMs: MAKE_LIMIT_MS });
  renameSync(partial, dir);
}
