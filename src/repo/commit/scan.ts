/**
 * Scans a directory of the host into a tree of objects.
 *
 * This thread walks: it lists directories, compares stats with the stat cache, and puts finished directories together
 * from the leaves up; files it does not know go in batches to a BatchRunner. A directory is dropped from memory as
 * soon as it is complete. Nothing is left out in silence: devices, FIFOs, sockets and names that are not UTF-8 are
 * errors (or, with skipSpecial, listed).
 */
import * as fs from 'node:fs';
import { type Checksum, compareUtf8, errnoOf, HacktreeError, type ReportProgress, wrapSystemError } from '../../core/index.ts';
import type { DirEntry, FileEntry, InodeMeta } from '../../format/index.ts';
import { NO_XATTRS, S_IFDIR, S_IFMT } from '../../format/index.ts';
import { hasMountsBelow, statNumbers } from '../../sys/index.ts';
import { hasObject } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { joinTreePath } from '../tree-walk.ts';
import { readXattrs } from '../xattrs.ts';
import type { BatchRunner } from './batch-runner.ts';
import { type BatchItem, type BatchResult, FLAG_HAS_DIGEST, FLAG_NEW, HASH_BYTES, notCommittable } from './commit-worker.ts';
import type { LabelFor } from './labels.ts';
import type { LinkIndex } from './link-index.ts';
import { inodesOf, listDirectory } from './list-directory.ts';
import { type ModeOverride, type Modifiers, modifyInode } from './modifiers.ts';
import type { CachedDir, StatCache, StatCacheWriter } from './stat-cache.ts';
import { hasStatFields, STAT_FIELDS, sameStatFields, writeStatFields } from './stat-fields.ts';
import type { LayerReport, TreeRef, TreeSink } from './tree-sink.ts';

const BATCH_FILES = 64;

export interface ScanOptions {
  readonly repo: Repo;
  readonly sink: TreeSink;
  readonly runner: BatchRunner;
  readonly modifiers: Modifiers;
  readonly wantsXattrs: boolean;
  readonly labelFor?: LabelFor | undefined;
  readonly skipSpecial: boolean;
  readonly cache?: { readonly old: StatCache | undefined; readonly isTrusted: boolean; readonly next: StatCacheWriter };
  /** Finds objects by the inode of a hard link. */
  readonly links?: LinkIndex | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
  /** Receives content digest and checksum (64 bytes) of each new content object. */
  readonly onNewContent: (row: Uint8Array) => void;
}

interface Node {
  readonly parent: Node | undefined;
  readonly name: string;
  /** Path on the host. */
  readonly path: string;
  /** Path in the tree, `/` for the root. */
  readonly treePath: string;
  readonly stat: Float64Array;
  readonly meta: Checksum;
  readonly cached: CachedDir | undefined;
  fileNames: string[];
  /** Inodes of the files, where the listing gave them. */
  inodes: number[] | undefined;
  fileStats: Float64Array;
  checksums: Checksum[];
  readonly dirs: DirEntry[];
  waiting: number;
  unchanged: boolean;
}

/** Scans a directory tree. Errors: `special-file`, `name-invalid`, `permission`, `path-not-found`, `no-space`, `io`, `interrupted`. */
export async function scanDirectory(root: string, options: ScanOptions): Promise<LayerReport> {
  return new Scanner(options).scan(root);
}

class Scanner {
  readonly #o: ScanOptions;
  readonly #matched = new Set<string>();
  readonly #specials: string[] = [];
  #batch: { node: Node; index: number }[] = [];
  readonly #results: Promise<void>[] = [];
  #failure: unknown;
  #root: TreeRef | undefined;
  /** A file that is mounted on another shows the other's inode in the listing. */
  #listsInodes = false;
  #files = 0;
  #done = 0;
  #written = 0;
  #bytes = 0;
  #hits = 0;

  constructor(options: ScanOptions) {
    this.#o = options;
  }

