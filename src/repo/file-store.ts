/**
 * How the content of a new file object gets to the disk: written, deflated, copied inside the kernel, or shared with an object that
 * holds the same content where the file system can. The caller knows the checksum and that the object is not there.
 *
 * Source: ostree-format 4.1, 6.
 */
import * as fs from 'node:fs';
import * as zlib from 'node:zlib';
import { asBuffer, type Checksum, type ContentDigest, createSha256, HacktreeError, isHacktreeError } from '../core/index.ts';
import { encodeFileHeader, encodeFilezHeader, type FileHeader, isSymlinkMode } from '../format/index.ts';
import { cloneFile, copyContent, readChunks, writeFully } from '../sys/index.ts';
import { FileSink } from './file-sink.ts';
import { type SpaceBudget, takeSpace } from './free-space.ts';
import type { ObjectFiles } from './object-files.ts';
import { ContentSharer, isWorthSharing } from './shared-content.ts';

/** An open file to take content from. */
export interface ContentSource {
  readonly fd: number;
  readonly path: string;
}

/** Where the content is already, perhaps. */
export interface KnownStorage {
  readonly digest: ContentDigest | undefined;
  /** An open object of this repository, which the content comes from: storage may be shared with it without comparing. */
  readonly object: number | undefined;
}

/** Error for a file that was not the same when it was stored as when it was hashed. */
export function changedMeanwhile(path: string): HacktreeError {
  return new HacktreeError('io', `${path} changed while it was being committed`, {
    details: { path },
    hints: ['commit a tree that nothing writes to'],
  });
}

/** Writes into one transaction's staging directory; one for each writer. */
export class FileStore {
  readonly #files: ObjectFiles;
  readonly #budget: SpaceBudget;
  #sharer: ContentSharer | 'none' | undefined;

  constructor(files: ObjectFiles, budget: SpaceBudget) {
    this.#files = files;
    this.#budget = budget;
  }

  /** Closes what was opened on the way; nothing is shared afterwards. */
  close(): void {
    if (this.#sharer instanceof ContentSharer) this.#sharer.close();
    this.#sharer = 'none';
  }

  /** Stores content that is in memory (empty for a symlink). Errors: `no-space`, `permission`, system errors. */
  fromBuffer(checksum: Checksum, header: FileHeader, content: Uint8Array, known: KnownStorage): void {
    const { mode, config } = this.#files.repo;
    if (mode === 'archive') {
      const prefix = encodeFilezHeader({ ...header, sizeBytes: content.length });
      const packed = isSymlinkMode(header.mode) ? [] : [zlib.deflateRawSync(content, { level: config.zlibLevel })];
      const size = prefix.length + (packed[0]?.length ?? 0);
      this.#files.storeVerified(checksum, 'file', size, (fd) => this.#files.finishPlain(fd, [prefix, ...packed]));
    } else if (isSymlinkMode(header.mode)) {
      this.#files.storeSymlink(checksum, header);
    } else {
      this.#files.storeVerified(checksum, 'file', content.length, (fd) => {
        if (!this.#share(fd, known, asBuffer(content), content.length)) writeFully(fd, content);
        this.#files.finishInode(fd, header);
      });
    }
  }

  /** Stores the content of an open regular file. Errors: as fromBuffer, and `io` when it has changed, which an archive notices here. */
  fromFile(
    checksum: Checksum,
    header: FileHeader,
    source: ContentSource,
    { sizeBytes, ...known }: KnownStorage & { readonly sizeBytes: number },
  ): void {
    if (this.#files.repo.mode === 'archive') {
      this.#deflate(checksum, header, source, sizeBytes);
      return;
    }
    this.#files.store(checksum, 'file', sizeBytes, (fd) => {
      const isShared = known.object === undefined && this.#share(fd, known, source.fd, sizeBytes);
      if (!isShared) copyContent(source.fd, fd, sizeBytes); // which shares as well, where it can
      this.#files.finishInode(fd, header);
    });
  }

  /**
   * Stores the content of another object, in a mode in which an object's content is its file, and hashes it on the way: one pass, where
   * hashing before copying takes two. `check` refuses another checksum than the one that is wanted, by throwing.
   */
  fromObject(
    checksum: Checksum,
    header: FileHeader,
    source: ContentSource,
    sizeBytes: number,
    check: (found: Checksum) => void,
  ): void {
    this.#files.store(checksum, 'file', sizeBytes, (fd) => {
      const isShared = isWorthSharing(sizeBytes) && cloneFile(source.fd, fd);
      const hash = createSha256().update(encodeFileHeader(header));
      for (const chunk of readChunks(source.fd)) {
        hash.update(chunk);
        if (!isShared) writeFully(fd, chunk);
      }
      check(hash.digest().toString('hex') as Checksum);
      this.#files.finishInode(fd, header);
    });
  }

  #deflate(checksum: Checksum, header: FileHeader, { fd, path }: ContentSource, sizeBytes: number): void {
    const sink = this.startFile(header, sizeBytes);
    try {
      let at = 0;
      for (const chunk of readChunks(fd)) {
        sink.write(chunk);
        at += chunk.length;
        if (at >= sizeBytes) break;
      }
    } catch (error) {
      sink.abort();
      throw error;
    }
    try {
      sink.finish(checksum);
    } catch (error) {
      throw isHacktreeError(error) && error.code === 'object-corrupt' ? changedMeanwhile(path) : error;
    }
  }

  /** Starts a file object whose checksum shows when all of it has come. Errors: `no-space`, system errors. */
  startFile(header: FileHeader, sizeBytes: number, contentDigest?: ContentDigest): FileSink {
    const { mode, config } = this.#files.repo;
    takeSpace(this.#budget, sizeBytes);
    const path = this.#files.temporaryPath();
    const finish = (fd: number, checksum: Checksum): void => {
      if (this.#files.has(checksum, 'file')) {
        fs.closeSync(fd);
        fs.unlinkSync(path);
        return;
      }
      if (mode === 'archive') this.#files.finishPlain(fd, []);
      else this.#files.finishInode(fd, header);
      fs.closeSync(fd);
      this.#files.publish(path, checksum, 'file');
    };
    const archive = mode === 'archive' ? { level: config.zlibLevel, sizeBytes } : undefined;
    return new FileSink(header, path, { archive, contentDigest, finish });
  }

  /** Lets a new file share storage with an object of the same content, where the file system can. */
  #share(fd: number, { digest, object }: KnownStorage, source: Buffer | number, sizeBytes: number): boolean {
    if (digest === undefined) return false;
    if (this.#sharer === undefined) this.#sharer = ContentSharer.open(this.#files.repo) ?? 'none';
    if (this.#sharer === 'none') return false;
    if (object !== undefined) return isWorthSharing(sizeBytes) && cloneFile(object, fd);
    return this.#sharer.share(fd, digest, source, sizeBytes);
  }
}
