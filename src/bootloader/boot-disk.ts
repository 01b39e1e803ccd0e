/**
 * What GRUB can and cannot do with the disk that /boot is on: read the file system, write the environment block.
 *
 * GRUB reads file systems with code of its own. It writes one thing, the blocks of grubenv, and only where a block of
 * the file is a block of a plain disk: not on btrfs, ZFS or f2fs, not through device mapper or MD, not where the file has holes.
 *
 * **Source:** GRUB 2.06 fs/ext2.c for the features it accepts; commands/loadenv.c (`check_blocklists`); kernel
 * fs/ext4/ext4.h for the superblock: at byte 1024, magic 0xef53 at 0x38, s_feature_incompat at 0x60 (little-endian).
 */
import * as fs from 'node:fs';
import { type FileSystemType, fileSystemTypeOf } from '../sys/index.ts';

export interface BootDisk {
  readonly type: FileSystemType;
  /** ext4 features that no GRUB up to 2.12 reads. */
  readonly unreadable: readonly string[];
  /** ext4 features that GRUB 2.06 reads in some distributions' builds alone. */
  readonly doubtful: readonly string[];
  /** Why GRUB cannot write grubenv here; undefined when it can. */
  readonly envObstacle: string | undefined;
}

const UNREADABLE_BITS: readonly (readonly [number, string])[] = [
  [0x0001, 'compression'],
  [0x0008, 'journal_dev'],
  [0x0400, 'ea_inode'],
  [0x1000, 'dirdata'],
  [0x8000, 'inline_data'],
  [0x20000, 'casefold'],
];
const DOUBTFUL_BITS: readonly (readonly [number, string])[] = [
  [0x2000, 'metadata_csum_seed'],
  [0x4000, 'large_dir'],
];

const SUPERBLOCK_AT = 1024;
const SUPERBLOCK_BYTES = 1024;
const MAGIC = 0xef53;

/** Reads the features GRUB may stumble over from an ext4 superblock; undefined when it is none. */
export function parseExt4Features(superblock: Buffer): { unreadable: string[]; doubtful: string[] } | undefined {
  if (superblock.length < SUPERBLOCK_BYTES || superblock.readUInt16LE(0x38) !== MAGIC) return undefined;
  const incompat = superblock.readUInt32LE(0x60);
  const named = (bits: readonly (readonly [number, string])[]): string[] =>
    bits.filter(([bit]) => (incompat & bit) !== 0).map(([, name]) => name);
  return { unreadable: named(UNREADABLE_BITS), doubtful: named(DOUBTFUL_BITS) };
}

/** Looks at the disk of a boot directory. What cannot be found out (no privilege, no /sys) counts as fine. */
export function inspectBootDisk(bootDir: string, grubenv: string): BootDisk {
  const type = fileSystemTypeOf(bootDir);
  const device = blockDeviceOf(bootDir);
  const features = type === 'ext4' && device !== undefined ? parseExt4Features(readSuperblock(device)) : undefined;
  return {
    type,
    unreadable: features?.unreadable ?? [],
    doubtful: features?.doubtful ?? [],
    envObstacle: envObstacle(type, device, grubenv),
  };
}

const NO_PLAIN_BLOCKS: readonly FileSystemType[] = ['btrfs', 'zfs', 'f2fs', 'tmpfs', 'overlay'];

function envObstacle(type: FileSystemType, device: string | undefined, grubenv: string): string | undefined {
  if (NO_PLAIN_BLOCKS.includes(type)) return `GRUB cannot write files on ${type}`;
  if (device !== undefined) {
    if (fs.existsSync(`/sys/dev/block/${device}/dm`)) return 'GRUB cannot write through LVM, encryption or other device mapping';
    if (fs.existsSync(`/sys/dev/block/${device}/md`)) return 'GRUB cannot write to a software RAID';
  }
  const stat = fs.statSync(grubenv, { throwIfNoEntry: false });
  if (stat !== undefined && stat.blocks * 512 < stat.size) return `${grubenv} has holes or is stored inline`;
  return undefined;
}

/** `MAJOR:MINOR` of the device that holds a path. */
function blockDeviceOf(path: string): string | undefined {
  const { dev } = fs.statSync(path, { bigint: true });
  // glibc's makedev: minor in bits 0-7 and 20-31, major in bits 8-19.
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfffff00n);
  return major === 0n ? undefined : `${major}:${minor}`;
}

function readSuperblock(device: string): Buffer {
  const bytes = Buffer.alloc(SUPERBLOCK_BYTES);
  try {
    const name = /^DEVNAME=(.+)$/m.exec(fs.readFileSync(`/sys/dev/block/${device}/uevent`, 'utf8'))?.[1];
    const fd = fs.openSync(`/dev/${name}`, 'r');
    try {
      fs.readSync(fd, bytes, 0, SUPERBLOCK_BYTES, SUPERBLOCK_AT);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    bytes.fill(0); // no privilege, or no such node: nothing to say
  }
  return bytes;
}
