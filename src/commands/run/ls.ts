/** `ls`: lists paths of a commit. */
import { HacktreeError, isHacktreeError } from '../../core/index.ts';
import {
  describeNode,
  listTreeDir,
  lookupPath,
  openRepo,
  printXattrs,
  type Repo,
  resolveRev,
  type TreeEntry,
  type TreeNode,
  walkTree,
} from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { printMode } from '../format-text.ts';
import type { Input } from '../spec.ts';
import type { ls } from '../table/history.ts';

type LsInput = Input<typeof ls>;

export async function run(context: Context, input: LsInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const commit = resolveRev(repo, input.rev);
  const entries: object[] = [];
  const dirmetas: Parameters<typeof describeNode>[2] = new Map();
  const paths = input.paths.length === 0 ? ['/'] : input.paths;
  for (const path of paths) {
    for (const node of nodesBelow(repo, find(repo, commit, path), input)) {
      if (context.json) entries.push(entryData(node, describeNode(repo, node, dirmetas)));
      else if (input.nulFilenamesOnly) context.print(`${node.path}\0`);
      else context.line(entryLine(node, describeNode(repo, node, dirmetas, { xattrs: input.xattrs }), input));
    }
  }
  return { commit, entries };
}

function find(repo: Repo, commit: Parameters<typeof lookupPath>[1], path: string): TreeNode {
  try {
    return lookupPath(repo, commit, path);
  } catch (error) {
    if (!isHacktreeError(error) || error.code !== 'path-not-found') throw error;
    const why = error.details.errno === 'ENOTDIR' ? 'Not a directory' : error.message;
    throw new HacktreeError('path-not-found', `Inspecting path '${path}': ${why}`, { details: { ...error.details, path } });
  }
}

function nodesBelow(repo: Repo, node: TreeNode, input: LsInput): Iterable<TreeNode> {
  if (node.kind === 'file') return [node];
  if (input.recursive) return walkTree(repo, node);
  return input.dironly ? [node] : [node, ...listTreeDir(repo, node)];
}

const TYPE_LETTERS = { directory: 'd', file: '-', symlink: 'l' } as const;

function entryLine(node: TreeNode, entry: TreeEntry, input: LsInput): string {
  const parts = [
    `${TYPE_LETTERS[entry.type]}${(entry.mode & 0o7777).toString(8).padStart(5, '0')}`,
    `${entry.uid} ${entry.gid} ${String(entry.sizeBytes).padStart(6)}`,
  ];
  if (input.checksum) parts.push(node.kind === 'dir' ? `${node.tree} ${node.meta}` : node.checksum);
  if (input.xattrs) parts.push(printXattrs(entry.xattrs));
  parts.push(entry.target === undefined ? node.path : `${node.path} -> ${entry.target}`);
  return parts.join(' ');
}

function entryData(node: TreeNode, { type, mode, uid, gid, sizeBytes, target, xattrs }: TreeEntry): object {
  const checksums = node.kind === 'dir' ? { tree: node.tree, meta: node.meta } : { checksum: node.checksum };
  return {
    path: node.path,
    type,
    mode: printMode(mode),
    uid,
    gid,
    ...(type === 'file' ? { sizeBytes } : {}),
    ...(target === undefined ? {} : { target }),
    ...checksums,
    xattrs: xattrs.map(({ name, value }) => ({ name: name.toString('utf8'), value })),
  };
}
