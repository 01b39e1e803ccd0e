/**
 * A `.filez` that is in memory as a whole: taken apart, inflated, verified and staged. From a mirror or from a repository.
 *
 * Source: ostree-format 4.1.
 */
import { inflateRawSync } from 'node:zlib';
import {
  asBuffer,
  type Checksum,
  type ContentDigest,
  EMPTY_BYTES,
  HacktreeError,
  isHacktreeError,
  sha256Hex,
} from '../../core/index.ts';
import {
  decodeFilezHeader,
  decodeHeaderPrefix,
  type FilezHeader,
  fileChecksum,
  HEADER_PREFIX_BYTES,
  isSymlinkMode,
} from '../../format/index.ts';
import { corruptObject, type Origin } from './metadata.ts';
import type { StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

/** Compressed objects and contents up to this size are handled in memory. */
export const IN_MEMORY_BYTES = 1 << 20;

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
export function storeFilez(storage: Storage, checksum: Checksum, { header, body, raw }: Filez, origin: Origin): StoredFile {
  const { writer } = storage;
  const isLink = isSymlinkMode(header.mode);
  const content = isLink ? EMPTY_BYTES : readingObject(checksum, origin, () => inflateExactly(body, header.sizeBytes));
  checkStorable(storage, header, checksum);
  if (writer.repo.mode !== 'archive') return writer.writeBuffer(header, content, checksum);
  const actual = fileChecksum(header, content);
  if (actual !== checksum) throw corruptObject(checksum, 'file', origin, actual);
  if (!writer.has(checksum, 'file')) writer.writeVerified(checksum, 'file', raw);
  return { sizeBytes: content.length, contentDigest: isLink ? undefined : (sha256Hex(content) as ContentDigest) };
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

/** Inflates to exactly the declared size; more is never produced. */
function inflateExactly(body: Buffer, sizeBytes: number): Buffer {
  // One output buffer with room for one byte more, so that zlib sees the end without asking for another.
  const content = asBuffer(
    inflateRawSync(body, { maxOutputLength: Math.max(1, sizeBytes), chunkSize: Math.max(64, sizeBytes + 1) }),
  );
  if (content.length === sizeBytes) return content;
  throw new HacktreeError('format-invalid', `content of ${content.length} bytes, declared ${sizeBytes}`);
}
