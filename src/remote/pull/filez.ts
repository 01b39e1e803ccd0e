/**
 * A `.filez` that is in memory as a whole: taken apart, inflated, verified and staged. From a mirror or from a repository.
 *
 * Source: ostree-format 4.1.
 */
import { type Checksum, type ContentDigest, EMPTY_BYTES, HacktreeError, isHacktreeError, sha256Hex } from '../../core/index.ts';
import {
  decodeFilezHeader,
  decodeHeaderPrefix,
  type FilezHeader,
  fileChecksum,
  HEADER_PREFIX_BYTES,
  isSymlinkMode,
} from '../../format/index.ts';
import { inflateToSize, WHOLE_BUFFER_BYTES } from '../../repo/index.ts';
import { corruptObject, type Origin } from './metadata.ts';
import type { StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

/** Compressed objects and contents up to this size are handled in memory: what ObjectWriter.writeFilled takes. */
export const IN_MEMORY_BYTES = WHOLE_BUFFER_BYTES - 1;
/** Holds one content at a time. */
let scratch: Buffer | undefined;

export interface Filez {
  readonly header: FilezHeader;
  /** The deflate stream. */
  readonly body: Buffer;
  /** All of it. */
  readonly raw: Buffer;
}

/** Takes a `.filez` apart. Errors: `object-corrupt`, `server-invalid` (a web page). */
export function splitFilez(raw: Buffer, checksum: Checksum, origin: Origin): Filez {
  return readingObject(checksum, origin, () => {
    const end = HEADER_PREFIX_BYTES + decodeHeaderPrefix(raw);
    if (raw.length < end) throw new HacktreeError('format-invalid', 'header is cut');
    return { header: decodeFilezHeader(raw.subarray(HEADER_PREFIX_BYTES, end)), body: raw.subarray(end), raw };
  });
}

/** Verifies and stages a file object of at most IN_MEMORY_BYTES. Errors: `object-corrupt`, `repo-mode`, those of writing. */
export function storeFilez(storage: Storage, checksum: Checksum, filez: Filez, origin: Origin): StoredFile {
  const { writer } = storage;
  const { header, body } = filez;
  checkStorable(storage, header, checksum);
  if (writer.repo.mode === 'archive') return storePacked(storage, checksum, filez, origin);
  if (isSymlinkMode(header.mode)) return writer.writeBuffer(header, EMPTY_BYTES, { checksum });
  const fill = (room: Buffer): void => void readingObject(checksum, origin, () => inflateToSize(body, room));
  return writer.writeFilled(header, header.sizeBytes, fill, {
    checksum,
    contentDigest: storage.known.take(checksum),
    isMissing: true,
  });
}

/** In an archive the bytes are kept as they came. */
function storePacked({ writer, known }: Storage, checksum: Checksum, { header, body, raw }: Filez, origin: Origin): StoredFile {
  const isLink = isSymlinkMode(header.mode);
  scratch ??= Buffer.allocUnsafeSlow(IN_MEMORY_BYTES + 1);
  const room = scratch.subarray(0, header.sizeBytes + 1);
  const content = isLink ? EMPTY_BYTES : readingObject(checksum, origin, () => inflateToSize(body, room));
  const actual = fileChecksum(header, content);
  if (actual !== checksum) throw corruptObject(checksum, 'file', origin, actual);
  if (!writer.has(checksum, 'file')) writer.writeVerified(checksum, 'file', raw);
  const contentDigest = isLink ? undefined : (known.take(checksum) ?? (sha256Hex(content) as ContentDigest));
  return { sizeBytes: content.length, contentDigest };
}

/** Turns what decoders say into an error about this object. */
export function readingObject<T>(checksum: Checksum, origin: Origin, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isHacktreeError(error) && error.code !== 'format-invalid') throw error;
    throw corruptObject(checksum, 'file', origin, (error as Error).message);
  }
}
