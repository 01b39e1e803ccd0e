/**
 * Checking out: a commit's tree, or a part of it, becomes files again.
 *
 * A fresh destination gets its name when it is complete; an existing one (union) is filled file by file. Ctrl-C and errors
 * leave nothing of a fresh destination behind; a killed checkout's leftovers go with the next one to the same place.
 *
 * Source: ostree-cli A.1 (checkout), ostree-format 6.
 */
import * as fs from 'node:fs';

import { type Checksum, errnoOf, HacktreeError, isHacktreeError, type ReportProgress, wrapSystemError } from '../core/index.ts';
import {
  lookupBelow,
  objectsDir,
  type Repo,
  resolveRev,
  rootOf,
  type TreeDir,
  type TreeFile,
  type TreeNode,
} from '../repo/index.ts';
import { closeFd, deviceAt, zeroMtimeAt } from '../sys/index.ts';
import type { Tally } from './context.ts';
import { type OpenDestination, openDestination } from './destination.ts';
import { applyInode, dirInode, type LabelFor } from './inode.ts';
import { openLabels } from './labels.ts';
import { MetadataLoader } from './metadata.ts';
import { openBeneath } from './open-beneath.ts';
import type { LateMode } from './place-dir.ts';
import { placeFile } from './place-file.ts';
import { runTree } from './run-tree.ts';
import { type CheckoutOptions, resolveSettings, type Settings } from './settings.ts';
import { withSpaceNeeds } from './space.ts';
import { openWork, type WorkInit } from './work.ts';

export interface CheckoutRequest {
  /** What to check out: a ref, remote:ref, checksum or its beginning, with any number of `^`. */
  readonly rev: string;
  /** Directory to make or, with a union option, to fill. */
  readonly destination: string;
  readonly options?: CheckoutOptions;
  readonly onProgress?: ReportProgress;
  readonly signal?: AbortSignal;
}

export interface CheckoutResult {
  readonly commit: Checksum;
  /** false when the subpath does not exist and allowMissing was given: nothing was done. */
  readonly found: boolean;
  readonly files: number;
  readonly dirs: number;
  /** How many of the files are hard links. */
  readonly linked: number;
  /** Content of the others, in bytes. */
  readonly copiedBytes: number;
}

/**
 * Checks out one revision. The destination then has its name and holds everything; with `fsync` it survives a power cut.
 * Errors: `usage`, `repo-mode`, `ref-not-found`, `path-not-found`, `checkout-exists`, `path-unsafe`, `object-missing`,
 * `object-corrupt`, `selinux-policy`, `no-space`, `permission`, `interrupted`, system errors.
 */
export async function checkout(repo: Repo, request: CheckoutRequest): Promise<CheckoutResult> {
  const options = request.options ?? {};
  const settings = resolveSettings(repo, options);
  const metadata = new MetadataLoader(repo);
  const commit = resolveRev(repo, request.rev);
  const node = findNode(repo, rootOf(metadata.commit(commit)), options);
  const isSkipped = node?.kind === 'dir' && settings.skip.includes('/');
  if (node === undefined || isSkipped) {
    return { commit, found: node !== undefined, files: 0, dirs: 0, linked: 0, copiedBytes: 0 };
  }
  const tally = await new Checkout(repo, metadata, settings, request).run(node);
  return { commit, found: true, ...tally };
}

function findNode(repo: Repo, root: TreeDir, { subpath, allowMissing }: CheckoutOptions): TreeNode | undefined {
  try {
    return lookupBelow(repo, root, subpath ?? '/');
  } catch (error) {
    if (allowMissing === true && isHacktreeError(error) && error.details.errno === 'ENOENT') return undefined;
    throw error;
  }
}

class Checkout {
  readonly #repo: Repo;
  readonly #metadata: MetadataLoader;
  readonly #settings: Settings;
  readonly #request: CheckoutRequest;
  readonly #labelFor: LabelFor | undefined;

