/**
 * Writing objects into a transaction's staging directory, in every repository mode.
 *
 * Hash first, write only what is not there: an object that the repository (or its parent, or the staging directory)
 * has is never written again. What is in staging is complete or shows that it is not (staging.ts), so that an interrupted
 * transaction can be resumed from what it left. Synchronous and without shared state: one writer per thread.
 *
 * Source: ostree-format 6, 11.
 */
import * as fs from 'node:fs';
import {
  type Checksum,
  type ContentDigest,
  checksumOf,
  errnoOf,
  HacktreeError,
  sha256Hex,
  wrapSystemError,
} from '../core/index.ts';
import {
  type Dict,
  encodeDict,
  encodeFileHeader,
  type FileHeader,
  fileChecksum,
  isSymlinkMode,
  MAX_METADATA_BYTES,
  type ObjectType,
  S_IFMT,
} from '../format/index.ts';
import { hashOpenFile, WHOLE_BUFFER_BYTES } from './content.ts';
import type { FileSink, WrittenFile } from './file-sink.ts';
import { type ContentSource, changedMeanwhile, FileStore } from './file-store.ts';
import { ObjectFiles, type WriterInit } from './object-files.ts';
import { LINK_REFUSED, ObjectLinker } from './object-linker.ts';
import { openRepo, type Repo } from './repo.ts';

/** What a file must turn out to be. */
export interface ExpectedFile {
  readonly checksum: Checksum;
  /** Of the content, where it is known: saves hashing twice. Right if the checksum is. */
  readonly contentDigest?: ContentDigest | undefined;
  /** The caller has looked: it is not looked for once more. */
  readonly isMissing?: boolean;
  /** An open object of this repository, which the content comes from: storage may be shared with it without comparing. */
  readonly object?: number;
}

const CANONICAL_MODE = 0o755;
/** Room for a file's header before its content; one that is longer (many xattrs) is hashed apart. Bytes. */
const HEADER_ROOM = 4096;
/** Content of less is copied behind its header: one hash over both is quicker than a hash in steps. Bytes. */
const COPIED_BYTES = 1 << 16;

export class ObjectWriter {
  readonly repo: Repo;
  readonly #files: ObjectFiles;
  readonly #store: FileStore;
  #metadataWritten = 0;
  /** What the last file was: guesses whether the next one needs its content digest. */
  #expectsNew = true;
  /** A file's content from HEADER_ROOM on, and before it its header, so that both are hashed in one piece. */
  #buffer: Buffer | undefined;
  /** Empty files that are stored, by owner and mode: trees have thousands of them, of few kinds. */
  readonly #storedEmpty = new Map<string, Checksum>();

  constructor(init: WriterInit, repo: Repo = openRepo(init.repoPath)) {
    if (repo.mode === 'bare-split-xattrs') {
      throw new HacktreeError('repo-mode', `Not allowed due to repo mode: ${repo.path} is bare-split-xattrs, which is read-only`);
    }
    this.repo = repo;
    this.#files = new ObjectFiles(init, repo);
    this.#store = new FileStore(this.#files, init.budget);
  }

  /** Metadata objects written so far; those that were there already do not count. */
  get metadataWritten(): number {
    return this.#metadataWritten;
  }

  /** Closes what was opened on the way; nothing may be written afterwards. */
  close(): void {
    this.#store.close();
  }

  /** Tells whether the object is in the repository or already staged. */
  has(checksum: Checksum, type: ObjectType): boolean {
    return this.#files.has(checksum, type);
  }

  /** false when the object is certainly not staged: saves looking. */
  mayBeStaged(checksum: Checksum): boolean {
    return this.#files.mayBeStaged(checksum);
  }

  /** false when certainly no commit with this prefix of two digits is staged. */
  mayHaveCommits(prefix: string): boolean {
    return this.#files.mayHaveCommits(prefix);
  }

