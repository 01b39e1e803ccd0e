/**
 * A small system that is deployed in a blink: a host with GRUB's files, and versions of a tree whose every byte is known, so
 * that of any root or kernel can be said whether it is complete.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HOST_GRUB_CFG, writeFiles } from '../../helpers/boot-menu.ts';
import { hacktreeOk, runOk } from '../../helpers/run.ts';

const KERNEL_DIR = 'usr/lib/modules/6.1';
/** Big enough to lie in many blocks. */
const KERNEL_BYTES = 200_000;

/** Bytes that follow from their name alone. */
function bytesOf(name: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

export interface SmallVersion {
  /** Content by path of what belongs to /usr, which no deployment changes. */
  readonly tree: ReadonlyMap<string, Buffer>;
  readonly kernelDigest: string;
  readonly initrdDigest: string;
}

const versions = new Map<string, SmallVersion>();

/** The content of a version. Versions `N.x` with the same N have the same kernel and share its files in /boot. */
export function smallVersion(version: string): SmallVersion {
  const known = versions.get(version);
  if (known !== undefined) return known;
  const major = version.split('.')[0] ?? '';
  const [kernel, initrd] = [bytesOf(`kernel ${major}`, KERNEL_BYTES), bytesOf(`initrd ${major}`, KERNEL_BYTES / 2)];
  const tree = new Map<string, Buffer>([
    ['usr/bin/version', Buffer.from(`${version}\n`)],
    ['usr/lib/os-release', Buffer.from('PRETTY_NAME="Small"\n')],
    [`${KERNEL_DIR}/vmlinuz`, kernel],
    [`${KERNEL_DIR}/initramfs.img`, initrd],
  ]);
  for (let i = 0; i < 60; i++) {
    const name = i % 5 === 0 ? `${version} ${i}` : `${i}`;
    tree.set(`usr/share/d${i % 6}/f${i}`, bytesOf(name, 100 + 400 * i));
  }
  const made: SmallVersion = { tree, kernelDigest: sha256(kernel), initrdDigest: sha256(initrd) };
  versions.set(version, made);
  return made;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Text of a default in /etc; a deployed root must have it whole. */
export const motdOf = (version: string): string => `${version}\n${'welcome\n'.repeat(50)}end\n`;

/** Writes a version's tree as something to commit. */
export function writeSmallTree(dir: string, version: string): void {
  writeFiles(dir, Object.fromEntries(smallVersion(version).tree));
  writeFiles(dir, { 'etc/motd': motdOf(version), 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n', 'var/log/started': 'yes\n' });
}

/** Lays out a host: GRUB's files, an fstab, an empty sysroot. */
export function makeSmallHost(top: string): void {
  writeFiles(top, {
    'boot/grub/grub.cfg': HOST_GRUB_CFG,
    'etc/fstab': 'UUID=1234-abcd / ext4 errors=remount-ro 0 1\n',
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  });
  runOk('grub-editenv', [join(top, 'boot/grub/grubenv'), 'create']);
  hacktreeOk(['sysroot', 'init', '--sysroot', top]);
}

/** Arguments of the command that commits a tree as the next version of `os`. */
export function commitArguments(top: string, tree: string, version: string): string[] {
  const metadata = `--add-metadata-string=version=${version}`;
  return ['commit', `--repo=${join(top, 'gnomeos/repo')}`, '--branch=os', metadata, tree];
}

/** Says that a root came up well, as the booted root does. */
export function markGood(top: string, root: string): void {
  const path = join(top, 'gnomeos/state', root, 'good');
  fs.writeFileSync(path, `time=${Math.floor(Date.now() / 1000)}\n`, { flush: true });
}
