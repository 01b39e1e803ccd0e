/**
 * Headers of file objects: what is hashed before the content, and what a `.filez` starts with.
 *
 * Layout of both: header length (4 bytes, big-endian), 4 zero bytes, the header as a GVariant. In the header uid, gid,
 * mode, rdev and (in `.filez`) size are big-endian. File checksum = SHA-256(prefix ++ header ++ content); a symlink
 * has no content.
 *
 * Source: ostree-format 4, 4.1, 6 (`user.ostreemeta`).
 */
import { asBuffer, type Checksum, createSha256, HacktreeError, isWellFormed, swap32, swap64 } from '../core/index.ts';
import { encodeVariant } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';
import { NO_XATTRS, type Xattrs, xattrsFromValue, xattrsToValue } from './xattrs.ts';

export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;

/** Owner, mode with file type bits, xattrs, and the target of a symlink. */
export interface FileHeader {
  readonly uid: number;
  readonly gid: number;
  /** With file type bits: 0100000 regular, 0120000 symlink. */
  readonly mode: number;
  /** Empty for regular files. */
  readonly target: string;
  readonly xattrs: Xattrs;
}

export interface FilezHeader extends FileHeader {
  /** Uncompressed size of the content; 0 for symlinks. */
  readonly sizeBytes: number;
}

/** Bytes before the header: its length and the padding. */
export const HEADER_PREFIX_BYTES = 8;
/** Most bytes a header may have; a sane bound for what a server sends (xattrs are at most 64 KiB each). */
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

