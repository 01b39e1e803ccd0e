/**
 * Refs: text files of 64 hex digits and a newline below refs/, aliases as relative symlinks in refs/heads.
 *
 * A write is atomic and durable; each change of refs also touches the repository directory, which watchers look at
 * (touchRepo; a transaction does it once for all its refs).
 *
 * Source: ostree-format 7.
 */
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import {
  type Checksum,
  checkRefName,
  checkRemoteName,
  compareUtf8,
  errnoOf,
  HacktreeError,
  isChecksum,
  isRefName,
  printRefspec,
} from '../core/index.ts';
import { ensureDir, syncDir, writeFileDurable } from '../sys/index.ts';
import { refsDir } from './layout.ts';
import type { Repo } from './repo.ts';

/** Which ref: a local head, one of a remote, or a mirrored one of another collection. */
export interface RefTarget {
  readonly ref: string;
  readonly remote?: string | undefined;
  /** Collection ID; the repository's own means a local head. */
  readonly collection?: string | undefined;
}

export interface RefEntry extends RefTarget {
  readonly checksum: Checksum;
  /** For an alias: the head it stands for. */
  readonly aliasOf: string | undefined;
}

/** A ref as messages name it: `[REMOTE:]REF`, or `(COLLECTION, REF)`. */
export function printRef({ ref, remote, collection }: RefTarget): string {
  return collection === undefined ? printRefspec({ remote, ref }) : `(${collection}, ${ref})`;
}

/** Directory below refs/ that a ref is kept in. */
function namespaceOf(repo: Repo, { remote, collection }: RefTarget): string {
  if (remote !== undefined) {
    checkRemoteName(remote);
    return join(refsDir(repo.path), 'remotes', remote);
  }
  if (collection !== undefined && collection !== repo.config.collectionId) return join(refsDir(repo.path), 'mirrors', collection);
  return join(refsDir(repo.path), 'heads');
}

/** Absolute path of a ref's file. Errors: `ref-invalid`. */
export function refPath(repo: Repo, target: RefTarget): string {
  checkRefName(target.ref);
  return join(namespaceOf(repo, target), target.ref);
}

/** Reads a ref; undefined when it does not exist. Errors: `ref-invalid`, `object-corrupt` when the file holds something else. */
export function readRef(repo: Repo, target: RefTarget): Checksum | undefined {
  return readRefFile(refPath(repo, target));
}

function readRefFile(path: string): Checksum | undefined {
  let text: string;
  try {
    text = fs.readFileSync(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
  const checksum = text.trimEnd();
  if (isChecksum(checksum)) return checksum;
  throw new HacktreeError('object-corrupt', `Ref file ${path} does not hold a checksum`, {
    details: { path, expected: '64 hex characters', found: text.slice(0, 80) },
  });
}

/** Writes a ref. Errors: `ref-invalid`, `ref-conflict` when a name in its path is a ref already, or it is a directory. */
export function writeRef(repo: Repo, target: RefTarget, checksum: Checksum, options: { sync?: boolean } = {}): void {
  const path = refPath(repo, target);
  const base = namespaceOf(repo, target);
  try {
    ensureDir(dirname(path));
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() && !removeEmptyDirs(path)) throw conflict(target.ref, path);
    writeFileDurable(path, Buffer.from(`${checksum}\n`, 'latin1'), {
      sync: options.sync ?? true,
      mode: 0o644 & ~process.umask(),
    });
    if (options.sync !== false) for (let dir = dirname(path); dir.length > base.length; dir = dirname(dir)) syncDir(dirname(dir));
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes(errnoOf(error) ?? '')) throw conflict(target.ref, base);
    throw error;
  }
}

function conflict(ref: string, where: string): HacktreeError {
  return new HacktreeError('ref-conflict', `Conflict: ${ref} exists under ${where} when attempting write`, {
    details: { path: where, found: ref },
    hints: ['a ref cannot be both a name and a directory of other refs'],
  });
}

