/**
 * Reading objects: metadata as checked values, file objects as header plus content, in every repository mode.
 *
 * All functions are synchronous and look in the parent repository when the object is not here. Reading does not verify
 * checksums (verify.ts does); structure is always checked.
 *
 * Source: ostree-format 2, 4, 6.
 */
import * as fs from 'node:fs';
import { type Checksum, errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import {
  type Commit,
  type Dict,
  type Dirtree,
  decodeCommit,
  decodeDict,
  decodeDirmeta,
  decodeDirtree,
  decodeFilemeta,
  decodeFilezHeader,
  decodeHeaderPrefix,
  decodeSubdirs,
  decodeXattrs,
  type FileHeader,
  HEADER_PREFIX_BYTES,
  type InodeMeta,
  isRegularMode,
  isSymlinkMode,
  MAX_METADATA_BYTES,
  NO_XATTRS,
  type ObjectType,
  S_IFLNK,
  S_IFMT,
  type Subdir,
  type Xattrs,
} from '../format/index.ts';
import { getXattr } from '../sys/index.ts';
import { loosePath } from './layout.ts';
import type { Repo } from './repo.ts';
import { readXattrs } from './xattrs.ts';

/** Absolute path where an object of this repository is, or would be. */
export function objectPath(repo: Repo, checksum: Checksum, type: ObjectType): string {
  return `${repo.objectsPath}/${loosePath(repo.mode, checksum, type)}`;
}

/** Opens an object's file for reading; undefined when there is none, or a symlink or FIFO. Errors: others of the system. */
export function openObjectFile(path: string): number | undefined {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
    throw wrapSystemError(error, 'Reading object', path);
  }
}

/** Returns the repository (this or a parent) that has the object. */
export function findObject(repo: Repo, checksum: Checksum, type: ObjectType): Repo | undefined {
  for (let at: Repo | undefined = repo; at !== undefined; at = at.parent) {
    if (fs.lstatSync(objectPath(at, checksum, type), { throwIfNoEntry: false }) !== undefined) return at;
  }
  return undefined;
}

/** Tells whether the object is here or in a parent. */
export function hasObject(repo: Repo, checksum: Checksum, type: ObjectType): boolean {
  return findObject(repo, checksum, type) !== undefined;
}

/** Error for an object that is not there. */
export function missingObject(repo: Repo, checksum: Checksum, type: ObjectType): HacktreeError {
  const kind = type === 'file' ? 'file' : 'metadata';
  return new HacktreeError('object-missing', `No such ${kind} object ${checksum}.${type}`, {
    details: { path: repo.path, object: `${checksum}.${type}` },
    hints: [`hacktree fsck --repo=${repo.path} lists everything that is missing`],
  });
}

/** Reads the bytes of a metadata object. Errors: `object-missing`, `object-too-large`. */
export function readMetadata(repo: Repo, checksum: Checksum, type: ObjectType): Buffer {
  const bytes = tryReadMetadata(repo, checksum, type);
  if (bytes === undefined) throw missingObject(repo, checksum, type);
  return bytes;
}

/** Reads the bytes of a metadata object; undefined when it is not there. Errors: `object-too-large`. */
export function tryReadMetadata(repo: Repo, checksum: Checksum, type: ObjectType): Buffer | undefined {
  const path = objectPath(repo, checksum, type);
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw wrapSystemError(error, 'Reading object', path);
    return repo.parent === undefined ? undefined : tryReadMetadata(repo.parent, checksum, type);
  }
  try {
    const small = readLittle(fd);
    if (small !== undefined) return small;
    const stat = fs.fstatSync(fd);
    const { size } = stat;
    if (!stat.isFile()) throw notAFile(path, checksum, type, stat.mode);
    if (size > MAX_METADATA_BYTES) {
      throw new HacktreeError(
        'object-too-large',
        `Metadata object ${path} has ${size} bytes, expected at most ${MAX_METADATA_BYTES}`,
        {
          details: { path, expected: MAX_METADATA_BYTES, found: size },
        },
      );
    }
    const bytes = Buffer.allocUnsafe(size);
    const read = readFully(fd, bytes, 0);
    return read === size ? bytes : bytes.subarray(0, read);
  } catch (error) {
    throw wrapSystemError(error, 'Reading object', path);
  } finally {
    fs.closeSync(fd);
  }
}

