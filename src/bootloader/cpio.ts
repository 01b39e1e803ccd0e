/**
 * Writes cpio archives in the "newc" format, the one the kernel unpacks as initramfs.
 *
 * Deterministic: entries in the given order, owner 0:0, time 0, inode numbers counted from 1. Files and directories only.
 *
 * **Source:** kernel Documentation/driver-api/early-userspace/buffer-format.rst: 6 bytes magic `070701`, 13 numbers of
 * 8 hex digits, name with NUL, padding to 4, data, padding to 4; `TRAILER!!!` ends the archive.
 */
import { utf8 } from '../core/index.ts';

export interface CpioEntry {
  /** Path without leading slash. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Undefined makes a directory. */
  readonly bytes: Uint8Array | undefined;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const ALIGNMENT = 4;
/** The kernel finds the next archive at any multiple of 4; cpio tools like full blocks. */
const BLOCK_BYTES = 512;

/** Encodes an archive; its length is a multiple of 512. */
export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, i) => {
    parts.push(...encodeEntry(entry.path, (entry.bytes === undefined ? S_IFDIR : S_IFREG) | entry.mode, i + 1, entry.bytes));
  });
  parts.push(...encodeEntry('TRAILER!!!', 0, 0, undefined));
  const archive = Buffer.concat(parts);
  return Buffer.concat([archive, zeros(archive.length, BLOCK_BYTES)]);
}

function encodeEntry(path: string, mode: number, inode: number, bytes: Uint8Array | undefined): Uint8Array[] {
  const name = utf8(`${path}\0`);
  const size = bytes?.length ?? 0;
  const links = mode === 0 || bytes !== undefined ? 1 : 2;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const numbers = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name.length, 0];
  const header = utf8(`070701${numbers.map((n) => n.toString(16).padStart(8, '0').toUpperCase()).join('')}`);
  const head = [header, name, zeros(header.length + name.length, ALIGNMENT)];
  return bytes === undefined ? head : [...head, bytes, zeros(size, ALIGNMENT)];
}

function zeros(length: number, alignment: number): Buffer {
  return Buffer.alloc((alignment - (length % alignment)) % alignment);
}