  constructor(repo: Repo, metadata: MetadataLoader, settings: Settings, request: CheckoutRequest) {
    this.#repo = repo;
    this.#metadata = metadata;
    this.#settings = settings;
    this.#request = request;
    this.#labelFor = openLabels(settings);
  }

  async run(node: TreeNode): Promise<Tally> {
    const mayExist = node.kind === 'file' || this.#settings.conflict !== 'fail';
    const destination = openDestination(this.#request.destination, mayExist);
    try {
      this.#checkDevice(destination.root);
      const tally = node.kind === 'file' ? await this.#runFile(node, destination) : await this.#runDir(node, destination);
      destination.finish(this.#request.options?.fsync === true);
      return tally;
    } catch (error) {
      discard(destination);
      const { destination: path } = this.#request;
      throw withSpaceNeeds(wrapSystemError(error, 'Checking out to', path), this.#repo, node, this.#settings, path);
    }
  }

  /** A single file goes into the destination under its own name. */
  async #runFile(node: TreeFile, destination: OpenDestination): Promise<Tally> {
    const { root, staging } = destination;
    const work = openWork(this.#init(destination), this.#repo, this.#labelFor && ((_, mode) => this.#labelFor?.('', mode)));
    try {
      await placeFile(work.context, { dir: root, staging }, node.name, node.name, node.checksum);
      return work.context.tally;
    } finally {
      work.close();
    }
  }

  async #runDir(node: TreeDir, destination: OpenDestination): Promise<Tally> {
    // Other threads open the repository by its path: a view of it (objects not published yet) stays in this one.
    const threads = this.#repo.objectsPath === objectsDir(this.#repo.path) ? this.#request.options?.threads : 1;
    const { signal, onProgress } = this.#request;
    const init = this.#init(destination);
    const work = openWork(init, this.#repo, this.#labelFor);
    try {
      const start = { tree: node.tree, meta: node.meta, path: '', isNew: destination.isFresh };
      const { tally, lateModes } = await runTree(start, work, init, { threads, signal, onProgress });
      applyLateModes(destination.root, lateModes);
      if (destination.isFresh) this.#finishRoot(destination.root, node);
      return tally;
    } finally {
      work.close();
    }
  }

  #init({ root, staging, plainOwner }: OpenDestination): WorkInit {
    return { repoPath: this.#repo.path, settings: this.#settings, destination: { root, staging, plainOwner } };
  }

  #finishRoot(root: number, { meta }: TreeDir): void {
    const dirmeta = this.#metadata.dirmeta(meta);
    applyInode(root, dirInode(dirmeta, this.#settings, this.#labelFor?.('', dirmeta.mode)));
    if (!this.#settings.forceCopy) zeroMtimeAt(root, '.');
  }

  /** With -H it is better to say so before the first file. */
  #checkDevice(root: number): void {
    if (!this.#settings.requireHardlinks) return;
    const source = deviceAt(-1, `${this.#repo.path}/objects/.`);
    const target = deviceAt(root, '');
    if (source === target) return;
    throw new HacktreeError(
      'not-supported',
      `Unable to do hardlink checkout across devices (src=${source} destination=${target})`,
      {
        details: { path: this.#request.destination, expected: source, found: target },
        hints: ['leave -H out: files are then copied'],
      },
    );
  }
}

/** The deepest first, so that every directory can still be reached. */
function applyLateModes(root: number, lateModes: readonly LateMode[]): void {
  const depth = ({ path }: LateMode): number => (path === '' ? 0 : path.split('/').length);
  for (const { path, mode } of [...lateModes].sort((a, b) => depth(b) - depth(a))) {
    const fd = openBeneath(root, path);
    try {
      fs.fchmodSync(fd, mode);
    } finally {
      closeFd(fd);
    }
  }
}

/** What cannot be removed now goes with the next run; the first error is the one to tell. */
function discard(destination: OpenDestination): void {
  try {
    destination.discard();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