  /** Writes a metadata object and returns its checksum. Errors: `object-too-large`, `no-space`. */
  writeMetadata(type: 'dirtree' | 'dirmeta' | 'commit', bytes: Uint8Array): Checksum {
    if (bytes.length > MAX_METADATA_BYTES) {
      throw new HacktreeError(
        'object-too-large',
        `Metadata object of ${bytes.length} bytes, expected at most ${MAX_METADATA_BYTES}`,
        {
          details: { expected: MAX_METADATA_BYTES, found: bytes.length },
        },
      );
    }
    const checksum = checksumOf(bytes);
    if (!this.#files.has(checksum, type)) {
      this.#files.storeVerified(checksum, type, bytes.length, (fd) => this.#files.finishPlain(fd, [bytes]));
      this.#metadataWritten++;
    }
    return checksum;
  }

  /** Writes the detached metadata of a commit, replacing what there is. */
  writeDetached(commit: Checksum, metadata: Dict): void {
    const bytes = encodeDict(metadata);
    this.#files.store(commit, 'commitmeta', bytes.length, (fd) => this.#files.finishPlain(fd, [bytes]));
  }

  /** In bare-user-only repositories owner, mode and xattrs are made canonical before hashing. */
  canonicalHeader(header: FileHeader): FileHeader {
    if (this.repo.mode !== 'bare-user-only') return header;
    const mode = isSymlinkMode(header.mode) ? header.mode : (header.mode & S_IFMT) | (header.mode & CANONICAL_MODE);
    return { uid: 0, gid: 0, mode, target: header.target, xattrs: [] };
  }

  /**
   * Writes a file object whose content is in memory (empty for a symlink). Errors: `no-space`, system errors; with
   * `expected` a different checksum is refused before anything is written: `object-corrupt`.
   */
  writeBuffer(given: FileHeader, content: Uint8Array, expected?: ExpectedFile): WrittenFile {
    const header = this.canonicalHeader(given);
    if (content.length < COPIED_BYTES) {
      this.#ensureBuffer().set(content, HEADER_ROOM);
      return this.#writeRead(header, content.length, expected);
    }
    return this.#writeHashed(header, content, fileChecksum(header, content), expected);
  }

  /**
   * As writeBuffer with an expected checksum, for regular content of less than WHOLE_BUFFER_BYTES that `fill` puts where it is written
   * from. `fill` gets room for one byte more than `sizeBytes`.
   */
  writeFilled(given: FileHeader, sizeBytes: number, fill: (room: Buffer) => void, expected: ExpectedFile): WrittenFile {
    fill(this.#ensureBuffer().subarray(HEADER_ROOM, HEADER_ROOM + sizeBytes + 1));
    return this.#writeRead(this.canonicalHeader(given), sizeBytes, expected);
  }

  #writeHashed(header: FileHeader, content: Uint8Array, checksum: Checksum, expected: ExpectedFile | undefined): WrittenFile {
    if (expected !== undefined && checksum !== expected.checksum) throw wrongChecksum(expected.checksum, checksum);
    const isNew = expected?.isMissing === true || !this.#files.has(checksum, 'file');
    const isDigested = isNew && !isSymlinkMode(header.mode);
    const contentDigest = isDigested ? (expected?.contentDigest ?? (sha256Hex(content) as ContentDigest)) : undefined;
    if (isNew) this.#store.fromBuffer(checksum, header, content, { digest: contentDigest, object: expected?.object });
    return { checksum, contentDigest, isNew, sizeBytes: content.length };
  }

  /**
   * Writes a file object from an open regular file. Up to 1 MiB is read once and hashed and written from one buffer;
   * more is hashed in chunks and then copied inside the kernel, and refused when it changed in between. With `expected` a
   * different checksum is refused before anything is written: `object-corrupt`.
   */
  writeFile(given: FileHeader, source: ContentSource, sizeBytes: number, expected?: ExpectedFile): WrittenFile {
    const header = this.canonicalHeader(given);
    if (sizeBytes === 0 && header.xattrs.length === 0) return this.#writeEmpty(header, source, expected);
    if (sizeBytes >= WHOLE_BUFFER_BYTES)
      return this.#copyObject(header, source, sizeBytes, expected) ?? this.#writeLarge(header, source, expected);
    const length = this.#readWhole(source, sizeBytes);
    return length === undefined ? this.#writeLarge(header, source, expected) : this.#writeRead(header, length, expected);
  }

