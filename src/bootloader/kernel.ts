/**
 * Finds the kernel and the initial RAM disk of a tree.
 *
 * Looked at, in this order; the first place with both wins, and in a directory the highest version:
 *
 *     usr/lib/modules/VERSION/vmlinuz + initramfs.img | initramfs      Fedora, OSTree
 *     usr/lib/ostree-boot/vmlinuz-VERSION-HEX + initramfs-VERSION-HEX  old OSTree trees; HEX is the boot checksum
 *     boot/vmlinuz-VERSION-HEX + initramfs-VERSION-HEX                 the same
 *     boot/vmlinuz-VERSION + initrd.img-VERSION | initramfs-VERSION.img | initrd-VERSION   Debian and others
 *
 * Device trees are left out.
 *
 * **Source:** ostree-cli B.6.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';

export interface TreeKernel {
  /** What `uname -r` will say, as far as the file's place tells. */
  readonly version: string;
  /** Relative to the tree. */
  readonly kernel: string;
  readonly initrd: string;
}

interface Candidate {
  readonly version: string;
  readonly kernel: string;
  readonly initrd: string | undefined;
}

const INITRD_NAMES = ['initramfs.img', 'initramfs'];
const HEX_SUFFIX = /^(.*)-[0-9a-f]{64}$/;

/** A tree to look into: a directory, or a commit that is not checked out. Paths are relative to its root. */
export interface TreeReader {
  /** For messages. */
  readonly name: string;
  /** Names in a directory; none when it is missing. */
  list(dir: string): string[];
  isFile(path: string): boolean;
}

/** Finds a tree's kernel. Errors: `kernel-missing`, whose message names the places looked at. */
export function findKernel(where: string | TreeReader): TreeKernel {
  const tree = typeof where === 'string' ? directoryReader(where) : where;
  const candidates = [
    ...inModules(tree),
    ...withChecksum(tree, 'usr/lib/ostree-boot'),
    ...withChecksum(tree, 'boot'),
    ...inBoot(tree),
  ];
  for (const { version, kernel, initrd } of candidates) if (initrd !== undefined) return { version, kernel, initrd };
  throw kernelMissing(tree.name, candidates[0]);
}

function inModules(tree: TreeReader): Candidate[] {
  const dir = 'usr/lib/modules';
  return newestFirst(tree.list(dir)).flatMap((version) => {
    const kernel = `${dir}/${version}/vmlinuz`;
    if (!tree.isFile(kernel)) return [];
    const initrd = INITRD_NAMES.map((name) => `${dir}/${version}/${name}`).find((path) => tree.isFile(path));
    return [{ version, kernel, initrd }];
  });
}

function withChecksum(tree: TreeReader, dir: string): Candidate[] {
  const names = newestFirst(tree.list(dir));
  return names.flatMap((name) => {
    const version = HEX_SUFFIX.exec(name.slice('vmlinuz-'.length))?.[1];
    if (!name.startsWith('vmlinuz-') || version === undefined) return [];
    const suffix = name.slice(-64);
    const initrd = names.find((other) => other.startsWith('initramfs-') && other.endsWith(`-${suffix}`));
    return [{ version, kernel: `${dir}/${name}`, initrd: initrd === undefined ? undefined : `${dir}/${initrd}` }];
  });
}

function inBoot(tree: TreeReader): Candidate[] {
  return newestFirst(tree.list('boot')).flatMap((name) => {
    if (!name.startsWith('vmlinuz-') || HEX_SUFFIX.test(name) || !tree.isFile(`boot/${name}`)) return [];
    const version = name.slice('vmlinuz-'.length);
    const names = [`initrd.img-${version}`, `initramfs-${version}.img`, `initrd-${version}`];
    const initrd = names.map((other) => `boot/${other}`).find((path) => tree.isFile(path));
    return [{ version, kernel: `boot/${name}`, initrd }];
  });
}

/** Orders as version numbers: runs of digits by value, the rest by bytes. */
function newestFirst(names: readonly string[]): string[] {
  const parts = (name: string): (string | number)[] => (name.match(/\d+|\D+/g) ?? []).map((p) => (/^\d/.test(p) ? Number(p) : p));
  const compare = (a: string, b: string): number => {
    const [x, y] = [parts(a), parts(b)];
    const at = x.findIndex((part, i) => part !== y[i]);
    const [p, q] = [x[at], y[at]];
    if (p === undefined || q === undefined) return x.length - y.length;
    return p < q || (typeof p === 'number' && typeof q === 'string') ? -1 : 1;
  };
  return names.toSorted((a, b) => compare(b, a));
}

function directoryReader(dir: string): TreeReader {
  return {
    name: dir,
    list: (path) => list(dir, path),
    isFile: (path) => fs.lstatSync(join(dir, path), { throwIfNoEntry: false })?.isFile() === true,
  };
}

function list(tree: string, dir: string): string[] {
  try {
    return fs.readdirSync(join(tree, dir));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return [];
    throw wrapSystemError(error, 'Cannot read', join(tree, dir));
  }
}

function kernelMissing(tree: string, kernelOnly: Candidate | undefined): HacktreeError {
  const places = [
    'usr/lib/modules/*/vmlinuz with initramfs.img',
    'usr/lib/ostree-boot/vmlinuz-*',
    'boot/vmlinuz-* with initrd.img-*',
  ];
  const message =
    kernelOnly === undefined
      ? `No kernel in ${tree}; looked for ${places.join(', ')}`
      : `The kernel ${kernelOnly.kernel} in ${tree} has no initial RAM disk beside it; looked for ${places.join(', ')}`;
  return new HacktreeError('kernel-missing', message, {
    details: { path: tree, expected: places.join(', '), ...(kernelOnly === undefined ? {} : { found: kernelOnly.kernel }) },
    hints: ['install a kernel package into the tree, or make its initial RAM disk (update-initramfs -c, dracut)'],
  });
}