/** Nearly all metadata objects have less. Bytes. */
const little = Buffer.allocUnsafeSlow(1 << 14);

/** Reads a small file without asking for its size; undefined when that is not enough, or it is no file. */
function readLittle(fd: number): Buffer | undefined {
  try {
    const read = fs.readSync(fd, little, 0, little.length, 0);
    return read === 0 || read === little.length ? undefined : Buffer.from(little.subarray(0, read));
  } catch {
    return undefined; // whoever asks for the size next tells why
  }
}

/**
 * Checks that what lies in a file object's place may be one. Opening a pipe would wait for ever; only bare and
 * bare-user-only repositories hold symlinks. Errors: `object-corrupt`.
 */
export function checkFileObjectType(repo: Repo, checksum: Checksum, mode: number): void {
  const mayBeLink = repo.mode !== 'archive' && repo.mode !== 'bare-user';
  if (isRegularMode(mode) || (mayBeLink && isSymlinkMode(mode))) return;
  throw notAFile(objectPath(repo, checksum, 'file'), checksum, 'file', mode);
}

function notAFile(path: string, checksum: Checksum, type: ObjectType, mode: number): HacktreeError {
  return new HacktreeError('object-corrupt', `Corrupted ${type} object ${checksum}: Not a regular file`, {
    details: { path, expected: 'a regular file', found: `mode 0${mode.toString(8)}` },
  });
}

/** Fills a buffer from a position; returns how many bytes there were. */
export function readFully(fd: number, buffer: Uint8Array, position: number): number {
  let at = 0;
  while (at < buffer.length) {
    const read = fs.readSync(fd, buffer, at, buffer.length - at, position + at);
    if (read === 0) break;
    at += read;
  }
  return at;
}

/** Reads `length` bytes of a file from a position on, as far as there are so many. Errors: those of the system. */
export function readPart(path: string, position: number, length: number): Buffer {
  const fd = fs.openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readFully(fd, bytes, position));
  } finally {
    fs.closeSync(fd);
  }
}

/** Turns a decoder's error into one that names the object. */
export function decodeObject<T>(repo: Repo, checksum: Checksum, type: ObjectType, decode: (bytes: Buffer) => T): T {
  const bytes = readMetadata(repo, checksum, type);
  try {
    return decode(bytes);
  } catch (cause) {
    if (!(cause instanceof HacktreeError)) throw cause;
    throw new HacktreeError(
      cause.code === 'path-unsafe' ? 'path-unsafe' : 'object-corrupt',
      `Corrupted ${type} object ${checksum}: ${cause.message}`,
      {
        details: { path: objectPath(repo, checksum, type), object: `${checksum}.${type}` },
        hints: ['hacktree fsck lists damaged objects, hacktree fsck --repair --from=REPO fetches them again'],
        cause,
      },
    );
  }
}

/** Errors of all load functions: `object-missing`, `object-corrupt`, `object-too-large`, `path-unsafe` (dirtree). */
export function loadCommit(repo: Repo, checksum: Checksum): Commit {
  return decodeObject(repo, checksum, 'commit', decodeCommit);
}

export function loadDirtree(repo: Repo, checksum: Checksum): Dirtree {
  return decodeObject(repo, checksum, 'dirtree', decodeDirtree);
}

/** Loads name and tree of a directory's subdirectories, which is quicker than the whole of it. */
export function loadSubdirs(repo: Repo, checksum: Checksum): readonly Subdir[] {
  return decodeObject(repo, checksum, 'dirtree', decodeSubdirs);
}

export function loadDirmeta(repo: Repo, checksum: Checksum): InodeMeta {
  return decodeObject(repo, checksum, 'dirmeta', decodeDirmeta);
}

/** Loads detached metadata; empty when there is none. */
export function loadDetachedMetadata(repo: Repo, commit: Checksum): Dict | undefined {
  const bytes = tryReadMetadata(repo, commit, 'commitmeta');
  return bytes === undefined ? undefined : decodeDict(bytes);
}

/** A file object: header, size of its content, and where the content is. */
export interface FileObject {
  readonly header: FileHeader;
  /** Uncompressed size of the content; for a symlink 0. */
  readonly sizeBytes: number;
  /** File that holds the content. */
  readonly path: string;
  /** Offset of a raw deflate stream in `path` (archive), or undefined when the file is the content itself. */
  readonly deflateOffset: number | undefined;
  /** Size of the loose object on disk. */
  readonly diskBytes: number;
}