  /** Copies the content of an object of this repository; undefined where that is not what is asked for. */
  #copyObject(header: FileHeader, source: ContentSource, sizeBytes: number, expected?: ExpectedFile): WrittenFile | undefined {
    const { checksum, contentDigest, object, isMissing } = expected ?? {};
    if (checksum === undefined || contentDigest === undefined || object === undefined || isMissing !== true) return undefined;
    if (this.repo.mode === 'archive') return undefined;
    this.#store.fromObject(checksum, header, source, sizeBytes, (found) => {
      if (found !== checksum) throw wrongChecksum(checksum, found);
    });
    return { checksum, contentDigest, isNew: true, sizeBytes };
  }

  /** Reads a file into the buffer; undefined when it has grown beyond it. */
  #readWhole({ fd }: ContentSource, sizeBytes: number): number | undefined {
    const length = readUpTo(fd, this.#ensureBuffer().subarray(HEADER_ROOM), sizeBytes);
    return length < WHOLE_BUFFER_BYTES ? length : undefined;
  }

  #ensureBuffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(HEADER_ROOM + WHOLE_BUFFER_BYTES);
    return this.#buffer;
  }

  /** Writes what the buffer holds. */
  #writeRead(header: FileHeader, length: number, expected: ExpectedFile | undefined): WrittenFile {
    const buffer = this.#buffer as Buffer;
    const prefix = encodeFileHeader(header);
    const content = buffer.subarray(HEADER_ROOM, HEADER_ROOM + length);
    if (prefix.length > HEADER_ROOM) return this.#writeHashed(header, content, fileChecksum(header, content), expected);
    const start = HEADER_ROOM - prefix.length;
    buffer.set(prefix, start);
    return this.#writeHashed(header, content, checksumOf(buffer.subarray(start, HEADER_ROOM + length)), expected);
  }

  #writeEmpty(header: FileHeader, source: ContentSource, expected: ExpectedFile | undefined): WrittenFile {
    const length = this.#readWhole(source, 0);
    if (length === undefined) return this.#writeLarge(header, source, expected);
    if (length > 0) return this.#writeRead(header, length, expected); // it has grown
    const kind = `${header.uid}:${header.gid}:${header.mode}`;
    const known = this.#storedEmpty.get(kind);
    if (known !== undefined && (expected === undefined || expected.checksum === known)) {
      return { checksum: known, contentDigest: undefined, isNew: false, sizeBytes: 0 };
    }
    const written = this.#writeRead(header, 0, expected);
    this.#storedEmpty.set(kind, written.checksum);
    return written;
  }

  #writeLarge(header: FileHeader, source: ContentSource, expected: ExpectedFile | undefined): WrittenFile {
    const before = fs.fstatSync(source.fd, { bigint: true });
    const known = expected?.contentDigest;
    const hashes = hashOpenFile(header, source.fd, this.#expectsNew && known === undefined);
    if (expected !== undefined && hashes.checksum !== expected.checksum) throw wrongChecksum(expected.checksum, hashes.checksum);
    const isNew = expected?.isMissing === true || !this.#files.has(hashes.checksum, 'file');
    this.#expectsNew = isNew;
    const size = Number(before.size);
    const contentDigest = isNew
      ? (known ?? hashes.contentDigest ?? hashOpenFile(header, source.fd, true).contentDigest)
      : undefined;
    if (isNew)
      this.#store.fromFile(hashes.checksum, header, source, { sizeBytes: size, digest: contentDigest, object: expected?.object });
    const after = fs.fstatSync(source.fd, { bigint: true });
    if (before.mtimeNs !== after.mtimeNs || before.size !== after.size || hashes.sizeBytes !== size) {
      if (isNew) fs.unlinkSync(this.#files.stagedPath(hashes.checksum, 'file'));
      throw changedMeanwhile(source.path);
    }
    return { checksum: hashes.checksum, contentDigest, isNew, sizeBytes: size };
  }

  /**
   * Takes a file over by hard link instead of copying (bare mode, same file system, header as on disk); its mtime
   * becomes 0. Where that is not possible the content is copied as by writeFile.
   */
  linkFile(header: FileHeader, source: ContentSource, sizeBytes: number): WrittenFile {
    if (this.repo.mode !== 'bare') return this.writeFile(header, source, sizeBytes);
    const { checksum, contentDigest } = hashOpenFile(header, source.fd, true);
    const isNew = !this.#files.has(checksum, 'file');
    if (isNew && !this.#adopt(checksum, source)) return this.writeFile(header, source, sizeBytes);
    return { checksum, contentDigest, isNew, sizeBytes };
  }

  #adopt(checksum: Checksum, source: ContentSource): boolean {
    const temporary = this.#files.temporaryPath();
    try {
      fs.linkSync(source.path, temporary);
    } catch (error) {
      if (['EXDEV', 'EMLINK', 'EPERM'].includes(errnoOf(error) ?? '')) return false;
      throw error;
    }
    if (fs.lstatSync(temporary).ino !== fs.fstatSync(source.fd).ino) {
      fs.unlinkSync(temporary);
      return false;
    }
    fs.lutimesSync(temporary, 0, 0);
    this.#files.publish(temporary, checksum, 'file');
    return true;
  }

  /** Stores the bytes of a loose object (in this repository's mode) that the caller has verified. Errors: `no-space`. */
  writeVerified(checksum: Checksum, type: ObjectType, bytes: Uint8Array): void {
    const fill = (fd: number): void => this.#files.finishPlain(fd, [bytes]);
    // Directories may be read by other threads at any time.
    if (type === 'file') this.#files.storeVerified(checksum, type, bytes.length, fill);
    else this.#files.store(checksum, type, bytes.length, fill);
  }

  /** Gives a verified `.filez` in the staging directory its name, where the repository is an archive. */
  adoptVerified(checksum: Checksum, path: string): void {
    fs.chmodSync(path, 0o644);
    this.#files.publish(path, checksum, 'file');
  }

  /**
   * Stages an object of another repository of the same mode by hard link; returns false where that is not possible (another
   * file system, too many links, not permitted).
   */
  linkVerified(checksum: Checksum, type: ObjectType, source: string): boolean {
    const prefix = checksum.slice(0, 2);
    this.#files.ensurePrefix(prefix);
    try {
      fs.linkSync(source, this.#files.stagedPath(checksum, type));
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (errno === 'EEXIST') return true;
      if (LINK_REFUSED.includes(errno)) return false;
      throw wrapSystemError(error, 'Linking object', source);
    }
    this.#files.mark(checksum, type);
    return true;
  }

  /** Opens what stages file objects of another repository of the same mode by hard link. */
  openLinker(from: Repo): ObjectLinker {
    return new ObjectLinker(from, this.#files);
  }

  /**
   * Starts a file object that arrives in chunks, for example from a tar stream or the network. `contentDigest`: that of the content, where
   * it is known.
   */
  startFile(given: FileHeader, sizeBytes: number, contentDigest?: ContentDigest): FileSink {
    return this.#store.startFile(this.canonicalHeader(given), sizeBytes, contentDigest);
  }
}

function wrongChecksum(expected: Checksum, found: Checksum): HacktreeError {
  return new HacktreeError('object-corrupt', `Corrupted file object; checksum expected='${expected}' actual='${found}'`, {
    details: { expected, found },
  });
}

/** Reads a file of `usual` bytes, or as many as it has meanwhile, into a buffer that is longer than that. */
function readUpTo(fd: number, buffer: Buffer, usual: number): number {
  let at = 0;
  while (at < buffer.length) {
    const read = fs.readSync(fd, buffer, at, buffer.length - at, at);
    at += read;
    if (read === 0 || at === usual) break; // the end: more was asked for
  }
  return at;
}