  async scan(root: string): Promise<LayerReport> {
    const stat = this.#statDir(root);
    this.#listsInodes = this.#o.links !== undefined && !hasMountsBelow(fs.realpathSync(root));
    await this.#visit(undefined, '', root, '/', stat);
    this.#flush();
    this.#o.runner.drain();
    await Promise.all(this.#results);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#root === undefined) throw new HacktreeError('internal', 'The scan ended without a root');
    return {
      ...this.#root,
      total: this.#files,
      filesWritten: this.#written,
      bytesWritten: this.#bytes,
      cacheHits: this.#hits,
      skippedSpecials: this.#specials,
      matched: this.#matched,
    };
  }

  #statDir(path: string): fs.Stats {
    try {
      const stat = fs.statSync(path);
      if (!stat.isDirectory()) throw Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' });
      return stat;
    } catch (error) {
      if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ENOENT') {
        const words = errnoOf(error) === 'ENOENT' ? 'No such file or directory' : 'Not a directory';
        throw new HacktreeError('path-not-found', `opendir(${path}): ${words}`, { details: { path, expected: 'a directory' } });
      }
      throw wrapSystemError(error, 'Reading directory', path);
    }
  }

  async #visit(parent: Node | undefined, name: string, path: string, treePath: string, stat: fs.Stats): Promise<void> {
    this.#o.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const node = this.#openNode(parent, name, path, treePath, stat);
    const isListed = node.cached !== undefined && this.#o.modifiers.skip.size === 0 && hasStatFields(node.cached.stat, 0, stat);
    const known = isListed ? node.cached : undefined;
    const { files, dirs } = known === undefined ? this.#list(node) : { files: [...known.fileNames], dirs: known.dirNames };
    if (known === undefined) node.unchanged = false;
    node.fileNames = files;
    node.fileStats = new Float64Array(files.length * STAT_FIELDS);
    node.checksums = new Array<Checksum>(files.length);
    node.waiting = 1 + dirs.length;
    this.#takeFiles(node);
    for (const dir of dirs) {
      const dirPath = `${path}/${dir}`;
      const dirStat = this.#lstat(dirPath);
      if ((dirStat.mode & S_IFMT) !== S_IFDIR) throw changed(dirPath);
      const childTreePath = treePath === '/' ? `/${dir}` : `${treePath}/${dir}`;
      await this.#visit(node, dir, dirPath, childTreePath, dirStat);
    }
    this.#release(node);
    if (this.#o.runner.isFull) await this.#o.runner.room();
  }

  #openNode(parent: Node | undefined, name: string, path: string, treePath: string, stat: fs.Stats): Node {
    const fields = new Float64Array(STAT_FIELDS);
    writeStatFields(fields, 0, stat);
    const { old, isTrusted } = this.#o.cache ?? { old: undefined, isTrusted: false };
    const cached = old?.dir(treePath);
    const metaKnown = cached !== undefined && isTrusted && hasStatFields(cached.stat, 0, stat);
    const meta = metaKnown ? cached.meta : this.#o.sink.addDirmeta(this.#dirMeta(path, treePath, stat));
    if (metaKnown) this.#overrideFor(treePath);
    const unchanged = isTrusted && cached?.meta === meta;
    return {
      parent,
      name,
      path,
      treePath,
      stat: fields,
      meta,
      cached,
      fileNames: [],
      inodes: undefined,
      fileStats: fields,
      checksums: [],
      dirs: [],
      waiting: 1,
      unchanged,
    };
  }

  #dirMeta(path: string, treePath: string, stat: fs.Stats): InodeMeta {
    const { uid, gid, mode } = stat;
    const xattrs = this.#o.wantsXattrs ? readXattrs(path) : NO_XATTRS;
    return modifyInode({ uid, gid, mode, xattrs }, this.#o.modifiers, {
      override: this.#overrideFor(treePath),
      label: this.#o.labelFor?.(treePath, mode),
    });
  }

  #overrideFor(treePath: string): ModeOverride | undefined {
    const { overrides } = this.#o.modifiers;
    const override = overrides.size === 0 ? undefined : overrides.get(treePath);
    if (override !== undefined) this.#matched.add(treePath);
    return override;
  }

  /** Lists a directory: names of files and symlinks, and of directories, sorted as dirtrees are. */
  #list(node: Node): { files: string[]; dirs: string[] } {
    const files: string[] = [];
    const dirs: string[] = [];
    const entries = listDirectory(node.path, this.#listsInodes);
    for (const { name, kind } of entries) {
      const treePath = node.treePath === '/' ? `/${name}` : `${node.treePath}/${name}`;
      if (this.#o.modifiers.skip.size > 0 && this.#o.modifiers.skip.has(treePath)) this.#matched.add(treePath);
      else if (kind === 'file' || kind === 'symlink') files.push(name);
      else if (kind === 'dir') dirs.push(name);
      else if (this.#o.skipSpecial) this.#specials.push(treePath);
      else throw notCommittable(`${node.path}/${name}`);
    }
    files.sort(compareUtf8);
    if (this.#listsInodes) node.inodes = inodesOf(files, entries);
    return { files, dirs: dirs.sort(compareUtf8) };
  }

  #takeFiles(node: Node): void {
    const { cached, fileNames } = node;
    const names = cached?.fileNames;
    const places =
      names !== undefined && names.length === fileNames.length && names.every((name, i) => name === fileNames[i])
        ? undefined
        : names;
    const lookup = places === undefined ? undefined : new Map(places.map((name, i) => [name, i]));
    this.#files += fileNames.length;
    fileNames.forEach((name, index) => {
      const place = cached === undefined ? undefined : lookup === undefined ? index : lookup.get(name);
      if (this.#takeCached(node, index, name, place) || this.#takeLinked(node, index, name)) return;
      node.unchanged = false;
      node.waiting++;
      this.#batch.push({ node, index });
      if (this.#batch.length >= BATCH_FILES) this.#flush();
    });
  }

  #takeCached(node: Node, index: number, name: string, place: number | undefined): boolean {
    if (node.cached === undefined || place === undefined) return false;
    this.#readStat(`${node.path}/${name}`, node.fileStats, index);
    if (!sameStatFields(node.cached.fileStats, place, node.fileStats, index)) return false;
    const checksum = node.cached.checksum(place);
    if (this.#o.cache?.isTrusted !== true && !hasObject(this.#o.repo, checksum, 'file')) return false;
    if (this.#o.modifiers.overrides.size > 0) this.#overrideFor(joinTreePath(node.treePath, name));
    node.checksums[index] = checksum;
    this.#hits++;
    this.#done++;
    return true;
  }

  #takeLinked(node: Node, index: number, name: string): boolean {
    if (this.#o.links === undefined) return false;
    const listed = node.inodes?.[index];
    const stat = listed === undefined ? this.#lstat(`${node.path}/${name}`) : { dev: node.stat[0] ?? -1, ino: listed };
    const checksum = this.#o.links.find(stat.dev, stat.ino);
    if (checksum === undefined) return false;
    node.checksums[index] = checksum;
    node.unchanged = false;
    this.#hits++;
    this.#done++;
    return true;
  }

  #readStat(path: string, into: Float64Array, index: number): void {
    try {
      if (!statNumbers(path, into, index)) throw changed(path);
    } catch (error) {
      throw wrapSystemError(error, 'Reading', path);
    }
  }

  #lstat(path: string): fs.Stats {
    try {
      return fs.lstatSync(path);
    } catch (error) {
      throw wrapSystemError(error, 'Reading', path);
    }
  }

  /** Sends the waiting files; their results complete directories, which complete their parents. */
  #flush(): void {
    const files = this.#batch;
    this.#batch = [];
    if (files.length === 0) return;
    const items: BatchItem[] = [];
    let start = 0;
    while (start < files.length) {
      const node = (files[start] as { node: Node }).node;
      let end = start;
      while (files[end]?.node === node) end++;
      items.push(
        this.#item(
          node,
          files.slice(start, end).map(({ index }) => node.fileNames[index] ?? ''),
        ),
      );
      start = end;
    }
    const result = this.#o.runner.submit(items, this.#weight(files)).then(
      (answer) => this.#receive(files, answer),
      (error) => {
        this.#failure ??= error;
      },
    );
    this.#results.push(result);
    if (this.#results.length > 256)
      this.#results.splice(
        0,
        128,
        Promise.all(this.#results.slice(0, 128)).then(() => undefined),
      );
  }

  /** Of a tree of links mostly the empty files are left, thousands of them; they are done before a thread has started. */
  #weight(files: readonly { node: Node; index: number }[]): number {
    if (this.#o.links === undefined) return files.length;
    const size = ({ node, index }: { node: Node; index: number }): number =>
      this.#lstat(`${node.path}/${node.fileNames[index]}`).size;
    return files.reduce((weight, file) => weight + (size(file) > 0 ? 1 : 0), 0);
  }

  #item(node: Node, names: string[]): BatchItem {
    if (this.#o.modifiers.overrides.size === 0) return { dir: node.path, names, treeDir: node.treePath };
    const overrides: Record<string, ModeOverride> = {};
    for (const name of names) {
      const override = this.#overrideFor(joinTreePath(node.treePath, name));
      if (override !== undefined) overrides[name] = override;
    }
    return { dir: node.path, names, treeDir: node.treePath, overrides };
  }

  #receive(files: readonly { node: Node; index: number }[], answer: BatchResult): void {
    const hashes = Buffer.from(answer.hashes.buffer, answer.hashes.byteOffset, answer.hashes.byteLength);
    files.forEach(({ node, index }, i) => {
      const row = hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      node.checksums[index] = row.toString('hex', 32, 64) as Checksum;
      node.fileStats.set(answer.stats.subarray(i * STAT_FIELDS, (i + 1) * STAT_FIELDS), index * STAT_FIELDS);
      const flags = answer.flags[i] ?? 0;
      if ((flags & FLAG_NEW) !== 0) {
        this.#written++;
        this.#bytes += answer.stats[i * STAT_FIELDS + 2] ?? 0;
        if ((flags & FLAG_HAS_DIGEST) !== 0) this.#o.onNewContent(row);
      }
      this.#release(node);
    });
    this.#done += files.length;
    this.#o.onProgress?.({ phase: 'Writing objects', objectsDone: this.#done, bytesDone: this.#bytes });
  }

  /** Counts one thing that a directory waited for; the last one completes it. */
  #release(node: Node): void {
    for (let at: Node | undefined = node; at !== undefined && --at.waiting === 0; at = at.parent) this.#complete(at);
  }

  #complete(node: Node): void {
    const tree = node.unchanged && node.cached !== undefined ? node.cached.tree : this.#encode(node);
    if (node.unchanged && node.cached !== undefined) this.#o.cache?.next.keep(node.cached);
    else this.#remember(node, tree);
    if (node.parent === undefined) this.#root = { tree, meta: node.meta };
    else {
      node.parent.dirs.push({ name: node.name, tree, meta: node.meta });
      if (!node.unchanged) node.parent.unchanged = false;
    }
  }

  #encode(node: Node): Checksum {
    const files: FileEntry[] = node.fileNames.map((name, i) => ({ name, checksum: node.checksums[i] as Checksum }));
    return this.#o.sink.addDirtree({ files, dirs: node.dirs.sort((a, b) => compareUtf8(a.name, b.name)) });
  }

  #remember(node: Node, tree: Checksum): void {
    this.#o.cache?.next.add({
      path: node.treePath,
      stat: node.stat,
      tree,
      meta: node.meta,
      fileNames: node.fileNames,
      dirNames: node.dirs.map(({ name }) => name),
      fileStats: node.fileStats,
      checksums: node.checksums,
    });
  }
}

function changed(path: string): HacktreeError {
  return new HacktreeError('io', `${path} changed while it was being committed`, { details: { path } });
}
