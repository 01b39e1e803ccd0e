/**
 * A transaction: objects are staged by any number of writers, then published, then refs move.
 *
 * Order of publication, each step durable before the next: 1. syncfs of everything staged; 2. all objects but commits
 * get their names; 3. commits get theirs; 4. refs. A crash leaves complete objects and old refs (before 4) or the new
 * state. An aborted or killed transaction leaves its staging directory, from which the next one goes on.
 *
 * Source: ostree-format 11.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { type FileLock, renameAt, renameNoReplace, syncDir, syncFileSystem } from '../sys/index.ts';
import { openSpaceBudget } from './free-space.ts';
import { objectsDir, partialFile, stateDir } from './layout.ts';
import { lockRepo, touchRepo } from './lock.ts';
import { makeStagedMarks, type WriterInit } from './object-files.ts';
import { listObjects, OBJECT_PREFIX } from './object-list.ts';
import { ObjectWriter } from './object-write.ts';
import { type RefTarget, removeRef, writeRef } from './refs.ts';
import type { Repo } from './repo.ts';
import { currentBootId, openStaging, removeStaging, type Staging } from './staging.ts';

export interface TransactionOptions {
  /** false: nothing is flushed to the device. Default: core.fsync. */
  readonly fsync?: boolean;
  /** Flushes each object as it is written. Default: core.per-object-fsync. */
  readonly perObjectFsync?: boolean;
  /** Called when another process holds the repository lock. */
  readonly onLockWait?: () => void;
  /** Called when all objects have their names, before refs move and while the lock is held. */
  readonly beforeRefs?: () => void | Promise<void>;
}

export class Transaction {
  readonly repo: Repo;
  /** Give this to writers in other threads. */
  readonly writerInit: WriterInit;
  /** The writer of the thread that opened the transaction. */
  readonly writer: ObjectWriter;
  /** The repository as it will be: staged objects first, then those that are there. For reading only. */
  readonly view: Repo;
  readonly #staging: Staging;
  readonly #lock: FileLock;
  readonly #options: TransactionOptions;
  readonly #refs: { target: RefTarget; checksum: Checksum | undefined }[] = [];
  readonly #partial = new Map<Checksum, boolean>();
  readonly #resumedFiles: readonly Checksum[];
  #open = true;

  constructor(repo: Repo, lock: FileLock, staging: Staging, options: TransactionOptions) {
    this.repo = repo;
    this.#lock = lock;
    this.#staging = staging;
    this.#options = options;
    this.writerInit = {
      repoPath: repo.path,
      stagingPath: staging.objectsPath,
      budget: openSpaceBudget(repo),
      isResumed: staging.isResumed,
      perObjectFsync: options.perObjectFsync ?? repo.config.perObjectFsync,
      stagedMarks: makeStagedMarks(),
    };
    this.writer = new ObjectWriter(this.writerInit, repo);
    this.view = { ...repo, objectsPath: staging.objectsPath, parent: repo };
    const resumed = staging.isResumed ? [...listObjects(this.view)] : [];
    this.#resumedFiles = resumed.filter(({ type }) => type === 'file').map(({ checksum }) => checksum);
  }

  /** Plans to move a ref, or with undefined to delete it, when the transaction commits. */
  setRef(target: RefTarget, checksum: Checksum | undefined): void {
    this.#refs.push({ target, checksum });
  }

  /** Plans to mark a commit as partial, or to take the mark away. A mark is set before any object is published. */
  setPartial(commit: Checksum, isPartial: boolean): void {
    this.#partial.set(commit, isPartial);
  }

