/**
 * prune: removes what no ref or no commit needs.
 *
 * What stays is computed first and completely; any doubt (a damaged or missing directory) ends it before anything is
 * removed. Then commits go, with their detached metadata and marks, and only when that is durable the rest: a crash never
 * leaves a commit without its objects. Last come deltas to gone commits, and the records of gone objects in the content
 * index. The repository is locked exclusively: transactions wait, so nothing they rely on disappears.
 *
 * Source: ostree-format 11, 12.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, errnoOf, HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import type { ObjectName, ObjectType } from '../../format/index.ts';
import { type FileLock, syncFileSystem } from '../../sys/index.ts';
import { writeConfig } from '../config.ts';
import { compactContentIndex } from '../content-index/index.ts';
import { writeTombstone } from '../fsck/marks.ts';
import { loosePath, partialFile } from '../layout.ts';
import { lockRepo } from '../lock.ts';
import { listCommits, listObjects } from '../object-list.ts';
import { missingObject } from '../object-read.ts';
import type { ObjectTable } from '../object-table.ts';
import { listAllRefs, printRef } from '../refs.ts';
import type { Repo } from '../repo.ts';
import { commitsToKeep } from './keep-commits.ts';
import type { PruneOptions, PruneReport } from './options.ts';
import { type PrunedDeltas, pruneDeltas } from './prune-deltas.ts';
import { collectReachable, loadVerified } from './reachable.ts';

/**
 * Prunes a repository.
 * Errors: those in PruneOptions; `object-missing` and `object-corrupt` (nothing was removed), `repo-locked`, `repo-mode`
 * (bare-split-xattrs), `usage`, `interrupted`, system errors.
 */
export async function prune(repo: Repo, options: PruneOptions = {}): Promise<PruneReport> {
  if (repo.mode === 'bare-split-xattrs') {
    throw new HacktreeError('repo-mode', `Not allowed due to repo mode: ${repo.path} is bare-split-xattrs, which is read-only`);
  }
  const lock = options.dryRun === true ? await lockToRead(repo, options) : await lockRepo(repo, 'exclusive', options.onLockWait);
  try {
    return new Prune(repo, options).run();
  } catch (error) {
    throw wrapSystemError(error, 'Pruning', repo.path);
  } finally {
    lock?.release();
  }
}

