/**
 * Refs of collections, wherever they are: in a summary, in a repository. And copying them to a removable disk.
 *
 * A ref's name means something within its collection only; the collection's ID goes with it from repository to repository.
 *
 * Source: ostree-format 7 (refs/mirrors), 9 (collection map); ostree-cli A.1 (`create-usb`).
 */
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { type Checksum, HacktreeError, wrapSystemError } from '../core/index.ts';
import { initRepo, openRepo, type Repo, type RepoSettings, readRef, updateRefs } from '../repo/index.ts';
import { ensureDir } from '../sys/index.ts';
import { pullLocal } from './pull/pull.ts';
import type { RemoteSummary } from './remote-summary.ts';
import { updateSummary } from './summary-file.ts';

export interface CollectionRef {
  readonly collection: string;
  readonly ref: string;
}

/** Prints `(COLLECTION, REF)`. */
export const printCollectionRef = ({ collection, ref }: CollectionRef): string => `(${collection}, ${ref})`;

/** Finds a ref of a collection in a summary. */
export function refInSummary({ summary, facts }: RemoteSummary, { collection, ref }: CollectionRef): Checksum | undefined {
  const map = facts.collectionMap ?? [];
  const refs = facts.collectionId === collection ? summary.refs : (map.find(([id]) => id === collection)?.[1] ?? []);
  return refs.find((entry) => entry.ref === ref)?.commit;
}

/** Finds a ref of a collection in a repository: its own head, or a mirrored ref. */
export function refInRepo(repo: Repo, { collection, ref }: CollectionRef): Checksum | undefined {
  return readRef(repo, repo.config.collectionId === collection ? { ref } : { ref, collection });
}

export interface CreateUsbOptions {
  readonly mount: string;
  readonly refs: readonly CollectionRef[];
  /** Instead of the commit of the only ref. */
  readonly commit?: Checksum | undefined;
  /** Below the mount; default `.ostree/repo`, where other machines look. */
  readonly destination?: string | undefined;
  readonly disableFsync?: boolean;
  /** Threads; 0 = inline. Default: one per core. */
  readonly threads?: number | undefined;
  readonly onLockWait?: () => void;
}

const DEFAULT_REPO = '.ostree/repo';
const LINKS_DIR = '.ostree/repos.d';

/**
 * Copies refs to an archive repository on a mounted disk, and writes its summary.
 * Errors: `path-not-found`, `ref-not-found`, and those of pullLocal.
 */
export async function createUsb(repo: Repo, options: CreateUsbOptions): Promise<void> {
  const { mount, destination = DEFAULT_REPO } = options;
  if (!fs.existsSync(mount)) {
    throw new HacktreeError('path-not-found', `Opening ${mount}: No such file or directory`, { details: { path: mount } });
  }
  const wanted = options.refs.map((ref) => ({ ref, commit: options.commit ?? requireRef(repo, ref) }));
  const target = openTarget(join(mount, destination), repo);
  for (const { commit } of wanted) {
    await pullLocal(target, repo, {
      refs: [commit],
      disableFsync: options.disableFsync === true,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.onLockWait === undefined ? {} : { onLockWait: options.onLockWait }),
    });
  }
  await updateRefs(
    target,
    wanted.map(({ ref, commit }) => ({ target: ref, commit })),
  );
  await updateSummary(target);
  if (destination !== DEFAULT_REPO) linkRepo(mount, join(mount, destination));
}

function requireRef(repo: Repo, wanted: CollectionRef): Checksum {
  const commit = refInRepo(repo, wanted);
  if (commit !== undefined) return commit;
  throw new HacktreeError('ref-not-found', `No such branch ${printCollectionRef(wanted)} in repository summary`, {
    details: { path: repo.path, found: wanted.ref },
    hints: ['`hacktree refs --collections` lists what there is'],
  });
}

function openTarget(path: string, settings: RepoSettings): Repo {
  if (!fs.existsSync(join(path, 'config'))) {
    ensureDir(join(path, '..'));
    initRepo(path, { mode: 'archive' });
  }
  return openRepo(path, settings);
}

/** Other machines look for repositories in a directory of links too. */
function linkRepo(mount: string, path: string): void {
  const dir = join(mount, LINKS_DIR);
  try {
    ensureDir(dir);
    const names = fs.readdirSync(dir);
    const target = relative(dir, path);
    if (names.some((name) => isLinkTo(join(dir, name), target))) return;
    for (let i = 0; ; i++) {
      const name = `${String(i).padStart(2, '0')}-generated`;
      if (names.includes(name)) continue;
      fs.symlinkSync(target, join(dir, name));
      return;
    }
  } catch (error) {
    throw wrapSystemError(error, 'Linking a repository in', dir);
  }
}

function isLinkTo(path: string, target: string): boolean {
  return fs.lstatSync(path).isSymbolicLink() && fs.readlinkSync(path) === target;
}
