/**
 * The stat cache: what the last commit of a source tree saw, so that an unchanged tree costs stats instead of reads.
 *
 * One file per source tree and set of modifiers in extensions/hacktree/stat-cache/. Per directory: its own stat fields,
 * dirtree and dirmeta checksums, the sorted names of its files and subdirectories, and per file stat fields and checksum.
 *
 *     "HTSC", version (u32), commit (32 bytes), directory blocks, SHA-256 of all before
 *     block: u32 block size, path size, names size, files, dirs, 0 | dir stat 8 x f64 | tree 32 | meta 32
 *            | file stats 64 each | file checksums 32 each | path | names, each with a NUL | padding to 8
 *
 * Numbers are little-endian. A file changed less than two seconds before the scan began is stored with a ctime that
 * never matches: a later change could carry the same time. The commit in the header vouches for the objects: as long
 * as it is there and not partial, everything it refers to is (rule of the repository); else each object is looked for.
 * A damaged or foreign file counts as none.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { asBuffer, type Checksum, checksumFromBytes, sha256 } from '../../core/index.ts';
import { ensureDir, writeFileDurable } from '../../sys/index.ts';
import { lastChangeMs, STAT_FIELDS } from './stat-fields.ts';
import type { TreeRef } from './tree-sink.ts';

const MAGIC = 0x43535448;
const VERSION = 1;
const HEADER_BYTES = 40;
const BLOCK_HEADER_BYTES = 24;
const STAT_BYTES = STAT_FIELDS * 8;
const TRUST_AFTER_MS = 2000;
const CTIME = 4;

const pad8 = (size: number): number => (size + 7) & ~7;

/** A directory as the last commit saw it. Names are sorted as in a dirtree. */
export interface CachedDir extends TreeRef {
  readonly stat: Float64Array;
  readonly fileNames: readonly string[];
  readonly dirNames: readonly string[];
  readonly fileStats: Float64Array;
  /** Checksum of the n-th file. */
  checksum(index: number): Checksum;
  /** The block itself, to be copied when nothing has changed. */
  readonly block: Buffer;
}

export class StatCache {
  /** Commit whose presence vouches for all objects named here. */
  readonly commit: Checksum;
  readonly #bytes: Buffer;
  readonly #blocks = new Map<string, number>();

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.commit = checksumFromBytes(bytes.subarray(8, HEADER_BYTES));
    for (let at = HEADER_BYTES; at < bytes.length - 32; at += bytes.readUInt32LE(at)) this.#blocks.set(this.#pathAt(at), at);
  }

  /** Reads a cache file; undefined when there is none or it cannot be trusted. */
  static load(path: string): StatCache | undefined {
    try {
      const { size } = fs.statSync(path);
      const bytes = Buffer.allocUnsafeSlow(size);
      const fd = fs.openSync(path, 'r');
      try {
        if (fs.readSync(fd, bytes, 0, size, 0) !== size || size < HEADER_BYTES + 32) return undefined;
      } finally {
        fs.closeSync(fd);
      }
      const isOurs = bytes.readUInt32LE(0) === MAGIC && bytes.readUInt32LE(4) === VERSION;
      const body = bytes.subarray(0, size - 32);
      return isOurs && sha256(body).equals(bytes.subarray(size - 32)) ? new StatCache(bytes) : undefined;
    } catch {
      return undefined;
    }
  }

  #pathAt(at: number): string {
    const b = this.#bytes;
    const start = at + BLOCK_HEADER_BYTES + STAT_BYTES + 64 + b.readUInt32LE(at + 12) * (STAT_BYTES + 32);
    return b.toString('utf8', start, start + b.readUInt32LE(at + 4));
  }

  /** Returns what is known of a directory, by its path in the tree. */
  dir(path: string): CachedDir | undefined {
    const at = this.#blocks.get(path);
    if (at === undefined) return undefined;
    const b = this.#bytes;
    const [blockSize, pathSize, namesSize, files] = [0, 4, 8, 12].map((field) => b.readUInt32LE(at + field)) as [
      number,
      number,
      number,
      number,
    ];
    const stat = at + BLOCK_HEADER_BYTES;
    const fileStats = stat + STAT_BYTES + 64;
    const checksums = fileStats + files * STAT_BYTES;
    const names = checksums + files * 32 + pathSize;
    const all = namesSize === 0 ? [] : b.toString('utf8', names, names + namesSize - 1).split('\0');
    return {
      stat: new Float64Array(b.buffer, stat, STAT_FIELDS),
      tree: checksumFromBytes(b.subarray(stat + STAT_BYTES, stat + STAT_BYTES + 32)),
      meta: checksumFromBytes(b.subarray(stat + STAT_BYTES + 32, fileStats)),
      fileNames: all.slice(0, files),
      dirNames: all.slice(files),
      fileStats: new Float64Array(b.buffer, fileStats, files * STAT_FIELDS),
      checksum: (index) => b.toString('hex', checksums + index * 32, checksums + index * 32 + 32) as Checksum,
      block: b.subarray(at, at + blockSize),
    };
  }
}

