/**
 * Looks into a commit that is not checked out: its kernel, its os-release, and what a checkout of it will take.
 */
import { findKernel, type TreeKernel, type TreeReader } from '../bootloader/index.ts';
import { type Checksum, type ContentDigest, createSha256, HacktreeError, isHacktreeError, type Sha256 } from '../core/index.ts';
import { encodeFileHeader } from '../format/index.ts';
import {
  BLOCK_BYTES,
  type FileObject,
  listTreeDir,
  loadCommit,
  loadFile,
  lookupBelow,
  plainChunks,
  type Repo,
  readContent,
  rootOf,
  type TreeDir,
  type TreeNode,
  walkDirs,
  wholeBlocks,
} from '../repo/index.ts';

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

/** A kernel file of a commit. */
interface KernelFile {
  /** Object file that holds its bytes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: ContentDigest;
}

export interface CommitKernel extends TreeKernel {
  /** SHA-256 of the kernel's bytes followed by those of the initial RAM disk. Source: ostree-cli B.6. */
  readonly bootChecksum: Checksum;
  readonly kernelFile: KernelFile;
  readonly initrdFile: KernelFile;
}

/** Hashes a kernel file, into `boot` too. What is about to be booted must be what was committed. Errors: `object-corrupt`. */
function hashKernelFile(object: FileObject, checksum: Checksum, path: string, boot: Sha256): KernelFile {
  const digest = createSha256();
  const whole = createSha256().update(encodeFileHeader(object.header));
  for (const chunk of plainChunks(object.path)) for (const hash of [digest, whole, boot]) hash.update(chunk);
  const actual = whole.digest().toString('hex');
  if (actual !== checksum) {
    throw new HacktreeError('object-corrupt', `Corrupted file object ${checksum}, which is ${path}`, {
      details: { path: object.path, expected: checksum, found: actual },
      hints: ['see what else is damaged, and mend it, with: hacktree fsck'],
    });
  }
  return { path: object.path, sizeBytes: object.sizeBytes, digest: digest.digest().toString('hex') as ContentDigest };
}

/** Finds the kernel of a commit. Errors: `kernel-missing`, `object-missing`, `object-corrupt`. */
export function findCommitKernel(repo: Repo, commit: Checksum): CommitKernel {
  const root = rootOf(loadCommit(repo, commit));
  const kernel = findKernel(commitReader(repo, commit, root));
  const boot = createSha256();
  const file = (path: string): KernelFile => {
    const node = findNode(repo, root, path);
    if (node?.kind !== 'file') throw new Error(`no file ${path}`);
    return hashKernelFile(loadFile(repo, node.checksum), node.checksum, path, boot);
  };
  const [kernelFile, initrdFile] = [file(kernel.kernel), file(kernel.initrd)];
  return { ...kernel, kernelFile, initrdFile, bootChecksum: boot.digest().toString('hex') as Checksum };
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
export interface TreeNeeds {
  /** New inodes: directories, symlinks that cannot be linked, copied files. */
  readonly inodes: number;
  readonly bytes: number;
  readonly files: number;
}

/** Counts exactly what deploying a commit writes to the root file system, kernel files aside. `withVar`: /var is filled. */
export function measureTree(repo: Repo, commit: Checksum, withVar: boolean): TreeNeeds {
  const needs = { inodes: 0, bytes: 0, files: 0 };
  const copied = withVar ? /^\/((usr\/)?etc|var)(\/|$)/ : /^\/(usr\/)?etc(\/|$)/;
  for (const { path, files } of walkDirs(repo, rootOf(loadCommit(repo, commit)))) {
    const copies = copied.test(path) ? 1 : 0;
    needs.inodes += 1 + copies;
    needs.bytes += (1 + copies) * BLOCK_BYTES;
    needs.files += files.length;
    for (const { checksum } of copies > 0 ? files : []) {
      needs.inodes++;
      needs.bytes += wholeBlocks(loadFile(repo, checksum).sizeBytes);
    }
  }
  return needs;
}
