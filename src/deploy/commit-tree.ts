/**
 * Looks into a commit that is not checked out: its kernel, its os-release, and what a checkout of it will take.
 */
import { findKernel, type TreeKernel, type TreeReader } from '../bootloader/index.ts';
import { type Checksum, HacktreeError, isHacktreeError } from '../core/index.ts';
import {
  BLOCK_BYTES,
  listTreeDir,
  loadCommit,
  loadFile,
  lookupBelow,
  type Repo,
  readContent,
  rootOf,
  type TreeDir,
  type TreeNode,
  walkDirs,
  wholeBlocks,
} from '../repo/index.ts';
import type { KernelObject, KernelPair } from './hash-kernel.ts';

/** Finds a path in a tree, following symlinks inside of it; undefined when there is nothing. */
function findNode(repo: Repo, root: TreeDir, path: string, depth = 0): TreeNode | undefined {
  if (depth > 20) return undefined;
  let at: TreeNode = root;
  const parts = path.split('/').filter((part) => part !== '');
  for (const [i, part] of parts.entries()) {
    if (at.kind !== 'dir') return undefined;
    const next = childOf(repo, at, part);
    if (next === undefined) return undefined;
    if (next.kind === 'file') {
      const { target } = loadFile(repo, next.checksum).header;
      if (target !== '') {
        const base = target.startsWith('/') ? '' : at.path;
        return findNode(repo, root, normalize(`${base}/${target}/${parts.slice(i + 1).join('/')}`), depth + 1);
      }
    }
    at = next;
  }
  return at;
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function childOf(repo: Repo, dir: TreeDir, name: string): TreeNode | undefined {
  try {
    return lookupBelow(repo, dir, name);
  } catch (error) {
    if (isHacktreeError(error) && error.code === 'path-not-found') return undefined;
    throw error;
  }
}

function commitReader(repo: Repo, commit: Checksum, root: TreeDir): TreeReader {
  return {
    name: `commit ${commit}`,
    list(dir) {
      const node = findNode(repo, root, dir);
      return node?.kind === 'dir' ? listTreeDir(repo, node).map(({ name }) => name) : [];
    },
    isFile(path) {
      const node = findNode(repo, root, path);
      return node?.kind === 'file' && loadFile(repo, node.checksum).header.target === '';
    },
  };
}

export interface LocatedKernel extends TreeKernel {
  /** Objects of kernel and initial RAM disk. */
  readonly files: KernelPair<KernelObject>;
}

/** Finds the kernel of a commit. Errors: `kernel-missing`, `object-missing`, `object-corrupt`. */
export function locateKernel(repo: Repo, commit: Checksum): LocatedKernel {
  const root = rootOf(loadCommit(repo, commit));
  const kernel = findKernel(commitReader(repo, commit, root));
  const object = (name: string): KernelObject => {
    const node = findNode(repo, root, name);
    if (node?.kind !== 'file') throw new Error(`no file ${name}`);
    const { path, header, sizeBytes } = loadFile(repo, node.checksum);
    return { name, checksum: node.checksum, path, header, sizeBytes };
  };
  return { ...kernel, files: [object(kernel.kernel), object(kernel.initrd)] };
}

/** Tells whether an absolute path exists in a commit's tree, symlinks followed within it. */
export function commitHas(repo: Repo, commit: Checksum, path: string): boolean {
  return findNode(repo, rootOf(loadCommit(repo, commit)), path) !== undefined;
}

/** Where a commit has its defaults of /etc; undefined when it has none. Errors: `tree-invalid` when it has two. */
export function commitEtc(repo: Repo, commit: Checksum): string | undefined {
  const root = rootOf(loadCommit(repo, commit));
  const found = ['/usr/etc', '/etc'].filter((path) => {
    const node = lookUp(repo, root, path);
    return node?.kind === 'dir' && listTreeDir(repo, node).length > 0;
  });
  if (found.length === 2) throw bothEtcs();
  return found[0];
}

/** Finds a path without following symlinks. */
function lookUp(repo: Repo, root: TreeDir, path: string): TreeNode | undefined {
  let at: TreeNode | undefined = root;
  for (const part of path.split('/').filter((name) => name !== '')) at = at?.kind === 'dir' ? childOf(repo, at, part) : undefined;
  return at;
}

/** The error for a tree of which nobody can say what its /etc is. */
export function bothEtcs(): HacktreeError {
  return new HacktreeError('tree-invalid', 'Tree contains both /etc and /usr/etc', {
    details: { expected: 'one of them', found: 'both' },
  });
}

/** PRETTY_NAME of the tree's os-release, else NAME, else undefined. */
export function prettyName(repo: Repo, commit: Checksum): string | undefined {
  const root = rootOf(loadCommit(repo, commit));
  for (const path of ['usr/lib/os-release', 'etc/os-release', 'usr/etc/os-release']) {
    const node = findNode(repo, root, path);
    if (node?.kind !== 'file') continue;
    const text = readContent(loadFile(repo, node.checksum)).toString('utf8');
    const name = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1] ?? /^NAME=(.*)$/m.exec(text)?.[1];
    if (name !== undefined) return name.replace(/^["']|["']$/g, '');
  }
  return undefined;
}

/** Kernel arguments that the tree brings: lines of `usr/lib/hacktree/kargs.d/*.conf`, files in order of name. */
export function treeKargs(repo: Repo, commit: Checksum): string[] {
  const root = rootOf(loadCommit(repo, commit));
  const dir = findNode(repo, root, 'usr/lib/hacktree/kargs.d');
  if (dir?.kind !== 'dir') return [];
  return listTreeDir(repo, dir).flatMap((node) => {
    if (node.kind !== 'file' || !node.name.endsWith('.conf')) return [];
    const text = readContent(loadFile(repo, node.checksum)).toString('utf8');
    return text
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => line !== '');
  });
}

/** What a checkout by hard links and the copies that a deployment makes take. */
export interface TreeNeeds extends Use {
  /** Besides, where /var is filled. */
  readonly ofVar: Use;
}

interface Use {
  /** New inodes: directories, symlinks that cannot be linked, copied files. */
  inodes: number;
  bytes: number;
}

const COPIED = /^\/(usr\/)?etc(\/|$)/;
const VAR = /^\/var(\/|$)/;

/** Counts exactly what deploying a commit writes to the root file system, kernel files aside. */
export function measureTree(repo: Repo, commit: Checksum): TreeNeeds {
  const needs = { inodes: 0, bytes: 0, ofVar: { inodes: 0, bytes: 0 } };
  const copiesOf = (path: string): Use | undefined => (COPIED.test(path) ? needs : VAR.test(path) ? needs.ofVar : undefined);
  const isCopied = (path: string): boolean => copiesOf(path) !== undefined;
  for (const { path, files } of walkDirs(repo, rootOf(loadCommit(repo, commit)), isCopied)) {
    needs.inodes++;
    needs.bytes += BLOCK_BYTES;
    const copies = copiesOf(path);
    if (copies === undefined) continue;
    copies.inodes += 1 + files.length;
    copies.bytes += BLOCK_BYTES;
    for (const { checksum } of files) copies.bytes += wholeBlocks(loadFile(repo, checksum, { xattrs: false }).sizeBytes);
  }
  return needs;
}
