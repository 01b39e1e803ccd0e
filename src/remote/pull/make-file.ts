/**
 * Makes a file object from content that is here already under other metadata: reflink where the file system can, else copy.
 *
 * Source: ostree-format 4; the mirror's content index (mirror-index/layout.ts).
 */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, EMPTY_BYTES, isHacktreeError } from '../../core/index.ts';
import { decodeFileHeader, encodeFilezHeader, type FileHeader, fileChecksum, isSymlinkMode } from '../../format/index.ts';
import {
  contentChunks,
  type FileObject,
  hasObject,
  loadFile,
  type ObjectWriter,
  readContent,
  readFully,
} from '../../repo/index.ts';
import { checkStorable, type Storage } from './storable.ts';

/** What is to be made of what. */
export interface MakeItem {
  readonly checksum: Checksum;
  /** Undefined for a symlink. */
  readonly digest: ContentDigest | undefined;
  /** The header that is hashed, with prefix. */
  readonly header: Uint8Array;
  /** File objects that should hold the content. */
  readonly candidates: readonly Checksum[];
}

/** Codes that say: this candidate or this record is wrong, try another way. */
const WRONG = ['object-corrupt', 'object-missing', 'format-invalid'];
const IN_MEMORY_BYTES = 1 << 20;

/** Makes and stages an object; returns its content's size, undefined when it cannot be made of what is here. */
export async function makeFile(storage: Storage, item: MakeItem): Promise<number | undefined> {
  const { writer } = storage;
  const header = attempt(() => decodeFileHeader(Buffer.from(item.header)));
  if (header === undefined) return undefined;
  checkStorable(storage, header, item.checksum);
  if (isSymlinkMode(header.mode)) {
    return attempt(() => writer.writeBuffer(header, EMPTY_BYTES, item.checksum).sizeBytes);
  }
  for (const candidate of item.candidates) {
    const size = await attemptAsync(() => copyFrom(writer, header, candidate, item.checksum));
    if (size !== undefined) return size;
  }
  return undefined;
}

async function copyFrom(
  writer: ObjectWriter,
  header: FileHeader,
  candidate: Checksum,
  expected: Checksum,
): Promise<number | undefined> {
  if (!hasObject(writer.repo, candidate, 'file')) return undefined;
  const source = loadFile(writer.repo, candidate);
  if (source.deflateOffset === undefined) return copyPlain(writer, header, source, expected);
  if (source.sizeBytes <= IN_MEMORY_BYTES) return copyPacked(writer, header, source, source.deflateOffset, expected);
  return (await writer.startFile(header, source.sizeBytes).writeAll(contentChunks(source), expected)).sizeBytes;
}

function copyPlain(writer: ObjectWriter, header: FileHeader, source: FileObject, expected: Checksum): number {
  const fd = fs.openSync(source.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    return writer.writeFile(header, { fd, path: source.path }, source.sizeBytes, expected).sizeBytes;
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
  if (writer.repo.mode !== 'archive') return writer.writeBuffer(header, content, expected).sizeBytes;
  if (fileChecksum(header, content) !== expected) return undefined;
  const packed = Buffer.allocUnsafe(source.diskBytes - offset);
  const fd = fs.openSync(source.path, 'r');
  try {
    readFully(fd, packed, offset);
  } finally {
    fs.closeSync(fd);
  }
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
