/**
 * Dirmeta `(uuua(ayay))`: owner, mode and xattrs of a directory; the numbers are big-endian.
 * The same bytes with a file's mode are the `user.ostreemeta` xattr of bare-user repositories ("filemeta").
 *
 * Source: ostree-format 5.1, 6.
 */
import { HacktreeError, swap32 } from '../core/index.ts';
import { checkFileMode, S_IFDIR, S_IFMT } from './file-header.ts';
import { encodeVariant } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';
import { sortXattrs, type Xattrs, xattrsFromValue, xattrsToValue } from './xattrs.ts';

/** Owner, mode (with file type bits) and xattrs. */
export interface InodeMeta {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: Xattrs;
}

/** Encodes a dirmeta object, or a filemeta value. */
export function encodeInodeMeta({ uid, gid, mode, xattrs }: InodeMeta): Buffer {
  if (xattrs.length > 0) {
    return encodeVariant('(uuua(ayay))', [swap32(uid), swap32(gid), swap32(mode), xattrsToValue(xattrs)]);
  }
  const bytes = Buffer.allocUnsafe(12);
  bytes.writeUInt32BE(uid, 0);
  bytes.writeUInt32BE(gid, 4);
  bytes.writeUInt32BE(mode, 8);
  return bytes;
}

function decode(bytes: Uint8Array): [number, number, number, unknown] {
  const [uid, gid, mode, xattrs] = decodeVariant('(uuua(ayay))', bytes) as [number, number, number, unknown];
  return [swap32(uid), swap32(gid), swap32(mode), xattrs];
}

/** Decodes a dirmeta object. Errors: `format-invalid`. */
export function decodeDirmeta(bytes: Uint8Array): InodeMeta {
  const [uid, gid, mode, xattrs] = decode(bytes);
  if ((mode & S_IFMT) !== S_IFDIR || (mode & ~(S_IFMT | 0o7777)) !== 0) {
    throw new HacktreeError('format-invalid', `Invalid directory metadata: mode 0${mode.toString(8)}, expected a directory`);
  }
  return { uid, gid, mode, xattrs: xattrsFromValue(xattrs) };
}

/** Decodes the value of `user.ostreemeta`; its xattrs are sorted as ostree's reader does. Errors: `format-invalid`. */
export function decodeFilemeta(bytes: Uint8Array): InodeMeta {
  const [uid, gid, mode, raw] = decode(bytes);
  checkFileMode(mode);
  return { uid, gid, mode, xattrs: sortXattrs(xattrsFromValue(raw, { anyOrder: true })) };
}
