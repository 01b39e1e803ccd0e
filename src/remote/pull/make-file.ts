/**
 * Makes a file object from content that is here already under other metadata: reflink where the file system can, else copy.
 *
 * Source: ostree-format 4; the mirror's content index (mirror-index/layout.ts).
 */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, EMPTY_BYTES, errnoOf, isHacktreeError } from '../../core/index.ts';
import { decodeFileHeader, encodeFilezHeader, type FileHeader, fileChecksum, isSymlinkMode } from '../../format/index.ts';
import {
  contentChunks,
  type FileObject,
  findObject,
  hasObject,
  loadFile,
  type ObjectWriter,
  objectPath,
  openObjectFile,
  readContent,
  readPart,
} from '../../repo/index.ts';
import { IN_MEMORY_BYTES } from './filez.ts';
import { checkStorable, type Storage } from './storable.ts';

/** What is to be made of what. */
export interface MakeItem {
  readonly checksum: Checksum;
  /** Undefined for a symlink. */
  readonly digest: ContentDigest | undefined;
  /** Of the content, as the mirror says. */
  readonly sizeBytes: number;
  /** The header that is hashed, with prefix. */
  readonly header: Uint8Array;
  /** File objects that should hold the content. */
  readonly candidates: readonly Checksum[];
}

/** Codes that say: this candidate or this record is wrong, try another way. */
const WRONG = ['object-corrupt', 'object-missing', 'format-invalid'];

/** Makes and stages an object; returns its content's size, undefined when it cannot be made of what is here. */
export async function makeFile(storage: Storage, item: MakeItem): Promise<number | undefined> {
  const { writer } = storage;
  const header = attempt(() => decodeFileHeader(Buffer.from(item.header)));
  if (header === undefined) return undefined;
  checkStorable(storage, header, item.checksum);
  if (isSymlinkMode(header.mode)) {
    return attempt(() => writer.writeBuffer(header, EMPTY_BYTES, { checksum: item.checksum }).sizeBytes);
  }
  for (const candidate of item.candidates) {
    const size = await attemptAsync(() => copyFrom(writer, header, candidate, item));
    if (size !== undefined) return size;
  }
  return undefined;
}

async function copyFrom(
  writer: ObjectWriter,
  header: FileHeader,
  candidate: Checksum,
  item: MakeItem,
): Promise<number | undefined> {
  const holder = writer.repo.parent === undefined ? writer.repo : findObject(writer.repo, candidate, 'file');
  if (holder === undefined) return undefined;
  if (holder.mode !== 'archive') return copyPlain(writer, header, objectPath(holder, candidate, 'file'), item);
  if (!hasObject(holder, candidate, 'file')) return undefined;
  const expected = item.checksum;
  const source = loadFile(holder, candidate);
  if (source.deflateOffset === undefined) return undefined;
  if (source.sizeBytes <= IN_MEMORY_BYTES) return copyPacked(writer, header, source, source.deflateOffset, expected);
  return (await writer.startFile(header, source.sizeBytes).writeAll(contentChunks(source), expected)).sizeBytes;
}

/** In the other modes a file object's content is the file. The digest by which it was found is not computed again. */
function copyPlain(writer: ObjectWriter, header: FileHeader, path: string, item: MakeItem): number | undefined {
  const fd = openObjectFile(path);
  if (fd === undefined) return undefined;
  try {
    const expected = { checksum: item.checksum, contentDigest: item.digest, isMissing: true, object: fd };
    return writer.writeFile(header, { fd, path }, item.sizeBytes, expected).sizeBytes;
  } catch (error) {
    // Whatever is no file is no candidate.
    if (errnoOf((error as Error).cause ?? error) === 'EISDIR') return undefined;
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** In an archive the deflate stream is taken as it is. */
function copyPacked(
  writer: ObjectWriter,
  header: FileHeader,
  source: FileObject,
  offset: number,
  expected: Checksum,
): number | undefined {
  const content = readContent(source);
  if (writer.repo.mode !== 'archive') return writer.writeBuffer(header, content, { checksum: expected }).sizeBytes;
  if (fileChecksum(header, content) !== expected) return undefined;
  const packed = readPart(source.path, offset, source.diskBytes - offset);
  const prefix = encodeFilezHeader({ ...header, sizeBytes: content.length });
  writer.writeVerified(expected, 'file', Buffer.concat([prefix, packed]));
  return content.length;
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (isHacktreeError(error) && WRONG.includes(error.code)) return undefined;
    throw error;
  }
}

async function attemptAsync<T>(make: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (isHacktreeError(error) && WRONG.includes(error.code)) return undefined;
    throw error;
  }
}
