/**
 * hacktree-prepare-root run for real, in a mount namespace on this machine: a busybox as initramfs, tmpfs as physical root.
 * The same script runs in virtual machines in test/boot; here the many kinds of trees and mistakes are tried.
 *
 * The kernel's command line is a file of the test. /proc/sysrq-trigger and /dev/kmsg are files too, so that the script can
 * ask for a restart without getting one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

import { PROJECT_DIR, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const inNamespace = requireTool('unshare', 'busybox', 'mount') && requireRoot() ? it : it.skip;

/** $1: the initramfs' directory; $2: a script that fills the physical root, run in it; $3: a script that looks around. */
const HARNESS = `
set -e
cd "$1"
mount -t tmpfs initramfs .
cd "$PWD"
mkdir bin proc dev run newroot hacktree
cp /bin/busybox bin/busybox
for applet in sh mount umount mkdir ln cat sleep chroot readlink ls; do ln -s busybox bin/$applet; done
cp "$4" hacktree/prepare-root
cp "$5" hacktree/boot-complete
mount --rbind /proc proc
mount --make-rprivate .
: >dev/kmsg; : >dev/null; : >dev/sysrq
mount --bind /dev/null dev/null
echo "$6" >dev/cmdline
mount --bind dev/cmdline proc/cmdline
[ ! -e proc/sysrq-trigger ] || mount --bind dev/sysrq proc/sysrq-trigger
mount -t tmpfs physical newroot
(cd newroot; eval "$2")
status=0
chroot . /bin/sh /hacktree/prepare-root /newroot 2>&1 || status=$?
echo "status $status"
cat dev/kmsg dev/sysrq
chroot . /bin/sh -c "$3" 2>&1
`;

/** A stock tree in the directory root-1, and what deploy prepares for it. */
const STOCK = `
mkdir -p home/alice boot gnomeos/root-1 gnomeos/var/os gnomeos/state/root-1
echo var=os >gnomeos/state/root-1/boot
(cd gnomeos/root-1; mkdir usr etc var proc sys dev run tmp home boot sysroot root srv mnt media)
`;

/** Mounts below the new root: "path source-directory ro|rw". */
const LIST_MOUNTS = `
cd /newroot
while read -r _ _ _ root where options _; do
    case $where in /newroot) where=/newroot/ ;; esac
    case $where in /newroot/*) echo "mount \${where#/newroot} $root \${options%%,*}" ;; esac
done </proc/self/mountinfo
`;

interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly mounts: readonly string[];
}

function prepare(options: { layout?: string; words?: string; look?: string } = {}): Outcome {
  const { layout = '', words = 'quiet hacktree=/gnomeos/root-1', look = '' } = options;
  const scripts = ['hacktree-prepare-root', 'hacktree-boot-complete'].map((name) => join(PROJECT_DIR, 'initramfs', name));
  const args = ['-m', 'sh', '-c', HARNESS, 'sh', scratchDir(), STOCK + layout, LIST_MOUNTS + look, ...scripts, words];
  const text = runOk('unshare', args);
  const lines = text.split('\n');
  return {
    status: Number(lines.find((line) => line.startsWith('status '))?.slice('status '.length)),
    text,
    mounts: lines.flatMap((line) => (line.startsWith('mount ') ? [line.slice('mount '.length)] : [])),
  };
}

const STOCK_MOUNTS = [
  '/ /gnomeos/root-1 ro',
  '/etc /gnomeos/root-1/etc rw',
  '/var /gnomeos/var/os rw',
  '/root /gnomeos/var/os/roothome rw',
  '/srv /gnomeos/var/os/srv rw',
  '/mnt /gnomeos/var/os/mnt rw',
  '/media /gnomeos/var/os/media rw',
  '/home /home rw',
  '/tmp / rw',
  '/boot /boot ro',
  '/sysroot / ro',
];