/** Removes a directory of empty directories; false when it holds anything. */
function removeEmptyDirs(dir: string): boolean {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (!entry.isDirectory() || !removeEmptyDirs(join(dir, entry.name))) return false;
  }
  fs.rmdirSync(dir);
  return true;
}

/** Removes a ref durably; returns whether it was there. */
export function removeRef(repo: Repo, target: RefTarget): boolean {
  const path = refPath(repo, target);
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
  syncDir(dirname(path));
  return true;
}

/** Makes a local head stand for another. Errors: `ref-invalid`, `ref-not-found`, `ref-conflict`. */
export function writeAlias(repo: Repo, alias: string, head: string): void {
  const path = refPath(repo, { ref: alias });
  const target = refPath(repo, { ref: head });
  if (readRefFile(target) === undefined)
    throw new HacktreeError('ref-not-found', `Cannot create alias to non-existent ref: ${head}`);
  ensureDir(dirname(path));
  const temporary = join(dirname(path), `.alias-${process.pid}`);
  fs.rmSync(temporary, { force: true });
  fs.symlinkSync(relative(dirname(path), target), temporary);
  fs.renameSync(temporary, path);
  syncDir(dirname(path));
}

/** Is told of a ref whose file does not hold a checksum; without it such a ref is an error. */
export type OnBrokenRef = (target: RefTarget, error: unknown) => void;

/** Lists all refs of one namespace, sorted; aliases are marked. */
function listNamespace(repo: Repo, dir: string, base: Omit<RefTarget, 'ref'>, onBroken?: OnBrokenRef): RefEntry[] {
  const entries: RefEntry[] = [];
  const walk = (prefix: string): void => {
    for (const entry of readDirOrNothing(join(dir, prefix))) {
      const ref = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (!isRefName(entry.name)) continue;
      if (entry.isDirectory()) walk(ref);
      else addRef(ref, entry.isSymbolicLink());
    }
  };
  const addRef = (ref: string, isLink: boolean): void => {
    const path = join(dir, ref);
    let checksum: Checksum | undefined;
    try {
      checksum = readRefFile(path);
    } catch (error) {
      if (onBroken === undefined) throw error;
      onBroken({ ...base, ref }, error);
    }
    if (checksum === undefined) return;
    const aliasOf = isLink ? relative(join(refsDir(repo.path), 'heads'), join(dirname(path), fs.readlinkSync(path))) : undefined;
    entries.push({ ...base, ref, checksum, aliasOf });
  };
  walk('');
  return entries.sort((a, b) => compareUtf8(a.ref, b.ref));
}

function readDirOrNothing(dir: string): fs.Dirent[] {
  try {
    return fs.readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** Lists local heads, sorted by name. */
export function listHeads(repo: Repo, onBroken?: OnBrokenRef): RefEntry[] {
  return listNamespace(repo, join(refsDir(repo.path), 'heads'), {}, onBroken);
}

/** Lists refs of all remotes, or of one. */
export function listRemoteRefs(repo: Repo, remote?: string, onBroken?: OnBrokenRef): RefEntry[] {
  const base = join(refsDir(repo.path), 'remotes');
  const remotes =
    remote === undefined
      ? readDirOrNothing(base)
          .map((entry) => entry.name)
          .sort(compareUtf8)
      : [remote];
  return remotes.flatMap((name) => listNamespace(repo, join(base, name), { remote: name }, onBroken));
}

/** Lists mirrored refs of other collections. */
export function listMirrorRefs(repo: Repo, onBroken?: OnBrokenRef): RefEntry[] {
  const base = join(refsDir(repo.path), 'mirrors');
  const collections = readDirOrNothing(base)
    .map((entry) => entry.name)
    .sort(compareUtf8);
  return collections.flatMap((collection) => listNamespace(repo, join(base, collection), { collection }, onBroken));
}

/** Lists every ref of the repository: heads (aliases too), remotes, mirrors. */
export function listAllRefs(repo: Repo, onBroken?: OnBrokenRef): RefEntry[] {
  return [...listHeads(repo, onBroken), ...listRemoteRefs(repo, undefined, onBroken), ...listMirrorRefs(repo, onBroken)];
}
