/**
 * Listing a directory with inode numbers and types, which the kernel gives with the names and Node leaves out: finding which
 * files are links to known inodes then takes no stat per file.
 *
 * Source: getdents64(2): struct linux_dirent64 is d_ino (u64), d_off (i64), d_reclen (u16), d_type (u8), name, NUL; little-endian.
 */
import { closeFd, openDirAt } from './at.ts';
import { callNative } from './natives.ts';

export interface DirectoryEntry {
  readonly name: string;
  /** 0 where the file system does not tell; exact up to 2^53, as Node's `ino`. */
  readonly inode: number;
  readonly kind: 'file' | 'dir' | 'symlink' | 'other' | 'unknown';
}

const KINDS: Readonly<Record<number, DirectoryEntry['kind']>> = { 0: 'unknown', 4: 'dir', 8: 'file', 10: 'symlink' };
const BUFFER_BYTES = 1 << 16;
const NAME_OFFSET = 19;
const buffer = Buffer.from(new ArrayBuffer(BUFFER_BYTES));

/** Lists a directory, unsorted, without `.` and `..`. Names that are not UTF-8 hold U+FFFD. Errors: system errors. */
export function readDirectory(path: string): DirectoryEntry[] {
  const fd = openDirAt(-1, path.startsWith('/') ? `${path}/.` : `${process.cwd()}/${path}/.`);
  if (fd === undefined) throw Object.assign(new Error(`ENOENT: getdents64 '${path}'`), { code: 'ENOENT', path });
  const entries: DirectoryEntry[] = [];
  try {
    for (;;) {
      const length = callNative('getdents64', path, fd, buffer, BUFFER_BYTES);
      if (length === 0) return entries;
      for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
        const name = buffer.toString('utf8', at + NAME_OFFSET, buffer.indexOf(0, at + NAME_OFFSET));
        if (name === '.' || name === '..') continue;
        const inode = buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 2 ** 32;
        entries.push({ name, inode, kind: KINDS[buffer[at + 18] as number] ?? 'other' });
      }
    }
  } finally {
    closeFd(fd);
  }
}
