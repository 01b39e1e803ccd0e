/** Trees for tests of the merge: written from a description, read back as one. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { applyEtcMerge, defaultEtcPolicy, type EtcPlan, type EtcPolicy, planEtcMerge } from '../../src/etc/index.ts';
import { getXattr, listXattrNames, setXattr } from '../../src/sys/index.ts';

export interface FileEntry {
  readonly file: string | Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}
export interface LinkEntry {
  readonly link: string;
}
export interface DirEntry {
  readonly dir: TreeEntries;
  readonly mode?: number;
  readonly uid?: number;
}
export type Entry = FileEntry | LinkEntry | DirEntry;
export type TreeEntries = { readonly [name: string]: Entry | string };

/** Writes a tree into a directory that may exist. A string is a file's text. */
export function writeTree(dir: string, entries: TreeEntries): void {
  fs.mkdirSync(dir, { recursive: true });
  for (const [name, short] of Object.entries(entries)) {
    const entry = typeof short === 'string' ? { file: short } : short;
    const full = path.join(dir, name);
    if ('link' in entry) fs.symlinkSync(entry.link, full);
    else if ('dir' in entry) {
      writeTree(full, entry.dir);
      fs.chmodSync(full, entry.mode ?? 0o755);
      if (entry.uid !== undefined) fs.chownSync(full, entry.uid, 0);
    } else {
      fs.writeFileSync(full, entry.file);
      if (entry.uid !== undefined || entry.gid !== undefined) fs.chownSync(full, entry.uid ?? 0, entry.gid ?? 0);
      for (const [key, value] of Object.entries(entry.xattrs ?? {})) setXattr(full, key, Buffer.from(value));
      fs.chmodSync(full, entry.mode ?? 0o644);
    }
  }
}

/** Reads a tree as one line per path: type, owner, mode, xattrs, content. */
export function readTree(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (relative: string): void => {
    for (const name of fs.readdirSync(path.join(dir, relative)).sort()) {
      const at = relative === '' ? name : `${relative}/${name}`;
      found[at] = describe(path.join(dir, at));
      if (fs.lstatSync(path.join(dir, at)).isDirectory()) walk(at);
    }
  };
  walk('');
  return found;
}

function describe(full: string): string {
  const stat = fs.lstatSync(full);
  const owner = `${stat.uid}:${stat.gid}`;
  if (stat.isSymbolicLink()) return `link ${owner} ${fs.readlinkSync(full)}`;
  const names = listXattrNames(full).map(String).sort();
  const xattrs = names.map((name) => ` ${name}=${getXattr(full, name)?.toString()}`).join('');
  const head = `${owner} ${(stat.mode & 0o7777).toString(8)}${xattrs}`;
  return stat.isDirectory() ? `dir ${head}` : `file ${head} ${fs.readFileSync(full, 'latin1')}`;
}

export interface Sides {
  readonly base: TreeEntries;
  readonly user: TreeEntries;
  readonly next: TreeEntries;
}

export interface Merged {
  readonly plan: EtcPlan;
  /** The merged tree, as readTree gives it. */
  readonly tree: Record<string, string>;
  readonly warnings: readonly string[];
}

/** Makes a directory for one test, removed by the callback's end. */
export function inTemporaryDir<T>(run: (dir: string) => T): T {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hacktree-etc-'));
  try {
    return run(dir);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Copies a tree with everything it has, as deploy does before merging. */
export function copyTree(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const walk = (relative: string): void => {
    const [a, b] = [path.join(from, relative), path.join(to, relative)];
    const stat = fs.lstatSync(a);
    fs.lchownSync(b, stat.uid, stat.gid);
    if (stat.isSymbolicLink()) return;
    for (const name of listXattrNames(a).map(String)) setXattr(b, name, getXattr(a, name) ?? Buffer.alloc(0));
    fs.chmodSync(b, stat.mode & 0o7777);
    if (stat.isDirectory()) for (const name of fs.readdirSync(a)) walk(path.join(relative, name));
  };
  walk('');
}

/** Merges three directories into a new one. */
export function mergeDirs(
  dirs: readonly [string, string, string],
  target: string,
  policy: EtcPolicy = defaultEtcPolicy(),
): Merged {
  const [defaultsDir, userDir, newDefaultsDir] = dirs;
  const plan = planEtcMerge({ defaultsDir, userDir, newDefaultsDir, policy });
  copyTree(newDefaultsDir, target);
  const { warnings } = applyEtcMerge(plan, target);
  return { plan, tree: readTree(target), warnings };
}

/** Writes three trees and merges them. */
export function mergeTrees(sides: Sides, policy?: EtcPolicy): Merged {
  return inTemporaryDir((dir) => {
    const dirs = ['D', 'U', 'N'].map((name) => path.join(dir, name)) as [string, string, string];
    writeTree(dirs[0], sides.base);
    writeTree(dirs[1], sides.user);
    writeTree(dirs[2], sides.next);
    return mergeDirs(dirs, path.join(dir, 'R'), policy);
  });
}

/** Reads a description back the way readTree would after writing it. */
export function treeOf(entries: TreeEntries): Record<string, string> {
  return inTemporaryDir((dir) => {
    writeTree(path.join(dir, 'T'), entries);
    return readTree(path.join(dir, 'T'));
  });
}
