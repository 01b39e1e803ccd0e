/**
 * Finding a path in a commit and walking the tree below it.
 *
 * A node is what a dirtree says of a name: the path from the root of the tree, and checksums; owner, mode, size and
 * content are loaded by whoever wants them (loadDirmeta, loadFile). The order is that of the format: a directory, then
 * its files by name, then its subdirectories by name, each with everything below it. Symlinks are never followed.
 *
 * Source: ostree-format 5.2, 5.3.
 */
import { type Checksum, HacktreeError } from '../core/index.ts';
import type { Commit, Dirtree, FileEntry } from '../format/index.ts';
import { loadCommit, loadDirtree, loadSubdirs, objectPath } from './object-read.ts';
import type { Repo } from './repo.ts';

export interface TreeDir {
  readonly kind: 'dir';
  /** From the root of the tree, `/` for the root itself. */
  readonly path: string;
  /** Last component; empty for the root. */
  readonly name: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

/** A regular file or a symlink: which of the two only the file object says. */
export interface TreeFile {
  readonly kind: 'file';
  readonly path: string;
  readonly name: string;
  readonly checksum: Checksum;
}

export type TreeNode = TreeDir | TreeFile;

/** The root directory of a commit. */
export function rootOf(commit: Commit): TreeDir {
  return { kind: 'dir', path: '/', name: '', tree: commit.rootTree, meta: commit.rootMeta };
}

/** Joins a directory's path and a name. */
export function joinTreePath(dir: string, name: string): string {
  return dir === '/' ? `/${name}` : `${dir}/${name}`;
}

/**
 * Finds a path in a commit; a leading, trailing or doubled slash does not matter.
 * Errors: `path-not-found` (details.errno ENOENT, or ENOTDIR when a file or symlink is used as a directory) and those of
 * loadCommit and loadDirtree.
 */
export function lookupPath(repo: Repo, commit: Checksum | Commit, path: string): TreeNode {
  return lookupBelow(repo, rootOf(typeof commit === 'string' ? loadCommit(repo, commit) : commit), path);
}

/** Finds a path below a directory, as lookupPath does. */
export function lookupBelow(repo: Repo, dir: TreeDir, path: string): TreeNode {
  let at: TreeNode = dir;
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    if (at.kind === 'file') throw notFound(path, 'ENOTDIR', `Not a directory: ${at.path}`);
    const child = childOf(loadDirtree(repo, at.tree), at.path, name);
    if (child === undefined) throw notFound(path, 'ENOENT', `No such file or directory: ${joinTreePath(at.path, name)}`);
    at = child;
  }
  return at;
}

function childOf(dirtree: Dirtree, dirPath: string, name: string): TreeNode | undefined {
  const path = joinTreePath(dirPath, name);
  const file = dirtree.files.find((entry) => entry.name === name);
  if (file !== undefined) return { kind: 'file', path, name, checksum: file.checksum };
  const dir = dirtree.dirs.find((entry) => entry.name === name);
  return dir === undefined ? undefined : { kind: 'dir', path, name, tree: dir.tree, meta: dir.meta };
}

function notFound(path: string, errno: string, message: string): HacktreeError {
  return new HacktreeError('path-not-found', message, { details: { path, errno } });
}

/** Lists a directory: files by name, then subdirectories by name. Errors: those of loadDirtree. */
export function listTreeDir(repo: Repo, { path, tree }: TreeDir): TreeNode[] {
  const { files, dirs } = loadDirtree(repo, tree);
  return [
    ...files.map(({ name, checksum }): TreeFile => ({ kind: 'file', path: joinTreePath(path, name), name, checksum })),
    ...dirs.map((dir): TreeDir => ({ kind: 'dir', path: joinTreePath(path, dir.name), ...dir })),
  ];
}

export interface WalkOptions {
  /** Says which nodes to leave out, directories with all below them. */
  readonly skip?: (node: TreeNode) => boolean;
}

/**
 * Yields a directory and everything below it. One dirtree per level is held in memory.
 * Errors: those of loadDirtree; `object-corrupt` for a directory that contains itself.
 */
export function* walkTree(repo: Repo, start: TreeDir, options: WalkOptions = {}): Generator<TreeNode> {
  const skip = options.skip ?? (() => false);
  if (skip(start)) return;
  yield start;
  const levels = [{ tree: start.tree, nodes: listTreeDir(repo, start).values() }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.nodes.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    const node = next.value;
    if (skip(node)) continue;
    yield node;
    if (node.kind === 'file') continue;
    if (levels.some(({ tree }) => tree === node.tree)) throw containsItself(repo, node);
    levels.push({ tree: node.tree, nodes: listTreeDir(repo, node).values() });
  }
}

/** A directory, with its files where they were asked for. */
export interface WalkedDir {
  readonly path: string;
  readonly files: readonly FileEntry[];
}

/**
 * Yields a directory and all directories below it, parents first; with their files where `wantsFiles` says so of a path. Those of
 * others are not even decoded. Errors: as walkTree.
 */
export function* walkDirs(
  repo: Repo,
  { path, tree }: Pick<TreeDir, 'path' | 'tree'>,
  wantsFiles: (path: string) => boolean,
  above: readonly Checksum[] = [],
): Generator<WalkedDir> {
  if (above.includes(tree)) throw containsItself(repo, { path, tree });
  const { files, dirs } = wantsFiles(path) ? loadDirtree(repo, tree) : { files: [], dirs: loadSubdirs(repo, tree) };
  yield { path, files };
  const levels = [...above, tree];
  for (const dir of dirs) yield* walkDirs(repo, { path: joinTreePath(path, dir.name), tree: dir.tree }, wantsFiles, levels);
}

/** Error for a directory that is its own ancestor: only a dirtree that does not match its checksum can say so. */
function containsItself(repo: Repo, { path, tree }: Pick<TreeDir, 'path' | 'tree'>): HacktreeError {
  return new HacktreeError('object-corrupt', `Corrupted dirtree object ${tree}: directory ${path} contains itself`, {
    details: { path: objectPath(repo, tree, 'dirtree'), object: `${tree}.dirtree` },
  });
}
