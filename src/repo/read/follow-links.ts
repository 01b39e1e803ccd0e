/** Finding a file in a commit as a program would that runs in it: symlinks are followed, `..` stays within the tree. */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import type { Commit } from '../../format/index.ts';
import { isSymlinkMode } from '../../format/index.ts';
import { loadCommit, loadFile } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { lookupBelow, rootOf, type TreeNode } from '../tree-walk.ts';

/** As many as the kernel follows. */
const MAX_LINKS = 40;

/** Finds a node, following symlinks. Errors: `path-not-found` (details.errno ENOENT, ENOTDIR, ELOOP), those of loadCommit. */
export function followPath(repo: Repo, commit: Checksum, path: string): TreeNode {
  const loaded: Commit = loadCommit(repo, commit);
  let todo = split(path);
  const trail: TreeNode[] = [rootOf(loaded)];
  for (let links = 0; ; ) {
    const name = todo.shift();
    const dir = trail.at(-1) as TreeNode;
    if (name === undefined) return dir;
    if (name === '..') {
      if (trail.length > 1) trail.pop();
      continue;
    }
    if (dir.kind !== 'dir')
      throw new HacktreeError('path-not-found', `Not a directory: ${dir.path}`, { details: { path, errno: 'ENOTDIR' } });
    const node = lookupBelow(repo, dir, name);
    const target = linkTarget(repo, node);
    if (target === undefined) trail.push(node);
    else if (++links > MAX_LINKS) {
      throw new HacktreeError('path-not-found', `Too many levels of symbolic links: ${path}`, {
        details: { path, errno: 'ELOOP' },
      });
    } else {
      if (target.startsWith('/')) trail.length = 1;
      todo = [...split(target), ...todo];
    }
  }
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function linkTarget(repo: Repo, node: TreeNode): string | undefined {
  if (node.kind === 'dir') return undefined;
  const { header } = loadFile(repo, node.checksum);
  return isSymlinkMode(header.mode) ? header.target : undefined;
}
