/**
 * Files in a transaction's staging directory: temporary ones, their inodes as objects have them, and their names. An object
 * gets its name when it is complete, or shows by its time or mode that it is not. Synchronous and without shared state: one per thread.
 *
 * Source: ostree-format 2, 6, 11.
 */
import * as fs from 'node:fs';
import { threadId } from 'node:worker_threads';
import { type Checksum, errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { encodeInodeMeta, type FileHeader, type ObjectType } from '../format/index.ts';
import { setXattr, writeFully } from '../sys/index.ts';
import { type SpaceBudget, takeSpace } from './free-space.ts';
import { loosePath } from './layout.ts';
import { ObjectNames } from './object-names.ts';
import { hasObject } from './object-read.ts';
import type { Repo } from './repo.ts';
import { writeXattrs } from './xattrs.ts';

/** What a writer in another thread needs; plain data. */
export interface WriterInit {
  readonly repoPath: string;
  /** Where objects are staged. */
  readonly stagingPath: string;
  readonly budget: SpaceBudget;
  /** The staging directory has objects of an earlier transaction. */
  readonly isResumed: boolean;
  /** Flush each object as it is written, not all at the end. */
  readonly perObjectFsync: boolean;
  /** What has been staged, see makeStagedMarks. */
  readonly stagedMarks: SharedArrayBuffer;
}

/** Of metadata objects and .filez; set when all of them is written. */
export const PLAIN_MODE = 0o644;

/** Leading bits of a checksum that a mark stands for. */
const MARK_BITS = 24;

/** Behind the marks of objects: one bit for each prefix (two hex digits) with commits. */
const COMMIT_MARKS = 2 ** MARK_BITS;
const PREFIXES = 256;

/**
 * Makes the marks that all threads of a transaction share: one bit for the checksums that begin alike. Where it is not set, no
 * such object has been staged, and nobody needs to look.
 */
export const makeStagedMarks = (): SharedArrayBuffer => new SharedArrayBuffer((COMMIT_MARKS + PREFIXES) / 8);

const commitMarkOf = (prefix: string): number => COMMIT_MARKS + Number.parseInt(prefix, 16);

const markOf = (checksum: Checksum): number => Number.parseInt(checksum.slice(0, MARK_BITS / 4), 16);

export class ObjectFiles {
  readonly repo: Repo;
  readonly #staging: string;
  readonly #temporaryPrefix: string;
  readonly #budget: SpaceBudget;
  readonly #perObjectFsync: boolean;
  readonly #madeDirs = new Set<string>();
  readonly #marks: Int32Array;
  readonly #published: ObjectNames;
  readonly #stagedBefore: boolean;
  readonly #euid = process.geteuid?.() ?? 0;
  readonly #egid = process.getegid?.() ?? 0;
  #counter = 0;

  constructor(init: WriterInit, repo: Repo) {
    this.repo = repo;
    this.#published = new ObjectNames(repo);
    this.#staging = init.stagingPath;
    this.#temporaryPrefix = `${init.stagingPath}/.tmp-${process.pid}-${threadId}-`;
    this.#stagedBefore = init.isResumed;
    this.#marks = new Int32Array(init.stagedMarks);
    this.#budget = init.budget;
    this.#perObjectFsync = init.perObjectFsync;
  }

  /** Tells whether the object is in the repository or already staged. */
  has(checksum: Checksum, type: ObjectType): boolean {
    if (this.#published.has(checksum, type)) return true;
    if (this.repo.parent !== undefined && hasObject(this.repo.parent, checksum, type)) return true;
    if (!this.mayBeStaged(checksum)) return false;
    return fs.lstatSync(this.stagedPath(checksum, type), { throwIfNoEntry: false }) !== undefined;
  }

  /** false when no thread of this transaction, nor an interrupted one before it, has staged the object. */
  mayBeStaged(checksum: Checksum): boolean {
    return this.#stagedBefore || this.#isMarked(markOf(checksum));
  }

  /** false when no commit, nor metadata of one, with this prefix has been staged, by whatever thread or transaction. */
  mayHaveCommits(prefix: string): boolean {
    return this.#stagedBefore || this.#isMarked(commitMarkOf(prefix));
  }

  /** Notes that an object is staged now. */
  mark(checksum: Checksum, type: ObjectType): void {
    if (type === 'commit' || type === 'commitmeta') this.#mark(commitMarkOf(checksum.slice(0, 2)));
    this.#mark(markOf(checksum));
  }

  #isMarked(mark: number): boolean {
    return (Atomics.load(this.#marks, mark >>> 5) & (1 << (mark & 31))) !== 0;
  }

  #mark(mark: number): void {
    Atomics.or(this.#marks, mark >>> 5, 1 << (mark & 31));
  }

  /** Writes a symlink's object: a symlink, or a file where the mode is bare-user. Errors: `no-space`, `permission`. */
  storeSymlink(checksum: Checksum, header: FileHeader): void {
    if (this.repo.mode === 'bare-user') {
      const content = Buffer.from(`${header.target}\0`);
      this.store(checksum, 'file', content.length, (fd) => {
        writeFully(fd, content);
        setXattr(fd, 'user.ostreemeta', encodeInodeMeta(header));
        fs.fchmodSync(fd, 0o644);
        fs.futimesSync(fd, 0, 0);
      });
      return;
    }
    const temporary = this.temporaryPath();
    try {
      fs.symlinkSync(header.target, temporary);
      if (this.repo.mode === 'bare') {
        if (header.uid !== this.#euid || header.gid !== this.#egid) fs.lchownSync(temporary, header.uid, header.gid);
        writeXattrs(temporary, header.xattrs);
      }
      fs.lutimesSync(temporary, 0, 0);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw this.#ownershipError(error, header);
    }
    this.publish(temporary, checksum, 'file');
  }

  /** Writes a temporary file with `fill` and gives it its name in staging. Errors: `no-space`, system errors. */
  store(checksum: Checksum, type: ObjectType, sizeBytes: number, fill: (fd: number) => void): void {
    takeSpace(this.#budget, sizeBytes);
    this.#storeByRename(checksum, type, fill);
  }

  /**
   * Writes an object under its name in staging, which saves the rename. Only for bytes that have been verified, so that nothing can fail
   * but the system, and with it the transaction; for what no other thread reads meanwhile; and with a `fill` that ends with finishInode
   * or finishPlain: an object of which that was not reached does not count for the next transaction. Errors: as store.
   */
  storeVerified(checksum: Checksum, type: ObjectType, sizeBytes: number, fill: (fd: number) => void): void {
    takeSpace(this.#budget, sizeBytes);
    this.ensurePrefix(checksum.slice(0, 2));
    if (this.#write(this.stagedPath(checksum, type), checksum, type, fill)) this.mark(checksum, type);
    else this.#storeByRename(checksum, type, fill); // another thread is about to write the same
  }

  #storeByRename(checksum: Checksum, type: ObjectType, fill: (fd: number) => void): void {
    let temporary = this.temporaryPath();
    while (!this.#write(temporary, checksum, type, fill)) temporary = this.temporaryPath();
    this.publish(temporary, checksum, type);
  }

  /** Makes a file; returns false when the name is taken. Nothing is left of one that fails. */
  #write(path: string, checksum: Checksum, type: ObjectType, fill: (fd: number) => void): boolean {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, 'wx', 0o600);
      fill(fd);
      if (this.#perObjectFsync) fs.fsyncSync(fd);
      const open = fd;
      fd = undefined;
      fs.closeSync(open);
      return true;
    } catch (error) {
      if (fd === undefined && errnoOf(error) === 'EEXIST') return false;
      if (fd !== undefined) fs.closeSync(fd);
      fs.rmSync(path, { force: true });
      throw wrapSystemError(error, 'Writing object', `${checksum}.${type} to ${this.repo.path}`);
    }
  }

  /** Metadata objects and .filez: mode 0644 whatever the umask, mtime of writing. */
  finishPlain(fd: number, parts: readonly Uint8Array[]): void {
    for (const part of parts) writeFully(fd, part);
    fs.fchmodSync(fd, PLAIN_MODE);
  }

  /** Content objects of the bare modes: owner, mode, xattrs, mtime 0, in this order (chown clears set-id bits). */
  finishInode(fd: number, header: FileHeader): void {
    if (this.repo.mode === 'bare-user') {
      setXattr(fd, 'user.ostreemeta', encodeInodeMeta(header));
      fs.fchmodSync(fd, (header.mode & 0o775) | 0o400);
    } else if (this.repo.mode === 'bare-user-only') {
      fs.fchmodSync(fd, header.mode & 0o7777);
    } else {
      try {
        if (header.uid !== this.#euid || header.gid !== this.#egid) fs.fchownSync(fd, header.uid, header.gid);
        fs.fchmodSync(fd, header.mode & 0o7777);
        writeXattrs(fd, header.xattrs);
      } catch (error) {
        throw this.#ownershipError(error, header);
      }
    }
    fs.futimesSync(fd, 0, 0);
  }

  #ownershipError(error: unknown, { uid, gid }: FileHeader): unknown {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return error;
    return new HacktreeError('permission', `Cannot give an object to uid ${uid}, gid ${gid}: Operation not permitted`, {
      details: { path: this.repo.path, uid, gid, errno: 'EPERM' },
      hints: [
        'a bare repository of files with other owners needs root; use --mode=bare-user or archive, or --owner-uid/--owner-gid',
      ],
      cause: error,
    });
  }

  /** A fresh path in the staging directory. */
  temporaryPath(): string {
    return `${this.#temporaryPrefix}${this.#counter++}`;
  }

  /** Where an object is while it is staged. */
  stagedPath(checksum: Checksum, type: ObjectType): string {
    return `${this.#staging}/${loosePath(this.repo.mode, checksum, type)}`;
  }

  /** Gives a complete temporary file an object's name. */
  publish(temporary: string, checksum: Checksum, type: ObjectType): void {
    this.ensurePrefix(checksum.slice(0, 2));
    fs.renameSync(temporary, this.stagedPath(checksum, type));
    this.mark(checksum, type);
  }

  /** Makes the directory of objects that begin with these two digits, and returns its path. */
  ensurePrefix(prefix: string): string {
    const path = `${this.#staging}/${prefix}`;
    if (this.#madeDirs.has(prefix)) return path;
    fs.mkdirSync(path, { recursive: true, mode: 0o777 });
    this.#madeDirs.add(prefix);
    return path;
  }
}