export function isSymlinkMode(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

export function isRegularMode(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** Encodes prefix and header: the bytes hashed before the content of a file object. */
export function encodeFileHeader(header: FileHeader): Buffer {
  const plain = header.xattrs.length === 0 ? plainHeader(header, 0) : undefined;
  if (plain !== undefined) return plain;
  return withPrefix(
    encodeVariant('(uuuusa(ayay))', [
      swap32(header.uid),
      swap32(header.gid),
      swap32(header.mode),
      0,
      header.target,
      xattrsToValue(header.xattrs),
    ]),
  );
}

/**
 * The common case without xattrs: fixed fields, target, NUL, one framing offset; `start` leaves room for a size.
 * Returns undefined when the offset needs more than a byte.
 */
function plainHeader({ uid, gid, mode, target }: FileHeader, start: 0 | 8): Buffer | undefined {
  const end = start + 16 + Buffer.byteLength(target) + 1;
  if (end + 1 > 0xff || target.includes('\0') || !isWellFormed(target)) return undefined;
  const bytes = Buffer.alloc(HEADER_PREFIX_BYTES + end + 1);
  bytes.writeUInt32BE(end + 1, 0);
  const fields = HEADER_PREFIX_BYTES + start;
  bytes.writeUInt32BE(uid, fields);
  bytes.writeUInt32BE(gid, fields + 4);
  bytes.writeUInt32BE(mode, fields + 8);
  bytes.write(target, fields + 16, 'utf8');
  bytes[bytes.length - 1] = end;
  return bytes;
}

function withPrefix(header: Buffer): Buffer {
  const prefix = Buffer.alloc(HEADER_PREFIX_BYTES);
  prefix.writeUInt32BE(header.length, 0);
  return Buffer.concat([prefix, header]);
}

/** Computes the checksum of a file object whose content is in memory (empty for symlinks). */
export function fileChecksum(header: FileHeader, content: Uint8Array): Checksum {
  return createSha256().update(encodeFileHeader(header)).update(content).digest().toString('hex') as Checksum;
}

/** Encodes prefix and header of a `.filez`; the raw deflate stream follows (nothing for a symlink). */
export function encodeFilezHeader(header: FilezHeader): Buffer {
  const plain = header.xattrs.length === 0 ? plainHeader(header, 8) : undefined;
  if (plain !== undefined) {
    plain.writeUInt32BE(Math.floor(header.sizeBytes / 2 ** 32), HEADER_PREFIX_BYTES);
    plain.writeUInt32BE(header.sizeBytes % 2 ** 32, HEADER_PREFIX_BYTES + 4);
    return plain;
  }
  return withPrefix(
    encodeVariant('(tuuuusa(ayay))', [
      swap64(BigInt(header.sizeBytes)),
      swap32(header.uid),
      swap32(header.gid),
      swap32(header.mode),
      0,
      header.target,
      xattrsToValue(header.xattrs),
    ]),
  );
}

/** Reads the prefix of a `.filez` and returns the length of the header that follows. Errors: `format-invalid`. */
export function decodeHeaderPrefix(prefix: Buffer): number {
  if (prefix.length < HEADER_PREFIX_BYTES || prefix.readUInt32BE(4) !== 0) throw bad('prefix is cut or not padded with zeros');
  const length = prefix.readUInt32BE(0);
  if (length > MAX_HEADER_BYTES) throw bad(`header of ${length} bytes`);
  return length;
}

/** Bytes of a header without target and xattrs: the fields, a NUL, one framing offset. */
const REGULAR_BYTES = 18;

/** Decodes the common case, a sound header of a regular file without xattrs; undefined for everything else. */
function regularHeader(bytes: Buffer, start: 0 | 8): FileHeader | undefined {
  const end = start + REGULAR_BYTES - 1;
  if (bytes.length !== end + 1 || bytes[end] !== end || bytes[end - 1] !== 0) return undefined;
  const mode = bytes.readUInt32BE(start + 8);
  const isPlain = isRegularMode(mode) && (mode & ~(S_IFMT | 0o7777)) === 0 && bytes.readUInt32BE(start + 12) === 0;
  if (!isPlain) return undefined;
  return { uid: bytes.readUInt32BE(start), gid: bytes.readUInt32BE(start + 4), mode, target: '', xattrs: NO_XATTRS };
}

/** Decodes the header of a `.filez` (without prefix). Errors: `format-invalid`. */
export function decodeFilezHeader(bytes: Uint8Array): FilezHeader {
  const buffer = asBuffer(bytes);
  const plain = regularHeader(buffer, 8);
  const plainBytes = plain === undefined ? 0 : buffer.readUInt32BE(0) * 2 ** 32 + buffer.readUInt32BE(4);
  if (plain !== undefined && Number.isSafeInteger(plainBytes)) return { ...plain, sizeBytes: plainBytes };
  const [size, uid, gid, mode, rdev, target, xattrs] = decodeVariant('(tuuuusa(ayay))', bytes) as [
    bigint,
    number,
    number,
    number,
    number,
    string,
    unknown,
  ];
  const sizeBytes = swap64(size);
  if (sizeBytes > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`size ${sizeBytes}`);
  const header = {
    sizeBytes: Number(sizeBytes),
    ...checkFields(uid, gid, mode, target),
    xattrs: xattrsFromValue(xattrs, { anyOrder: true }),
  };
  if (rdev !== 0) throw bad('device number is not 0');
  if (isSymlinkMode(header.mode) && header.sizeBytes !== 0) throw bad('symlink with content');
  return header;
}

/** Decodes the header that is hashed (with prefix); used by static deltas and tests. Errors: `format-invalid`. */
export function decodeFileHeader(bytes: Buffer): FileHeader {
  const length = decodeHeaderPrefix(bytes);
  if (bytes.length !== HEADER_PREFIX_BYTES + length) throw bad('length does not match');
  const plain = regularHeader(bytes.subarray(HEADER_PREFIX_BYTES), 0);
  if (plain !== undefined) return plain;
  const [uid, gid, mode, rdev, target, xattrs] = decodeVariant('(uuuusa(ayay))', bytes.subarray(HEADER_PREFIX_BYTES)) as [
    number,
    number,
    number,
    number,
    string,
    unknown,
  ];
  if (rdev !== 0) throw bad('device number is not 0');
  return { ...checkFields(uid, gid, mode, target), xattrs: xattrsFromValue(xattrs) };
}

function checkFields(uid: number, gid: number, modeRaw: number, target: string): Omit<FileHeader, 'xattrs'> {
  const mode = swap32(modeRaw);
  checkFileMode(mode);
  if (isRegularMode(mode) && target !== '') throw bad('regular file with a symlink target');
  return { uid: swap32(uid), gid: swap32(gid), mode, target };
}

/** Errors: `format-invalid` unless the mode is a regular file or symlink with no bits beyond 07777. */
export function checkFileMode(mode: number): void {
  if ((!isRegularMode(mode) && !isSymlinkMode(mode)) || (mode & ~(S_IFMT | 0o7777)) !== 0) {
    throw bad(`mode 0${mode.toString(8)}, expected a regular file or symlink`);
  }
}

const bad = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid file header: ${why}`);