/** A directory that has just been scanned; names sorted as in a dirtree. */
export interface ScannedDir extends TreeRef {
  readonly path: string;
  readonly stat: Float64Array;
  readonly fileNames: readonly string[];
  readonly dirNames: readonly string[];
  readonly fileStats: Float64Array;
  readonly checksums: readonly Checksum[];
}

/** Collects directories during a scan and writes the cache of the next one. */
export class StatCacheWriter {
  readonly #blocks: Buffer[] = [];
  readonly #startMs: number;

  /** `startMs`: time when the scan began. */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Keeps the block of an unchanged directory. */
  keep(dir: CachedDir): void {
    this.#blocks.push(dir.block);
  }

  add(dir: ScannedDir): void {
    const files = dir.fileNames.length;
    const path = Buffer.from(dir.path);
    const names = Buffer.from([...dir.fileNames, ...dir.dirNames].map((name) => `${name}\0`).join(''));
    const start = BLOCK_HEADER_BYTES + STAT_BYTES + 64 + files * (STAT_BYTES + 32);
    const block = Buffer.alloc(pad8(start + path.length + names.length));
    [block.length, path.length, names.length, files, dir.dirNames.length].forEach((value, i) => {
      block.writeUInt32LE(value, i * 4);
    });
    let at = this.#putStats(block, BLOCK_HEADER_BYTES, dir.stat, 1);
    at += block.write(dir.tree, at, 'hex');
    at += block.write(dir.meta, at, 'hex');
    at = this.#putStats(block, at, dir.fileStats, files);
    for (const checksum of dir.checksums) at += block.write(checksum, at, 'hex');
    path.copy(block, at);
    names.copy(block, at + path.length);
    this.#blocks.push(block);
  }

  /** Copies stat fields; one changed shortly before the scan gets a ctime that equals nothing. */
  #putStats(block: Buffer, at: number, stats: Float64Array, count: number): number {
    const copy = stats.slice(0, count * STAT_FIELDS);
    for (let i = 0; i < count; i++) {
      if (lastChangeMs(copy, i) > this.#startMs - TRUST_AFTER_MS) copy[i * STAT_FIELDS + CTIME] = Number.NaN;
    }
    asBuffer(new Uint8Array(copy.buffer)).copy(block, at);
    return at + copy.byteLength;
  }

  /** Writes the cache file. Not flushed to the device: after a crash a damaged one counts as none. */
  save(path: string, commit: Checksum): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(MAGIC, 0);
    header.writeUInt32LE(VERSION, 4);
    header.write(commit, 8, 'hex');
    const body = Buffer.concat([header, ...this.#blocks]);
    ensureDir(dirname(path));
    writeFileDurable(path, Buffer.concat([body, sha256(body)]), { sync: false });
  }
}