describe('hacktree-prepare-root', () => {
  inNamespace('lays out a stock tree', () => {
    expect(prepare()).toMatchObject({ status: 0, mounts: STOCK_MOUNTS });
  });

  inNamespace('makes the mount points that a tree lacks', () => {
    const found = prepare({ layout: 'rmdir gnomeos/root-1/sysroot gnomeos/root-1/boot gnomeos/root-1/home gnomeos/root-1/mnt' });
    expect(found).toMatchObject({ status: 0, mounts: STOCK_MOUNTS.filter((line) => !line.startsWith('/mnt')) });
  });

  inNamespace("follows OSTree's links", () => {
    const links = 'cd gnomeos/root-1; rmdir home root tmp; ln -s var/home home; ln -s var/roothome root; ln -s sysroot/tmp tmp';
    const found = prepare({ layout: links });
    expect(found.status).toBe(0);
    expect(found.mounts).toContain('/var/home /home rw');
    expect(found.mounts.filter((line) => /^\/(root|tmp) /.test(line))).toEqual([]);
  });

  inNamespace("shows the tree's package databases, read-only", () => {
    const layout = `
      mkdir -p gnomeos/root-1/var/lib/dpkg gnomeos/root-1/var/lib/pacman/local gnomeos/root-1/usr/lib/rpm
      ln -s ../../usr/lib/rpm gnomeos/root-1/var/lib/rpm
      echo tree >gnomeos/root-1/var/lib/dpkg/status
      mkdir -p gnomeos/var/os/lib/dpkg; echo state >gnomeos/var/os/lib/dpkg/status`;
    const found = prepare({ layout, look: 'cat var/lib/dpkg/status; ls /run/systemd/system' });
    expect(found.mounts).toEqual(
      expect.arrayContaining([
        '/var/lib/dpkg /gnomeos/root-1/var/lib/dpkg ro',
        '/var/lib/pacman/local /gnomeos/root-1/var/lib/pacman/local ro',
      ]),
    );
    expect(found.mounts.filter((line) => line.includes('rpm'))).toEqual([]);
    expect(found.text).toMatch(/^tree$/m);
    expect(found.text).toMatch(/^var-lib-dpkg.mount.d\n(.*\n)*var-lib-pacman-local.mount.d$/m);
  });

  inNamespace("leaves to the fstab what has a line in it: the host's own partitions and /tmp", () => {
    const lines = '#x /srv ext4\\nUUID=1 /boot ext4 defaults\\nUUID=2 /home xfs defaults\\nnone\\t/tmp\\ttmpfs\\n';
    const look = 'ls /run/systemd/system; cat /run/systemd/system/boot.mount.wants/hacktree-boot-view.service';
    const found = prepare({ layout: `printf "${lines}" >gnomeos/root-1/etc/fstab`, look });
    expect(found.mounts).toEqual(STOCK_MOUNTS.filter((line) => !/^\/(tmp|boot|home) /.test(line)));
    expect(found.text).toMatch(/^srv.mount.d$/m);
    expect(found.text).not.toMatch(/^(boot|home).mount.d$/m);
    expect(found.text).toContain('ExecStart=/bin/mount -o remount,bind,ro /boot');
  });

  inNamespace('writes what the running system needs to /run', () => {
    const { text } = prepare({
      look: 'cat /run/hacktree/booted; cd /run/systemd/system; readlink systemd-remount-fs.service; cat var.mount.d/*; cat multi-user.target.wants/*; cat /run/hacktree/boot-complete',
    });
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    expect(text).toContain(`root=root-1\nvar=os\nboot_id=${bootId}/dev/null\n[Unit]\nDefaultDependencies=no\n`);
    expect(text).toContain('ExecStart=/bin/sh /run/hacktree/boot-complete\nPrivateMounts=yes\n');
    expect(prepare({ look: 'ls /run/systemd/system' }).text).not.toContain('hacktree-boot-view');
    expect(text).toContain(readFileSync(join(PROJECT_DIR, 'initramfs/hacktree-boot-complete'), 'utf8').trim());
  });

  inNamespace('leaves everything alone without its argument', () => {
    expect(prepare({ words: 'quiet panic=1' })).toMatchObject({ status: 0, mounts: ['/ / rw'] });
  });

  inNamespace('takes the last of several arguments', () => {
    expect(prepare({ words: 'hacktree=/gnomeos/root-9 hacktree=/gnomeos/root-1' }).status).toBe(0);
  });

  inNamespace.each([
    ['a missing root', '', 'hacktree=/gnomeos/root-9', 'cannot boot /gnomeos/root-9: it is missing'],
    ['a path that climbs', '', 'hacktree=/gnomeos/root-1/../../etc', 'is not of the form /gnomeos/root-NAME'],
    ['a path inside a root', '', 'hacktree=/gnomeos/root-1/usr', 'is not of the form'],
    ['a path elsewhere', '', 'hacktree=/home', 'is not of the form'],
    ['a root without a name', '', 'hacktree=/gnomeos/root-', 'is not of the form'],
    ['a symbolic link', 'ln -s root-1 gnomeos/root-2', 'hacktree=/gnomeos/root-2', 'it is a symbolic link'],
    ['a link in place of /gnomeos', 'mv gnomeos g; ln -s g gnomeos', 'hacktree=/gnomeos/root-1', 'has no directory /gnomeos'],
    ['a root without /usr', 'rmdir gnomeos/root-1/usr', 'hacktree=/gnomeos/root-1', 'it has no usr directory'],
    [
      'a root without /etc that is a directory',
      'cd gnomeos/root-1; rmdir etc; ln -s usr etc',
      'hacktree=/gnomeos/root-1',
      'it has no directory /etc',
    ],
    ['a root without state', 'rm gnomeos/state/root-1/boot', 'hacktree=/gnomeos/root-1', '/gnomeos/state/root-1/boot is missing'],
    ['a state without /var', 'echo x=y >gnomeos/state/root-1/boot', 'hacktree=/gnomeos/root-1', 'no usable line var=NAME'],
    ['a /var that climbs', 'echo var=../x >gnomeos/state/root-1/boot', 'hacktree=/gnomeos/root-1', 'no usable line var=NAME'],
    ['a missing /var', 'rmdir gnomeos/var/os', 'hacktree=/gnomeos/root-1', 'its /var, /gnomeos/var/os, is missing'],
  ])('refuses %s, and changes no mount', (_, layout, words, message) => {
    const found = prepare({ layout, words });
    expect(found).toMatchObject({ status: 1, mounts: ['/ / rw'] });
    expect(found.text).toContain(`<0>hacktree: `);
    expect(found.text).toContain(message);
  });
});
