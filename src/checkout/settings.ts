/**
 * What a checkout may be told, and what that means for every file: options as the caller gives them, checked and turned
 * into settings, which are plain data and go to worker threads.
 *
 * Source: ostree-cli A.1 (checkout), ostree-format 6 (hard-link rules).
 */
import { HacktreeError } from '../core/index.ts';
import type { Repo, RepoMode } from '../repo/index.ts';

/** How an existing destination is filled: existing files are replaced, kept, or must be the same. */
export type UnionMode = 'replace' | 'add' | 'identical';

export interface CheckoutOptions {
  /** -U: owners and xattrs are left alone, set-id bits dropped. Always so for bare-user-only repositories. */
  readonly userMode?: boolean;
  /** -H: an error where a hard link is not possible, instead of a copy. */
  readonly requireHardlinks?: boolean;
  /** -C: never a hard link; copies share storage where the file system can. */
  readonly forceCopy?: boolean;
  /** --subpath: the part of the tree to check out; may be one file. */
  readonly subpath?: string;
  /** --union, --union-add, --union-identical. Without it the destination must not exist. */
  readonly union?: UnionMode;
  /** --whiteouts: a file `.wh.NAME` deletes NAME, `.wh..wh..opq` empties its directory. */
  readonly whiteouts?: boolean;
  /** --process-passthrough-whiteouts: a file `.ostree-wh.NAME` becomes a character device 0:0 called NAME. */
  readonly passthroughWhiteouts?: boolean;
  /** --allow-noent: nothing is done when the subpath does not exist. */
  readonly allowMissing?: boolean;
  /** -M: directory modes are limited to 0775. */
  readonly bareUserOnlyDirs?: boolean;
  /** --skip-list: paths from the root of what is checked out to leave out; a directory's path ends with a slash. */
  readonly skip?: readonly string[];
  /** --selinux-policy: root directory whose policy labels files; implies forceCopy. */
  readonly selinuxPolicy?: string;
  /** --selinux-prefix: what the root of the checkout is called when labels are looked up. Default: the subpath. */
  readonly selinuxPrefix?: string;
  /** --disable-cache: neither uses nor fills the uncompressed-objects-cache of an archive. */
  readonly disableCache?: boolean;
  /** --fsync: when true, everything is on the device before the destination gets its name. Default false, as ostree's. */
  readonly fsync?: boolean;
  /** Threads that place files, this one included; 1 starts none. Default: one per core, at most 4. */
  readonly threads?: number;
}

/** The rules for placing files and directories; plain data. */
export interface Settings {
  readonly userMode: boolean;
  readonly requireHardlinks: boolean;
  readonly forceCopy: boolean;
  /** What happens when a name is taken. */
  readonly conflict: UnionMode | 'fail';
  readonly whiteouts: boolean;
  readonly passthroughWhiteouts: boolean;
  /** Permission bits that a directory may have. */
  readonly dirModeMask: number;
  readonly skip: readonly string[];
  readonly useCache: boolean;
  readonly selinux: { readonly policy: string; readonly prefix: string } | undefined;
}

/** Checks options against each other and the repository's mode. Errors: `usage`, `repo-mode`. */
export function resolveSettings(repo: Repo, options: CheckoutOptions): Settings {
  const userMode = options.userMode === true || repo.mode === 'bare-user-only';
  const requireHardlinks = options.requireHardlinks === true;
  const forceCopy = options.forceCopy === true || options.selinuxPolicy !== undefined;
  if (requireHardlinks && forceCopy) throw usage('Cannot specify both --require-hardlinks and --force-copy');
  if (options.selinuxPrefix !== undefined && options.selinuxPolicy === undefined) {
    throw usage('Cannot specify --selinux-prefix without --selinux-policy');
  }
  if (options.union === 'identical' && !requireHardlinks) throw usage('--union-identical requires --require-hardlinks');
  if (requireHardlinks && !canHardlink(repo.mode, userMode)) throw cannotHardlink(repo, userMode);
  return {
    userMode,
    requireHardlinks,
    forceCopy,
    conflict: options.union ?? 'fail',
    whiteouts: options.whiteouts === true,
    passthroughWhiteouts: options.passthroughWhiteouts === true,
    dirModeMask: options.bareUserOnlyDirs === true ? 0o775 : 0o7777,
    skip: options.skip ?? [],
    useCache: userMode && !forceCopy && !isSpecial(options),
    selinux:
      options.selinuxPolicy === undefined || userMode
        ? undefined
        : { policy: options.selinuxPolicy, prefix: options.selinuxPrefix ?? options.subpath ?? '/' },
  };
}

/** Tells whether one of the options is given with which ostree does without the cache of inflated files. */
function isSpecial(options: CheckoutOptions): boolean {
  const { disableCache, whiteouts, passthroughWhiteouts, bareUserOnlyDirs, skip, union } = options;
  return [disableCache, whiteouts, passthroughWhiteouts, bareUserOnlyDirs, union === 'add', skip !== undefined].includes(true);
}

/** Tells whether objects of a repository in this mode are, as they are on disk, what the checkout is to show. */
export function canHardlink(mode: RepoMode, userMode: boolean): boolean {
  return userMode ? mode === 'bare-user' || mode === 'bare-user-only' : mode === 'bare';
}

function cannotHardlink(repo: Repo, userMode: boolean): HacktreeError {
  const message =
    repo.mode === 'bare-user' && !userMode
      ? 'User repository mode requires user checkout mode to hardlink'
      : 'Bare repository mode cannot hardlink in user checkout mode';
  return new HacktreeError('repo-mode', message, {
    details: { path: repo.path, mode: repo.mode, userMode },
    hints: ['leave -H out: files are then copied'],
  });
}

const usage = (message: string): HacktreeError => new HacktreeError('usage', message);
