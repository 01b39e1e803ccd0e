/**
 * Reads one directory tree of /etc without following symlinks: what stands at a name, and whether two such things are
 * equal in content.
 *
 * Names are bytes for the kernel and mostly, not always, UTF-8. A name that is not is held as a string in which each
 * byte above 0x7f is a lone low surrogate (U+DC00 + byte); fsPath() gives the bytes back.
 */
import * as fs from 'node:fs';
import { asBuffer, compareUtf8, HacktreeError, tryUtf8 } from '../core/index.ts';
import { NO_XATTRS, type Xattrs, xattrsOf } from './xattrs.ts';

export type NodeType = 'file' | 'directory' | 'symlink' | 'special';

/** What stands at a path: its kind and what lstat says. */
export interface EtcNode {
  readonly type: NodeType;
  /** Absolute, in this module's spelling. */
  readonly path: string;
  readonly stat: fs.Stats;
  /** The bytes of a small file, once they have been read. */
  content?: Buffer;
  /** Extended attributes, once they have been read. */
  xattrs?: Xattrs;
}

/** Turns a path in this module's spelling into what the fs functions take. */
export function fsPath(path: string): string | Buffer {
  if (path.isWellFormed()) return path;
  const parts = path.split('/').map((part) => Buffer.from(part, part.isWellFormed() ? 'utf8' : 'latin1'));
  return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from('/'), part])));
}

/** Lists a directory's names, sorted as bytes of UTF-8. */
export function readNames(dir: string): string[] {
  let names = fs.readdirSync(fsPath(dir));
  if (names.some((name) => name.includes('\ufffd'))) {
    names = fs.readdirSync(fsPath(dir), { encoding: 'buffer' }).map((name) => tryUtf8(name) ?? escapeName(asBuffer(name)));
  }
  return names.sort(compareUtf8);
}

function escapeName(bytes: Buffer): string {
  return String.fromCharCode(...Array.from(bytes, (byte) => (byte < 0x80 ? byte : 0xdc00 + byte)));
}

/** Looks at a path without following a symlink; undefined when nothing is there. */
export function readNode(path: string): EtcNode | undefined {
  const stat = fs.lstatSync(fsPath(path), { throwIfNoEntry: false });
  return stat === undefined ? undefined : { type: typeOf(stat), path, stat };
}

function typeOf(stat: fs.Stats): NodeType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'symlink' : 'special';
}

/** Reads a symlink's target as bytes. */
export function readTarget(node: EtcNode): Buffer {
  return fs.readlinkSync(fsPath(node.path), 'buffer');
}

const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** Opens a regular file for reading. Errors: `path-unsafe` when it has become something else. */
export function openRegular(path: string): number {
  const fd = fs.openSync(fsPath(path), OPEN_FLAGS);
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  throw new HacktreeError('path-unsafe', `${path} is no regular file any more`, { details: { path } });
}

/** Larger files are compared piece by piece and not kept. */
const SMALL_BYTES = 1 << 16;

/** Reads a regular file whole. The bytes belong to the node and must not be changed. */
export function readContent(node: EtcNode): Buffer {
  if (node.content !== undefined) return node.content;
  const fd = openRegular(node.path);
  try {
    const content = readAll(fd, node.stat.size);
    node.xattrs ??= xattrsOf(fd); // cheaper than by path, and nearly always asked for next
    if (content.length <= SMALL_BYTES) node.content = content;
    return content;
  } finally {
    fs.closeSync(fd);
  }
}

/** Reads an open file of usually `sizeBytes` to its end. */
function readAll(fd: number, sizeBytes: number): Buffer {
  const content = Buffer.allocUnsafe(sizeBytes + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length !== sizeBytes; length += read) {
    if (length > sizeBytes) return Buffer.concat([content, fs.readFileSync(fd)]); // it has grown
    read = fs.readSync(fd, content, length, content.length - length, null);
  }
  return content.subarray(0, length);
}

/** Reads the extended attributes of what stands there. */
export function readXattrs(node: EtcNode): Xattrs {
  node.xattrs ??= readXattrsNow(node);
  return node.xattrs;
}

function readXattrsNow(node: EtcNode): Xattrs {
  if (node.path.isWellFormed()) return xattrsOf(node.path);
  if (node.type !== 'file' && node.type !== 'directory') return NO_XATTRS;
  const fd = fs.openSync(fsPath(node.path), OPEN_FLAGS);
  try {
    return xattrsOf(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Tells whether two things have the same type and content; directories are not looked into. */
export function isSameContent(a: EtcNode, b: EtcNode): boolean {
  if (a.type !== b.type) return false;
  if (a.type === 'symlink') return readTarget(a).equals(readTarget(b));
  if (a.type !== 'file') return true;
  if (a.stat.size !== b.stat.size) return false;
  if ((a.stat.ino === b.stat.ino && a.stat.dev === b.stat.dev) || a.stat.size === 0) return true;
  return a.stat.size <= SMALL_BYTES ? readContent(a).equals(readContent(b)) : haveSameBytes(a.path, b.path);
}

const PIECE_BYTES = 1 << 16;
const pieceA = Buffer.allocUnsafe(PIECE_BYTES);
const pieceB = Buffer.allocUnsafe(PIECE_BYTES);

function haveSameBytes(a: string, b: string): boolean {
  const fdA = fs.openSync(fsPath(a), OPEN_FLAGS);
  try {
    const fdB = fs.openSync(fsPath(b), OPEN_FLAGS);
    try {
      for (;;) {
        const lengthA = readFully(fdA, pieceA);
        const lengthB = readFully(fdB, pieceB);
        if (lengthA !== lengthB || pieceA.compare(pieceB, 0, lengthB, 0, lengthA) !== 0) return false;
        if (lengthA < PIECE_BYTES) return true;
      }
    } finally {
      fs.closeSync(fdB);
    }
  } finally {
    fs.closeSync(fdA);
  }
}

function readFully(fd: number, buffer: Buffer): number {
  let at = 0;
  while (at < buffer.length) {
    const read = fs.readSync(fd, buffer, at, buffer.length - at, null);
    if (read === 0) break;
    at += read;
  }
  return at;
}