  /** Publishes everything. On an error the staging directory stays and refs keep their values. */
  async commit(): Promise<void> {
    const sync = this.#options.fsync ?? this.repo.config.fsync;
    try {
      failIfAsked(this.repo);
      this.#markPartial(sync);
      if (sync) syncFileSystem(this.#staging.path);
      const commits = this.#publishAllButCommits();
      if (sync && commits.length > 0) syncFileSystem(this.#staging.path);
      const dirs = new Set(commits.map((name) => name.slice(0, 2)));
      for (const name of commits) this.#publishNames(name.slice(0, 2), [name.slice(3)]);
      if (sync) for (const dir of dirs) syncDir(join(objectsDir(this.repo.path), dir));
      await this.#indexResumed(sync);
      await this.#options.beforeRefs?.();
      this.#moveRefs(sync);
      this.#unmarkPartial();
    } catch (error) {
      this.#close(false);
      throw wrapSystemError(error, 'Committing transaction in', this.repo.path);
    }
    this.#close(true);
  }

  /** An interrupted transaction took what it knew of contents with it. */
  async #indexResumed(sync: boolean): Promise<void> {
    if (this.#resumedFiles.length === 0) return;
    const { indexObjects } = await import('./content-index/index.ts');
    await indexObjects(this.repo, this.#resumedFiles, { sync });
  }

  /** Ends without publishing; what was staged stays for the next transaction. */
  abort(): void {
    if (this.#open) this.#close(false);
  }

  /** Publishes what is staged so far, but no commits and no refs: lets later work find the objects. */
  #publishAllButCommits(): string[] {
    const commits: string[] = [];
    for (const prefix of fs.readdirSync(this.#staging.objectsPath)) {
      if (!OBJECT_PREFIX.test(prefix)) continue;
      const listed = this.writer.mayHaveCommits(prefix) ? this.#stagedNames(prefix) : undefined;
      const hasCommits = listed?.some((name) => name.endsWith('.commit') || name.endsWith('.commitmeta')) === true;
      if (!hasCommits && this.#publishDirectory(prefix)) continue;
      const names = listed ?? this.#stagedNames(prefix);
      const isCommit = (name: string): boolean => name.endsWith('.commit');
      commits.push(...names.filter(isCommit).map((name) => `${prefix}/${name}`));
      this.#publishNames(
        prefix,
        names.filter((name) => !isCommit(name)),
      );
    }
    return commits;
  }

  #stagedNames(prefix: string): string[] {
    return fs.readdirSync(join(this.#staging.objectsPath, prefix));
  }

  /** A new prefix is published with one rename of its whole directory. */
  #publishDirectory(prefix: string): boolean {
    try {
      return renameNoReplace(join(this.#staging.objectsPath, prefix), join(objectsDir(this.repo.path), prefix));
    } catch (error) {
      if (errnoOf(error) === 'EINVAL' || errnoOf(error) === 'ENOSYS') return false;
      throw error;
    }
  }

  /**
   * Detached metadata replaces; everything else is the same under the same name, so replacing would be harmless too. By open
   * directories: the way to each name would cost as much as the rename.
   */
  #publishNames(prefix: string, names: readonly string[]): void {
    if (names.length === 0) return;
    const target = join(objectsDir(this.repo.path), prefix);
    fs.mkdirSync(target, { recursive: true, mode: 0o775 });
    const from = fs.openSync(join(this.#staging.objectsPath, prefix), 'r');
    try {
      const to = fs.openSync(target, 'r');
      try {
        for (const name of names) renameAt(from, name, to, name);
      } finally {
        fs.closeSync(to);
      }
    } finally {
      fs.closeSync(from);
    }
  }

  #markPartial(sync: boolean): void {
    const marked = [...this.#partial].filter(([, isPartial]) => isPartial);
    for (const [commit] of marked) fs.closeSync(fs.openSync(partialFile(this.repo.path, commit), 'a', 0o644));
    if (sync && marked.length > 0) syncDir(stateDir(this.repo.path));
  }

  #unmarkPartial(): void {
    for (const [commit, isPartial] of this.#partial) {
      if (!isPartial) fs.rmSync(partialFile(this.repo.path, commit), { force: true });
    }
  }

  #moveRefs(sync: boolean): void {
    for (const { target, checksum } of this.#refs) {
      if (checksum === undefined) removeRef(this.repo, target);
      else writeRef(this.repo, target, checksum, { sync });
    }
    if (this.#refs.length > 0) touchRepo(this.repo);
  }

  #close(published: boolean): void {
    this.#open = false;
    this.writer.close();
    if (published) removeStaging(this.#staging);
    else this.#staging.lock.release();
    this.#lock.release();
  }
}

/** Ends what would change the repository when it was opened to fail. Errors: `test-error`. */
export function failIfAsked({ testErrors }: Repo): void {
  if (testErrors?.has('pre-commit')) throw new HacktreeError('test-error', 'OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified');
}

/** Starts a transaction: takes the shared lock and a staging directory. Errors: `repo-locked`, system errors. */
export async function beginTransaction(repo: Repo, options: TransactionOptions = {}): Promise<Transaction> {
  const lock = await lockRepo(repo, 'shared', options.onLockWait);
  try {
    const staging = await openStaging(repo, currentBootId(repo.bootId));
    return new Transaction(repo, lock, staging, options);
  } catch (error) {
    lock.release();
    throw wrapSystemError(error, 'Starting a transaction in', repo.path);
  }
}
