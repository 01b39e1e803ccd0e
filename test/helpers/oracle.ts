/**
 * The real `ostree` as oracle, and a description of trees that tells any two that differ apart.
 *
 * A test file says `const withOstree = requireTool('ostree') ? it : it.skip` (helpers/run.ts) and then uses these.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { getXattr, listXattrNames } from '../../src/sys/index.ts';
import { run, runOk } from './run.ts';

/** Runs `ostree --repo=REPO ARGS`, which must succeed; returns its standard output without the last newline. */
export function ostree(repo: string, ...args: readonly string[]): string {
  return runOk('ostree', [`--repo=${repo}`, ...args]);
}

/** Makes a repository with ostree. Modes: bare, bare-user, bare-user-only, archive. */
export function initOstreeRepo(repo: string, mode = 'bare'): void {
  ostree(repo, 'init', `--mode=${mode}`);
}

/** Commits a directory with ostree, at a fixed time unless the arguments say otherwise; returns the checksum. */
export function ostreeCommit(repo: string, tree: string, ...args: readonly string[]): string {
  return ostree(repo, 'commit', '--branch=main', '--subject=test', '--timestamp=@1700000000', '--fsync=false', ...args, tree);
}

/** Checks a commit out with ostree. */
export function ostreeCheckout(repo: string, rev: string, dest: string, ...args: readonly string[]): void {
  ostree(repo, 'checkout', ...args, rev, dest);
}

/** Runs `ostree fsck`; returns its complaints, '' when the repository is sound. */
export function ostreeFsck(repo: string): string {
  const { status, stdout, stderr } = run('ostree', [`--repo=${repo}`, 'fsck', '--quiet', '--all']);
  return status === 0 ? '' : `${stdout}${stderr}`.trim() || `status ${status}`;
}

export interface TreeAspects {
  /** Modification times of files and directories; true unless said otherwise. */
  readonly times?: boolean;
  /** Link counts of what is not a directory; true unless said otherwise. */
  readonly linkCounts?: boolean;
  readonly owners?: boolean;
  readonly xattrs?: boolean;
}

/** Describes every entry of a tree: path, then type and mode, owner, times, link count, xattrs, content digest or target. */
export function describeTree(dir: string, aspects: TreeAspects = {}): Map<string, string> {
  const entries = new Map<string, string>([['.', describeEntry(dir, aspects)]]);
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(dir, folder)).sort()) {
      const path = join(folder, name);
      entries.set(path, describeEntry(join(dir, path), aspects));
      if (lstatSync(join(dir, path)).isDirectory()) walk(path);
    }
  };
  walk('');
  return entries;
}

/** Compares two trees; returns a line for each entry that differs, so that `toEqual([])` shows them. */
export function compareTrees(found: string, expected: string, aspects: TreeAspects = {}): string[] {
  const left = describeTree(found, aspects);
  const right = describeTree(expected, aspects);
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => `${path}: found ${left.get(path) ?? 'nothing'}, expected ${right.get(path) ?? 'nothing'}`);
}

function describeEntry(path: string, aspects: TreeAspects): string {
  const stat = lstatSync(path, { bigint: true });
  const parts = [`mode ${stat.mode.toString(8)}`];
  if (aspects.owners !== false) parts.push(`owner ${stat.uid}:${stat.gid}`);
  if (aspects.times !== false) parts.push(`mtime ${stat.mtimeNs}`);
  if (aspects.linkCounts !== false && !stat.isDirectory()) parts.push(`links ${stat.nlink}`);
  if (aspects.xattrs !== false) parts.push(...describeXattrs(path));
  if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(path)}`);
  if (stat.isFile()) parts.push(`size ${stat.size} sha256 ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
  return parts.join(', ');
}

function describeXattrs(path: string): string[] {
  const names = listXattrNames(path).map((name) => name.toString());
  return names.sort().map((name) => `${name}=${getXattr(path, name)?.toString('hex')}`);
}
