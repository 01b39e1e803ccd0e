/**
 * SELinux labels for what is committed: the policy says which label a path gets, and it replaces the one that the file has.
 *
 * Source: ostree-cli A.1 (`commit --selinux-policy`, `-P`); ostree-format 3.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isHacktreeError } from '../../core/index.ts';
import { sortXattrs, type Xattr, type Xattrs } from '../../format/index.ts';
import { readContent } from '../content.ts';
import { loadFile } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { loadSelinuxPolicy } from '../selinux.ts';
import { lookupBelow, type TreeDir, type TreeNode, walkTree } from '../tree-walk.ts';

/** Gives the label of a path in the tree; mode with file type bits. */
export type LabelFor = (path: string, mode: number) => string | undefined;

const NAME = Buffer.from('security.selinux');

/** Loads the policy of a root directory; undefined when none is asked for or it has none. Errors: `selinux-policy`. */
export function openLabels(policyRoot: string | undefined): LabelFor | undefined {
  const hasPolicy = (place: string): boolean => fs.existsSync(join(policyRoot ?? '', place, 'selinux/config'));
  if (policyRoot === undefined || (!hasPolicy('etc') && !hasPolicy('usr/etc'))) return undefined;
  const policy = loadSelinuxPolicy(policyRoot);
  return (path, mode) => policy.labelFor(path, mode);
}

/** Sets a label among xattrs; labels end in a NUL. */
export function withLabel(xattrs: Xattrs, label: string | undefined): Xattrs {
  if (label === undefined) return xattrs;
  const labelled: Xattr = { name: NAME, value: Buffer.from(`${label}\0`) };
  return sortXattrs([...xattrs.filter(({ name }) => !name.equals(NAME)), labelled]);
}

/** Writes the policy that a tree holds to a directory of its own, for openLabels. The caller removes it. */
export function extractPolicy(repo: Repo, root: TreeDir): string {
  const dir = fs.mkdtempSync(join(tmpdir(), 'hacktree-policy-'));
  for (const place of ['etc/selinux', 'usr/etc/selinux']) {
    const node = find(repo, root, place);
    if (node?.kind !== 'dir') continue;
    for (const entry of walkTree(repo, node)) {
      if (entry.kind !== 'file') continue;
      const file = loadFile(repo, entry.checksum);
      const target = join(dir, place, entry.path.slice(node.path.length));
      fs.mkdirSync(dirname(target), { recursive: true });
      if (file.header.target === '') fs.writeFileSync(target, readContent(file));
      else fs.symlinkSync(file.header.target, target);
    }
  }
  return dir;
}

function find(repo: Repo, root: TreeDir, path: string): TreeNode | undefined {
  try {
    return lookupBelow(repo, root, path);
  } catch (error) {
    if (isHacktreeError(error) && error.code === 'path-not-found') return undefined;
    throw error;
  }
}