export interface LoadOptions {
  /** false: leave the header's xattrs empty, where reading them costs a call of its own. Default true. */
  readonly xattrs?: boolean;
}

/** Loads header and size of a file object. Errors: `object-missing`, `object-corrupt`. */
export function loadFile(repo: Repo, checksum: Checksum, options: LoadOptions = {}): FileObject {
  const path = objectPath(repo, checksum, 'file');
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    if (repo.parent === undefined) throw missingObject(repo, checksum, 'file');
    return loadFile(repo.parent, checksum, options);
  }
  checkFileObjectType(repo, checksum, stat.mode);
  try {
    return repo.mode === 'archive' ? loadFilez(path, stat.size) : loadBare(repo, checksum, path, stat, options);
  } catch (cause) {
    if (!(cause instanceof HacktreeError) || cause.code !== 'format-invalid')
      throw wrapSystemError(cause, 'Reading object', path);
    throw new HacktreeError('object-corrupt', `Corrupted file object ${checksum}: ${cause.message}`, {
      details: { path },
      cause,
    });
  }
}

/** Reads header and size of a `.filez` wherever it lies. Errors: `format-invalid`. */
export function loadFilez(path: string, diskBytes: number): FileObject {
  const fd = fs.openSync(path, 'r');
  try {
    const start = Buffer.alloc(Math.min(diskBytes, 512));
    readFully(fd, start, 0);
    const length = decodeHeaderPrefix(start);
    const end = HEADER_PREFIX_BYTES + length;
    let bytes = start;
    if (end > start.length) {
      bytes = Buffer.alloc(Math.min(end, diskBytes));
      readFully(fd, bytes, 0);
    }
    if (bytes.length < end) throw new HacktreeError('format-invalid', 'header is cut');
    const { sizeBytes, ...header } = decodeFilezHeader(bytes.subarray(HEADER_PREFIX_BYTES, end));
    return { header, sizeBytes, path, deflateOffset: end, diskBytes };
  } finally {
    fs.closeSync(fd);
  }
}

function loadBare(repo: Repo, checksum: Checksum, path: string, stat: fs.Stats, options: LoadOptions): FileObject {
  const link = (stat.mode & S_IFMT) === S_IFLNK;
  if (repo.mode === 'bare-user') return loadBareUser(path, stat);
  const target = link ? fs.readlinkSync(path) : '';
  const base = { sizeBytes: link ? 0 : stat.size, path, deflateOffset: undefined, diskBytes: stat.size };
  if (repo.mode === 'bare-user-only') {
    const header = { uid: 0, gid: 0, mode: link ? S_IFLNK | 0o777 : stat.mode, target, xattrs: NO_XATTRS };
    return { header, ...base };
  }
  const hasXattrs = options.xattrs !== false && !repo.config.disableXattrs;
  const isSplit = repo.mode === 'bare-split-xattrs';
  const xattrs = isSplit ? splitXattrs(repo, checksum) : hasXattrs ? readXattrs(path) : NO_XATTRS;
  return { header: { uid: stat.uid, gid: stat.gid, mode: stat.mode, target, xattrs }, ...base };
}

function loadBareUser(path: string, stat: fs.Stats): FileObject {
  const raw = getXattr(path, 'user.ostreemeta');
  if (raw === undefined) throw new HacktreeError('format-invalid', 'the xattr user.ostreemeta is missing');
  const meta = decodeFilemeta(raw);
  if (!isSymlinkMode(meta.mode)) {
    return { header: { ...meta, target: '' }, sizeBytes: stat.size, path, deflateOffset: undefined, diskBytes: stat.size };
  }
  const content = fs.readFileSync(path);
  const nul = content.indexOf(0);
  const target = content.toString('utf8', 0, nul < 0 ? content.length : nul);
  return { header: { ...meta, target }, sizeBytes: 0, path, deflateOffset: undefined, diskBytes: stat.size };
}

function splitXattrs(repo: Repo, checksum: Checksum): Xattrs {
  const bytes = readMetadata(repo, checksum, 'file-xattrs-link');
  return bytes.length === 0 ? NO_XATTRS : decodeXattrs(bytes);
}
