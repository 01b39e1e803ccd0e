/**
 * The content of file objects: as bytes, as a stream of chunks, and hashed. Inflates archive objects on the way and
 * stops at the size that their header declares.
 *
 * Source: ostree-format 4.1.
 */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, createSha256, HacktreeError } from '../core/index.ts';
import { encodeFileHeader, type FileHeader, isSymlinkMode } from '../format/index.ts';
import { CHUNK_BYTES, type InflateStep, inflateWhole, RawInflater, readChunks } from '../sys/index.ts';
import { type FileObject, readFully } from './object-read.ts';

/** Up to this size content is handled in one buffer; beyond it in chunks. Bytes. */
export const WHOLE_BUFFER_BYTES = 1 << 20;

/** Reads the whole content; for small files. Errors: `object-corrupt` when it is not as long as declared. */
export function readContent(file: FileObject): Buffer {
  if (isSymlinkMode(file.header.mode)) return Buffer.alloc(0);
  if (file.deflateOffset === undefined) return fs.readFileSync(file.path);
  const packed = Buffer.allocUnsafe(Math.max(0, file.diskBytes - file.deflateOffset));
  const fd = fs.openSync(file.path, 'r');
  try {
    readFully(fd, packed, file.deflateOffset);
  } finally {
    fs.closeSync(fd);
  }
  return inflate(packed, file);
}

function inflate(packed: Buffer, file: FileObject): Buffer {
  try {
    return inflateToSize(packed, Buffer.allocUnsafe(file.sizeBytes + 1));
  } catch (cause) {
    throw corrupt(file, (cause as Error).message, cause);
  }
}

/**
 * Inflates content into `room`, which has one byte more than the content is declared to have, and returns it without that
 * byte. Throws an Error when it is shorter or longer.
 */
export function inflateToSize(packed: Uint8Array, room: Buffer): Buffer {
  const declared = room.length - 1;
  const length = inflateWhole(packed, room);
  if (length !== declared) throw new Error(`content of ${length > declared ? 'more' : length} bytes, declared ${declared}`);
  return room.subarray(0, declared);
}

function corrupt(file: FileObject, found: string, cause?: unknown): HacktreeError {
  return new HacktreeError(
    'object-corrupt',
    `Corrupted file object ${file.path}: expected content of ${file.sizeBytes} bytes, found ${found}`,
    {
      details: { path: file.path, expected: file.sizeBytes, found },
      cause,
    },
  );
}

/** Streams the content in chunks, which are valid until the next one is asked for. Errors: `object-corrupt`. */
export async function* contentChunks(file: FileObject): AsyncGenerator<Buffer> {
  if (isSymlinkMode(file.header.mode)) return;
  if (file.sizeBytes <= WHOLE_BUFFER_BYTES && file.diskBytes <= 2 * WHOLE_BUFFER_BYTES) {
    const content = readContent(file);
    if (content.length > 0) yield content;
    return;
  }
  yield* file.deflateOffset === undefined ? readChunks(file.path) : inflatedChunks(file, file.deflateOffset);
}

function* inflatedChunks(file: FileObject, offset: number): Generator<Buffer> {
  const inflater = new RawInflater();
  const output = Buffer.allocUnsafe(CHUNK_BYTES);
  let total = 0;
  let isEnd = false;
  try {
    for (const packed of readChunks(file.path, offset)) {
      let step: InflateStep;
      let rest: Uint8Array = packed;
      do {
        step = inflateStep(file, inflater, rest, output);
        rest = rest.subarray(step.read);
        total += step.written;
        if (total > file.sizeBytes) throw corrupt(file, `at least ${total} bytes`);
        if (step.written > 0) yield output.subarray(0, step.written);
      } while (step.written === output.length && !step.isEnd);
      isEnd = step.isEnd;
      if (isEnd) break;
    }
    if (!isEnd || total !== file.sizeBytes) throw corrupt(file, `content of ${total} bytes`);
  } finally {
    inflater.close();
  }
}

function inflateStep(file: FileObject, inflater: RawInflater, packed: Uint8Array, output: Buffer): InflateStep {
  try {
    return inflater.step(packed, output);
  } catch (cause) {
    throw corrupt(file, (cause as Error).message, cause);
  }
}

export interface FileHashes {
  /** Checksum that names the object. */
  readonly checksum: Checksum;
  /** SHA-256 of the content alone; undefined for symlinks. */
  readonly contentDigest: ContentDigest | undefined;
}

/** Hashes an open regular file under a header; the content digest only when asked for. */
export function hashOpenFile(header: FileHeader, fd: number, digest: boolean): FileHashes & { readonly sizeBytes: number } {
  const object = createSha256().update(encodeFileHeader(header));
  const content = digest ? createSha256() : undefined;
  let sizeBytes = 0;
  for (const chunk of readChunks(fd)) {
    object.update(chunk);
    content?.update(chunk);
    sizeBytes += chunk.length;
  }
  return {
    checksum: object.digest().toString('hex') as Checksum,
    contentDigest: content?.digest().toString('hex') as ContentDigest | undefined,
    sizeBytes,
  };
}

/** Hashes a file object's header and content, both ways. Errors: `object-corrupt`. */
export async function hashFileObject(file: FileObject, options: { digest: boolean }): Promise<FileHashes> {
  const object = createSha256().update(encodeFileHeader(file.header));
  const content = options.digest && !isSymlinkMode(file.header.mode) ? createSha256() : undefined;
  if (file.sizeBytes > WHOLE_BUFFER_BYTES && file.deflateOffset === undefined) {
    for (const chunk of readChunks(file.path)) {
      object.update(chunk);
      content?.update(chunk);
    }
  } else {
    for await (const chunk of contentChunks(file)) {
      object.update(chunk);
      content?.update(chunk);
    }
  }
  return {
    checksum: object.digest().toString('hex') as Checksum,
    contentDigest: content?.digest().toString('hex') as ContentDigest | undefined,
  };
}
