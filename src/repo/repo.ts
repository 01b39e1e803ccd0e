/**
 * A repository: its directory, mode and configuration, and optionally the parent repository it falls back to.
 *
 * Repo is a plain value without open descriptors: cheap to open (one small file), safe to open in every thread.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkCollectionId, describeErrno, errnoOf, HacktreeError, type TestError, wrapSystemError } from '../core/index.ts';
import { KeyFile } from '../format/index.ts';
import { removeXattr, setXattr, syncDir, writeFileDurable } from '../sys/index.ts';
import { parseRepoMode, printRepoMode, type RepoConfig, readConfig, writeConfig } from './config.ts';
import { configFile, objectsDir, REPO_DIRS, REPO_MODES, type RepoMode } from './layout.ts';

/** What whoever opens a repository may say about its transactions. */
export interface RepoSettings {
  /** Stands in for the kernel's boot ID (OSTREE_BOOTID). */
  readonly bootId?: string | undefined;
  /** Faults to act out (OSTREE_REPO_TEST_ERROR). Default: none. */
  readonly testErrors?: ReadonlySet<TestError>;
}

export interface Repo extends RepoSettings {
  /** Absolute path of the repository directory. */
  readonly path: string;
  /** Directory of loose objects: `objects/`, or a transaction's staging directory. */
  readonly objectsPath: string;
  readonly mode: RepoMode;
  readonly config: RepoConfig;
  /** Where missing objects and refs are looked up besides (core.parent). */
  readonly parent: Repo | undefined;
}

/** Opens a repository. Errors: `repo-not-found`, `repo-config`. */
export function openRepo(directory: string, { bootId, testErrors }: RepoSettings = {}): Repo {
  const repoPath = path.resolve(directory);
  try {
    if (!fs.statSync(objectsDir(repoPath)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  } catch (error) {
    throw notFound(directory, error);
  }
  const config = readConfig(repoPath);
  const parent = config.parentPath === undefined ? undefined : openRepo(path.resolve(repoPath, config.parentPath));
  const settings = { bootId, ...(testErrors === undefined ? {} : { testErrors }) };
  return { path: repoPath, objectsPath: objectsDir(repoPath), mode: config.mode, config, parent, ...settings };
}

function notFound(directory: string, error: unknown): HacktreeError {
  const errno = errnoOf(error) ?? 'ENOENT';
  const what = fs.existsSync(directory) ? 'objects' : path.resolve(directory);
  return new HacktreeError('repo-not-found', `opening repo: opendir(${what}): ${describeErrno(errno)}`, {
    details: { path: directory, expected: 'a directory with config and objects', found: errno, errno },
    hints: [`make one with: hacktree init --repo=${directory}`],
    cause: error,
  });
}

export interface InitOptions {
  readonly mode?: string;
  readonly collectionId?: string;
}

/**
 * Makes a repository; on an existing one only the collection ID is set.
 * Errors: `repo-mode` (unknown mode, or user xattrs missing for bare-user), `ref-invalid` (collection ID).
 */
export function initRepo(directory: string, options: InitOptions = {}): Repo {
  const repoPath = path.resolve(directory);
  const modeText = options.mode ?? 'bare';
  const mode = parseRepoMode(modeText);
  if (mode === undefined) {
    throw new HacktreeError('repo-mode', `Invalid mode '${modeText}' in repository configuration`, {
      details: { expected: REPO_MODES.join(', '), found: modeText },
    });
  }
  if (options.collectionId !== undefined) checkCollectionId(options.collectionId);
  if (fs.existsSync(objectsDir(repoPath))) return reinit(repoPath, options.collectionId);
  try {
    create(repoPath, mode, options.collectionId);
  } catch (error) {
    throw wrapSystemError(error, 'Creating repository', repoPath);
  }
  return openRepo(repoPath);
}

function reinit(repoPath: string, collectionId: string | undefined): Repo {
  const repo = openRepo(repoPath);
  if (collectionId === undefined || repo.config.collectionId === collectionId) return repo;
  repo.config.keyFile.setString('core', 'collection-id', collectionId);
  writeConfig(repoPath, repo.config.keyFile);
  return openRepo(repoPath);
}

function create(repoPath: string, mode: RepoMode, collectionId: string | undefined): void {
  fs.mkdirSync(repoPath, { recursive: true });
  if (mode === 'bare-user') checkUserXattrs(repoPath);
  const keyFile = new KeyFile();
  keyFile.set('core', 'repo_version', '1');
  keyFile.set('core', 'mode', printRepoMode(mode));
  if (collectionId !== undefined) keyFile.setString('core', 'collection-id', collectionId);
  writeFileDurable(configFile(repoPath), Buffer.from(keyFile.print()), { mode: 0o644 & ~process.umask() });
  for (const dir of REPO_DIRS) {
    try {
      fs.mkdirSync(path.join(repoPath, dir), 0o775);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  syncDir(repoPath);
}

/** bare-user keeps owners and modes in user xattrs: a file system without them is refused at once. */
function checkUserXattrs(repoPath: string): void {
  try {
    setXattr(repoPath, 'user.hacktree-probe', Buffer.from('1'));
    removeXattr(repoPath, 'user.hacktree-probe');
  } catch (error) {
    throw new HacktreeError('repo-mode', `bare-user repositories need user extended attributes, which ${repoPath} has not`, {
      details: { path: repoPath, expected: 'user.* xattrs', found: errnoOf(error) ?? 'failure' },
      hints: ['use --mode=archive or bare-user-only, or another file system'],
      cause: error,
    });
  }
}