/** Looking needs no lock where none can be had: on a read-only file system nobody prunes. */
async function lockToRead(repo: Repo, { onLockWait }: PruneOptions): Promise<FileLock | undefined> {
  try {
    return await lockRepo(repo, 'shared', onLockWait);
  } catch (error) {
    if (isHacktreeError(error) && error.code === 'repo-locked') throw error;
    if (['EROFS', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

class Prune {
  readonly #repo: Repo;
  readonly #options: PruneOptions;
  readonly #dryRun: boolean;
  /** The commit that is removed because it was named. */
  readonly #named: Checksum | undefined;
  #objectCount = 0;
  #prunedCount = 0;
  #prunedBytes = 0;
  #freedDiskBytes = 0;
  #heldDiskBytes = 0;

  constructor(repo: Repo, options: PruneOptions) {
    this.#repo = repo;
    this.#options = options;
    this.#dryRun = options.dryRun === true;
    this.#named = options.staticDeltasOnly === true ? undefined : options.deleteCommit;
  }

  run(): PruneReport {
    this.#checkRequest();
    const reachable = this.#collect();
    const commits = listCommits(this.#repo).filter((checksum) => checksum === this.#named || !reachable.has(checksum, 'commit'));
    this.#removeCommits(commits);
    this.#removeOthers(reachable);
    const deltas = this.#removeDeltas(new Set(commits));
    if (!this.#dryRun && this.#prunedCount > 0) this.#compactIndex(reachable);
    return {
      dryRun: this.#dryRun,
      commitOnly: this.#options.commitOnly === true,
      objectCount: this.#objectCount,
      prunedCount: this.#prunedCount,
      prunedBytes: this.#prunedBytes,
      freedDiskBytes: this.#freedDiskBytes + deltas.diskBytes,
      heldDiskBytes: this.#heldDiskBytes,
      commits,
      deltas: deltas.names,
    };
  }

  #checkRequest(): void {
    const { deleteCommit, staticDeltasOnly } = this.#options;
    if (staticDeltasOnly === true && deleteCommit === undefined) {
      throw new HacktreeError('usage', '--static-deltas-only requires --delete-commit');
    }
    if (this.#named === undefined) return;
    const ref = listAllRefs(this.#repo).find(({ checksum }) => checksum === this.#named);
    if (ref !== undefined) {
      throw new HacktreeError('ref-conflict', `Commit '${this.#named}' is referenced by '${printRef(ref)}'`, {
        details: { found: printRef(ref), commit: this.#named },
      });
    }
    if (this.#stat(this.#named, 'commit') === undefined) throw missingObject(this.#repo, this.#named, 'commit');
  }

  /** Everything that stays. */
  #collect(): ObjectTable {
    const load = (checksum: Checksum) => (checksum === this.#named ? undefined : loadVerified(this.#repo, checksum, 'commit'));
    const keep = commitsToKeep(this.#repo, load, this.#options);
    return collectReachable(this.#repo, keep, {
      commitOnly: this.#options.commitOnly === true,
      visited: (objects) => this.#report('Collecting what is needed', objects),
    });
  }

  #report(phase: string, objectsDone: number, objectsTotal?: number): void {
    if (this.#options.signal?.aborted === true) throw new HacktreeError('interrupted', 'Pruning was interrupted');
    this.#options.onProgress?.({ phase, objectsDone, objectsTotal, bytesDone: this.#prunedBytes });
  }

  #removeCommits(commits: readonly Checksum[]): void {
    if (this.#named !== undefined && !this.#dryRun) this.#rememberDeletions();
    for (const checksum of commits) {
      const isNamed = checksum === this.#named;
      if (!this.#count({ checksum, type: 'commit' }, isNamed) || this.#dryRun) continue;
      if (this.#named !== undefined || this.#repo.config.tombstoneCommits) writeTombstone(this.#repo, checksum);
      this.#unlink(checksum, 'commit');
      this.#unlink(checksum, 'commitmeta');
      fs.rmSync(partialFile(this.#repo.path, checksum), { force: true });
    }
    if (!this.#dryRun && commits.length > 0 && this.#repo.config.fsync) syncFileSystem(this.#repo.path);
  }

  /** Naming a commit to delete turns tombstones on for good, as ostree does. */
  #rememberDeletions(): void {
    const { keyFile, tombstoneCommits } = this.#repo.config;
    if (tombstoneCommits) return;
    keyFile.set('core', 'tombstone-commits', 'true');
    writeConfig(this.#repo.path, keyFile);
  }

  #removeOthers(reachable: ObjectTable): void {
    let prefix = '';
    for (const object of listObjects(this.#repo)) {
      const { checksum, type } = object;
      if (!checksum.startsWith(prefix) || prefix === '') {
        prefix = checksum.slice(0, 2);
        this.#report(this.#dryRun ? 'Looking for unneeded objects' : 'Removing objects', this.#prunedCount);
      }
      if (type === 'payload-link') this.#removeIfDangling(checksum, reachable);
      // Those that went, or would go, are counted already.
      if (type === 'commit' && reachable.has(checksum, 'commit')) this.#objectCount++;
      if (this.#options.commitOnly === true || !isCounted(type)) continue;
      const stays = reachable.has(checksum, type);
      if (stays) this.#objectCount++;
      else if (this.#count(object, false) && !this.#dryRun) this.#unlink(checksum, type);
    }
  }

  /** A payload link stands for the content of a file object; it goes with it. */
  #removeIfDangling(checksum: Checksum, reachable: ObjectTable): void {
    if (this.#dryRun || this.#options.commitOnly === true) return;
    const path = join(this.#repo.objectsPath, loosePath(this.#repo.mode, checksum, 'payload-link'));
    const target = /([0-9a-f]{2})\/([0-9a-f]{62})\.file$/.exec(readLink(path));
    if (target !== null && reachable.has(`${target[1]}${target[2]}` as Checksum, 'file')) return;
    fs.rmSync(path, { force: true });
  }

  /** Counts an object that goes; false when it went already. */
  #count(object: ObjectName, isNamed: boolean): boolean {
    const stat = this.#stat(object.checksum, object.type);
    if (stat === undefined) return false;
    if (stat.nlink > 1) this.#heldDiskBytes += stat.blocks * 512;
    else this.#freedDiskBytes += stat.blocks * 512;
    this.#options.onObject?.(object, stat.size);
    if (isNamed) return true;
    this.#objectCount++;
    this.#prunedCount++;
    this.#prunedBytes += stat.size;
    return true;
  }

  #removeDeltas(commits: ReadonlySet<Checksum>): PrunedDeltas {
    const { staticDeltasOnly, deleteCommit } = this.#options;
    const only = staticDeltasOnly === true ? deleteCommit : undefined;
    const isGone = (to: Checksum): boolean => to === only || commits.has(to) || this.#stat(to, 'commit') === undefined;
    return pruneDeltas(this.#repo, isGone, this.#dryRun);
  }

  #compactIndex(reachable: ObjectTable): void {
    if (this.#options.commitOnly === true) return;
    compactContentIndex(this.#repo, (buffer, start) => reachable.hasBytes(buffer, start, 'file'));
  }

  #path(checksum: Checksum, type: ObjectType): string {
    return join(this.#repo.objectsPath, loosePath(this.#repo.mode, checksum, type));
  }

  #stat(checksum: Checksum, type: ObjectType): fs.Stats | undefined {
    return fs.lstatSync(this.#path(checksum, type), { throwIfNoEntry: false });
  }

  #unlink(checksum: Checksum, type: ObjectType): void {
    try {
      fs.unlinkSync(this.#path(checksum, type));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

const COUNTED: readonly ObjectType[] = ['file', 'dirtree', 'dirmeta'];

/** Commits have their own pass; detached metadata and tombstones go with them. */
function isCounted(type: ObjectType): boolean {
  return COUNTED.includes(type);
}

function readLink(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(errnoOf(error) ?? '')) return '';
    throw error;
  }
}
