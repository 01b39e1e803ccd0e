/**
 * What `ls` says of a node of a tree: type, owner, mode, size, target, xattrs, loaded from its dirmeta or file object.
 *
 * Source: ostree-format 4, 5.1; ostree-cli A.1 (`ls`).
 */
import { type InodeMeta, isSymlinkMode, printVariant, type Variant, type Xattrs, xattrsToValue } from '../../format/index.ts';
import { type LoadOptions, loadDirmeta, loadFile } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import type { TreeNode } from '../tree-walk.ts';

export interface TreeEntry {
  readonly type: 'directory' | 'file' | 'symlink';
  readonly uid: number;
  readonly gid: number;
  /** With the bits of the file type. */
  readonly mode: number;
  /** Content of a regular file; else 0. */
  readonly sizeBytes: number;
  /** Of a symlink. */
  readonly target: string | undefined;
  readonly xattrs: Xattrs;
}

/** Loads what a node's object says. `dirmetas` keeps those already loaded: a tree has few different ones. */
export function describeNode(
  repo: Repo,
  node: TreeNode,
  dirmetas?: Map<string, InodeMeta>,
  options: LoadOptions = {},
): TreeEntry {
  if (node.kind === 'dir') {
    const meta = dirmetas?.get(node.meta) ?? loadDirmeta(repo, node.meta);
    dirmetas?.set(node.meta, meta);
    return { type: 'directory', ...meta, sizeBytes: 0, target: undefined };
  }
  const { header, sizeBytes } = loadFile(repo, node.checksum, options);
  const { uid, gid, mode, xattrs } = header;
  const isLink = isSymlinkMode(mode);
  return { type: isLink ? 'symlink' : 'file', uid, gid, mode, sizeBytes, target: isLink ? header.target : undefined, xattrs };
}

/** Prints xattrs as `ls -X` and `show` do: `{ [(b'user.a', [byte 0x31])] }`. */
export function printXattrs(xattrs: Xattrs): string {
  const variant: Variant = { type: 'a(ayay)', value: xattrsToValue(xattrs) };
  return `{ ${printVariant(variant, true)} }`;
}
