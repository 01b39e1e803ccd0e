/**
 * The checksum that a path of the host would have as an object, without storing it.
 *
 * Source: ostree-format 4, 5.1; ostree-cli A.1 (`checksum`, `diff`).
 */
import * as fs from 'node:fs';
import { type Checksum, createSha256, HacktreeError, wrapSystemError } from '../../core/index.ts';
import { encodeFileHeader, encodeInodeMeta, NO_XATTRS, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../format/index.ts';
import { readChunks } from '../../sys/index.ts';
import { readXattrs } from '../xattrs.ts';

export interface LocalOptions {
  readonly ignoreXattrs?: boolean;
  /** Stand in for the owner of the path. */
  readonly ownerUid?: number | undefined;
  readonly ownerGid?: number | undefined;
}

/**
 * Checksum of a file or symlink as a file object, of a directory as its dirmeta.
 * Errors: `path-not-found`, `permission`, `io`; `special-file` for a device, FIFO or socket.
 */
export function checksumPath(path: string, options: LocalOptions = {}): Checksum {
  try {
    const stat = fs.lstatSync(path);
    const { mode } = stat;
    const uid = options.ownerUid ?? stat.uid;
    const gid = options.ownerGid ?? stat.gid;
    const xattrs = options.ignoreXattrs === true ? NO_XATTRS : readXattrs(path);
    const type = mode & S_IFMT;
    if (type === S_IFDIR) return hashOf(encodeInodeMeta({ uid, gid, mode, xattrs }));
    if (type === S_IFLNK) return hashOf(encodeFileHeader({ uid, gid, mode, xattrs, target: fs.readlinkSync(path) }));
    if (type === S_IFREG) return hashOf(encodeFileHeader({ uid, gid, mode, xattrs, target: '' }), readChunks(path));
    throw new HacktreeError('special-file', `Not a regular file, symlink or directory: ${path}`, { details: { path } });
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
}

function hashOf(header: Uint8Array, chunks: Iterable<Uint8Array> = []): Checksum {
  const hash = createSha256().update(header);
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest().toString('hex') as Checksum;
}
