/**
 * An /etc as a git tree. What git cannot hold (owner, mode, extended attributes, empty directories, names that are no
 * UTF-8) stands in `.hacktree-meta` at its top, one line for each path that is not plainly root's:
 *
 *     file 0640 0:42 shadow
 *     dir 0700 0:0 ssl/private
 *       user.note=0x6869
 *     omitted 0644 0:0 core
 *
 * that is type, mode, owner, path; then its extended attributes, indented, in hex. A path with control characters or
 * bytes that are no UTF-8 is a JSON string, and `\xNN` in its git name stands for such a byte. Devices, sockets, very
 * large files, and git's own `.git` are omitted.
 */
import * as path from 'node:path';
import type { Attributes } from './attributes.ts';
import { readAttributes } from './attributes.ts';
import type { GitEntry, GitId, GitStore } from './git-store.ts';
import { type EtcNode, readContent, readNames, readNode, readTarget } from './tree.ts';

export const META_NAME = '.hacktree-meta';

const OMITTED_NAMES = new Set(['.git', META_NAME]);
const MAX_BLOB_BYTES = 64 << 20;

/** What a line of the meta file says about a path. */
export interface MetaEntry {
  readonly type: 'file' | 'dir' | 'link' | 'omitted';
  readonly attributes: Attributes;
}

/** Blobs of files already stored in this recording, by inode: old and new defaults share theirs. */
export type BlobCache = Map<string, GitId>;

/** Stores a directory as a tree. */
export function writeHistoryTree(store: GitStore, dir: string, cache: BlobCache): GitId {
  const lines: string[] = [];
  const top = readNode(dir);
  const entries = top === undefined ? [] : writeEntries(store, { node: top, path: '' }, { lines, cache });
  if (lines.length > 0) {
    const meta = store.writeBlob(Buffer.from(lines.map((line) => `${line}\n`).join('')));
    entries.push({ name: META_NAME, mode: '100644', id: meta });
  }
  return store.writeTree(entries);
}

interface Place {
  readonly node: EtcNode;
  /** Relative to the top; empty for the top. */
  readonly path: string;
}

function writeEntries(store: GitStore, dir: Place, out: { lines: string[]; cache: BlobCache }): GitEntry[] {
  const entries: GitEntry[] = [];
  for (const name of readNames(dir.node.path)) {
    if (OMITTED_NAMES.has(name)) continue;
    const node = readNode(path.join(dir.node.path, name));
    if (node === undefined) continue;
    const entry = writeEntry(store, { node, path: dir.path === '' ? name : `${dir.path}/${name}` }, out);
    if (entry !== undefined) entries.push({ name: gitName(name), ...entry });
  }
  return entries;
}

function writeEntry(
  store: GitStore,
  place: Place,
  out: { lines: string[]; cache: BlobCache },
): Omit<GitEntry, 'name'> | undefined {
  const { node } = place;
  const attributes = readAttributes(node);
  if (node.type === 'directory') {
    const at = out.lines.length;
    const entries = writeEntries(store, place, out);
    const isPlain = entries.length > 0 && isDefault(attributes, 0o755);
    if (!isPlain) out.lines.splice(at, 0, ...printMeta(place.path, { type: 'dir', attributes }));
    return entries.length === 0 ? undefined : { mode: '040000', id: store.writeTree(entries) };
  }
  if (node.type === 'symlink') {
    if (!isDefault(attributes, 0o777)) out.lines.push(...printMeta(place.path, { type: 'link', attributes }));
    return { mode: '120000', id: store.writeBlob(readTarget(node)) };
  }
  if (node.type === 'special' || node.stat.size > MAX_BLOB_BYTES) {
    out.lines.push(...printMeta(place.path, { type: 'omitted', attributes }));
    return undefined;
  }
  const isExecutable = (attributes.mode & 0o100) !== 0;
  if (!isDefault(attributes, isExecutable ? 0o755 : 0o644))
    out.lines.push(...printMeta(place.path, { type: 'file', attributes }));
  return { mode: isExecutable ? '100755' : '100644', id: writeFile(store, node, out.cache) };
}

function writeFile(store: GitStore, node: EtcNode, cache: BlobCache): GitId {
  const inode = `${node.stat.dev}:${node.stat.ino}`;
  const id = cache.get(inode) ?? store.writeBlob(readContent(node));
  cache.set(inode, id);
  return id;
}

function isDefault({ uid, gid, mode, xattrs }: Attributes, defaultMode: number): boolean {
  return uid === 0 && gid === 0 && mode === defaultMode && xattrs.size === 0;
}

function printMeta(relativePath: string, { type, attributes }: MetaEntry): string[] {
  const { uid, gid, mode, xattrs } = attributes;
  const head = `${type} ${mode.toString(8).padStart(4, '0')} ${uid}:${gid} ${printPath(relativePath)}`;
  return [head, ...Array.from(xattrs, ([name, value]) => `  ${name}=0x${value.toString('hex')}`)];
}

function printPath(relativePath: string): string {
  const isPlain = relativePath.isWellFormed() && !/[\p{Cc}"]/u.test(relativePath);
  return isPlain ? relativePath : JSON.stringify(relativePath);
}

/** Parses a meta file; lines that are not understood are passed over. */
export function parseMeta(text: string): Map<string, MetaEntry> {
  const entries = new Map<string, MetaEntry>();
  let xattrs = new Map<string, Buffer>();
  for (const line of text.split('\n')) {
    const xattr = /^ {2}([^=]+)=0x((?:[0-9a-f]{2})*)$/.exec(line);
    if (xattr !== null) xattrs.set(xattr[1] as string, Buffer.from(xattr[2] as string, 'hex'));
    const head = /^(file|dir|link|omitted) ([0-7]{4}) (\d+):(\d+) (.+)$/.exec(line);
    if (head === null) continue;
    xattrs = new Map();
    const [type, mode, uid, gid, printed] = head.slice(1) as [MetaEntry['type'], string, string, string, string];
    const relativePath: string = printed.startsWith('"') ? JSON.parse(printed) : printed;
    entries.set(relativePath, {
      type,
      attributes: { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode, 8), xattrs },
    });
  }
  return entries;
}

/** The attributes of a path that the meta file does not name. */
export function plainAttributes(mode: GitEntry['mode']): Attributes {
  const bits = { '100644': 0o644, '100755': 0o755, '120000': 0o777, '040000': 0o755 }[mode];
  return { uid: 0, gid: 0, mode: bits, xattrs: new Map() };
}

/** The name that git has for a path: bytes that are no UTF-8 are spelled `\xNN`. */
export function gitName(relativePath: string): string {
  if (relativePath.isWellFormed()) return relativePath;
  return Array.from(relativePath, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code >= 0xdc00 && code <= 0xdfff ? `\\x${(code & 0xff).toString(16)}` : char;
  }).join('');
}
