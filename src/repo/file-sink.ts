/**
 * A file object that is written chunk by chunk, hashed both ways as it grows, deflated when the repository is an archive.
 * Made by ObjectWriter.startFile, which also says what happens at the end.
 */
import * as fs from 'node:fs';
import { type Checksum, type ContentDigest, createSha256, HacktreeError } from '../core/index.ts';
import { encodeFileHeader, encodeFilezHeader, type FileHeader } from '../format/index.ts';
import { writeFully } from '../sys/index.ts';
import { DeflateWriter } from './deflate.ts';

export interface WrittenFile {
  readonly checksum: Checksum;
  /** SHA-256 of the content alone; undefined for symlinks and for objects that were there already. */
  readonly contentDigest: ContentDigest | undefined;
  /** false when the object was there already. */
  readonly isNew: boolean;
  /** Bytes of content. */
  readonly sizeBytes: number;
}

export interface SinkOptions {
  /** Where the repository is an archive. */
  readonly archive: { readonly level: number; readonly sizeBytes: number } | undefined;
  /** Where it is known; else it is computed. */
  readonly contentDigest: ContentDigest | undefined;
  readonly finish: (fd: number, checksum: Checksum) => void;
}

/** A file object being written chunk by chunk; hashes as it goes. Call finish or abort exactly once. */
export class FileSink {
  readonly #object;
  /** The digest of the content, or what computes it. */
  readonly #content;
  readonly #path: string;
  readonly #fd: number;
  readonly #deflate: DeflateWriter | undefined;
  readonly #finish: (fd: number, checksum: Checksum) => void;
  #sizeBytes = 0;

  constructor(header: FileHeader, path: string, { archive, contentDigest, finish }: SinkOptions) {
    this.#content = contentDigest ?? createSha256();
    this.#object = createSha256().update(encodeFileHeader(header));
    this.#path = path;
    this.#finish = finish;
    this.#fd = fs.openSync(path, 'wx', 0o600);
    if (archive !== undefined) {
      writeFully(this.#fd, encodeFilezHeader({ ...header, sizeBytes: archive.sizeBytes }));
      this.#deflate = new DeflateWriter(archive.level, this.#fd);
    }
  }

  /** Appends content; the chunk may be reused afterwards. */
  write(chunk: Uint8Array): void {
    this.#object.update(chunk);
    if (typeof this.#content !== 'string') this.#content.update(chunk);
    this.#sizeBytes += chunk.length;
    if (this.#deflate === undefined) writeFully(this.#fd, chunk);
    else this.#deflate.write(chunk);
  }

  /** Writes a whole content and completes the object; drops it on any failure. Errors: as finish, and those of the content. */
  async writeAll(chunks: AsyncIterable<Uint8Array>, expected?: Checksum): Promise<WrittenFile> {
    try {
      for await (const chunk of chunks) this.write(chunk);
    } catch (error) {
      this.abort();
      throw error;
    }
    return this.finish(expected);
  }

  /** Completes the object. With `expected` a different checksum is refused: `object-corrupt`. */
  finish(expected?: Checksum): WrittenFile {
    const checksum = this.#object.digest().toString('hex') as Checksum;
    if (expected !== undefined && checksum !== expected) {
      this.abort();
      throw new HacktreeError('object-corrupt', `Corrupted file object; checksum expected='${expected}' actual='${checksum}'`, {
        details: { expected, found: checksum },
      });
    }
    this.#deflate?.end();
    this.#finish(this.#fd, checksum);
    const content = this.#content;
    const contentDigest = typeof content === 'string' ? content : (content.digest().toString('hex') as ContentDigest);
    return { checksum, contentDigest, isNew: true, sizeBytes: this.#sizeBytes };
  }

  /** Drops what was written. */
  abort(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.#path, { force: true });
  }
}
