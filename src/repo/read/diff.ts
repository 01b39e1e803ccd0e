/**
 * Differences between two trees, each a commit's or a directory of the host.
 *
 * A file differs when its object would (content, owner, mode, xattrs, target), a directory when its own metadata does.
 * Only the top of a removed directory is listed, but everything in an added one. Equal subtrees of commits are not read.
 *
 * Source: ostree-cli A.1 (`diff`); order and depth found by running ostree 2022.7.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, compareUtf8, wrapSystemError } from '../../core/index.ts';
import { loadCommit } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { joinTreePath, listTreeDir, rootOf, type TreeNode } from '../tree-walk.ts';
import { checksumPath, type LocalOptions } from './local-checksum.ts';

export type DiffSide =
  | { readonly kind: 'commit'; readonly commit: Checksum }
  | { readonly kind: 'directory'; readonly path: string; readonly options?: LocalOptions };

export interface TreeDiff {
  /** Paths from the root of the trees, in the order of a walk. */
  readonly modified: readonly string[];
  readonly deleted: readonly string[];
  readonly added: readonly string[];
}

/** A name in one of the trees, whatever kind of tree it is. */
interface Node {
  readonly name: string;
  readonly path: string;
  readonly isDir: boolean;
  /** Checksum that tells metadata, and content of a file, apart. */
  checksum(): string;
  /** Checksum of everything below a directory; undefined where only looking tells. */
  readonly tree: string | undefined;
  children(): Node[];
}

/** Compares two trees. Errors: those of loadCommit, loadDirtree and checksumPath. */
export function diffTrees(repo: Repo, from: DiffSide, to: DiffSide): TreeDiff {
  const diff = { modified: [] as string[], deleted: [] as string[], added: [] as string[] };
  compareDirs(rootNode(repo, from), rootNode(repo, to), diff);
  addAll(rootNode(repo, to), rootNode(repo, from), diff.added);
  return diff;
}

function compareDirs(from: Node, to: Node, diff: { modified: string[]; deleted: string[] }): void {
  if (from.tree !== undefined && from.tree === to.tree) return;
  const others = byName(to);
  for (const node of from.children()) {
    const other = others.get(node.name);
    if (other === undefined) diff.deleted.push(node.path);
    else {
      if (node.isDir !== other.isDir || node.checksum() !== other.checksum()) diff.modified.push(node.path);
      if (node.isDir && other.isDir) compareDirs(node, other, diff);
    }
  }
}

/** Lists what is in a directory and not in the old one; without an old one everything. */
function addAll(dir: Node, old: Node | undefined, added: string[]): void {
  if (old?.tree !== undefined && old.tree === dir.tree) return;
  const before = old === undefined ? undefined : byName(old);
  for (const node of dir.children()) {
    const other = before?.get(node.name);
    if (other === undefined) added.push(node.path);
    if (node.isDir && (other === undefined || other.isDir)) addAll(node, other, added);
  }
}

function byName(dir: Node): Map<string, Node> {
  return new Map(dir.children().map((node) => [node.name, node]));
}

function rootNode(repo: Repo, side: DiffSide): Node {
  if (side.kind === 'commit') return storedNode(repo, rootOf(loadCommit(repo, side.commit)));
  const ignoreXattrs = side.options?.ignoreXattrs === true || repo.config.disableXattrs || repo.mode === 'bare-user-only';
  return localNode({ ...side.options, ignoreXattrs, host: side.path }, { name: '', path: '/', isDir: true });
}

function storedNode(repo: Repo, node: TreeNode): Node {
  const isDir = node.kind === 'dir';
  return {
    name: node.name,
    path: node.path,
    isDir,
    checksum: () => (node.kind === 'dir' ? node.meta : node.checksum),
    tree: node.kind === 'dir' ? node.tree : undefined,
    children: () => (node.kind === 'dir' ? listTreeDir(repo, node).map((child) => storedNode(repo, child)) : []),
  };
}

interface Place extends LocalOptions {
  /** Directory of the host that is the root. */
  readonly host: string;
}

function localNode(place: Place, at: { name: string; path: string; isDir: boolean }): Node {
  const hostPath = join(place.host, at.path);
  return {
    ...at,
    checksum: () => checksumPath(hostPath, place),
    tree: undefined,
    children: () =>
      readEntries(hostPath).map(({ name, isDir }) => localNode(place, { name, path: joinTreePath(at.path, name), isDir })),
  };
}

/** Files by name, then directories by name: the order of a commit's tree. */
function readEntries(dir: string): { name: string; isDir: boolean }[] {
  try {
    return fs
      .readdirSync(dir, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, isDir: entry.isDirectory() }))
      .sort((a, b) => Number(a.isDir) - Number(b.isDir) || compareUtf8(a.name, b.name));
  } catch (error) {
    throw wrapSystemError(error, 'Reading directory', dir);
  }
}
