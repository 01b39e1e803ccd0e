/**
 * Where a commit's directories go while its tree is put together.
 *
 * A commit of one layer writes each dirtree as soon as the directory is complete. With several layers the dirtrees of
 * single layers are only steps on the way: they are kept in memory and the final tree alone is written.
 */
import type { Checksum } from '../../core/index.ts';
import { checksumOf } from '../../core/index.ts';
import { type Dirtree, decodeDirtree, encodeDirtree, encodeInodeMeta, type InodeMeta, S_IFDIR } from '../../format/index.ts';
import { loadDirmeta, loadDirtree } from '../object-read.ts';
import type { Transaction } from '../transaction.ts';

/** A directory: the checksums of its tree and of its metadata. */
export interface TreeRef {
  readonly tree: Checksum;
  readonly meta: Checksum;
}

/** What bringing one layer in came to. */
export interface LayerReport extends TreeRef {
  /** Files and symlinks of the layer. */
  readonly total: number;
  readonly filesWritten: number;
  readonly bytesWritten: number;
  readonly cacheHits: number;
  /** Paths in the tree of devices, FIFOs and sockets that were left out. */
  readonly skippedSpecials: readonly string[];
  /** Paths of overrides and skips that matched something. */
  readonly matched: ReadonlySet<string>;
}

export class TreeSink {
  readonly #transaction: Transaction;
  readonly #pending: Map<Checksum, Buffer> | undefined;
  readonly #metas = new Map<string, Checksum>();
  #dirtrees = 0;
  #dirmetas = 0;

  constructor(transaction: Transaction, options: { layered: boolean }) {
    this.#transaction = transaction;
    this.#pending = options.layered ? new Map() : undefined;
  }

  addDirtree(dirtree: Dirtree): Checksum {
    this.#dirtrees++;
    const bytes = encodeDirtree(dirtree);
    if (this.#pending === undefined) return this.#transaction.writer.writeMetadata('dirtree', bytes);
    const checksum = checksumOf(bytes);
    this.#pending.set(checksum, bytes);
    return checksum;
  }

  addDirmeta(meta: InodeMeta): Checksum {
    this.#dirmetas++;
    const canonical = this.#transaction.repo.mode === 'bare-user-only' ? canonicalDir(meta) : meta;
    const bytes = encodeInodeMeta(canonical);
    const key = bytes.toString('latin1');
    const known = this.#metas.get(key);
    if (known !== undefined) return known;
    const checksum = this.#transaction.writer.writeMetadata('dirmeta', bytes);
    this.#metas.set(key, checksum);
    return checksum;
  }

  readDirtree(checksum: Checksum): Dirtree {
    const bytes = this.#pending?.get(checksum);
    return bytes === undefined ? loadDirtree(this.#transaction.view, checksum) : decodeDirtree(bytes);
  }

  readDirmeta(checksum: Checksum): InodeMeta {
    return loadDirmeta(this.#transaction.view, checksum);
  }

  /** Metadata objects asked for so far, each time counted, and those of them that were new. */
  counts(): { metadataTotal: number; metadataWritten: number } {
    return { metadataTotal: this.#dirtrees + this.#dirmetas, metadataWritten: this.#transaction.writer.metadataWritten };
  }

  /** Writes the dirtrees of the final tree that are still in memory. */
  writePending(root: Checksum): void {
    const bytes = this.#pending?.get(root);
    if (bytes === undefined) return;
    this.#pending?.delete(root);
    for (const dir of decodeDirtree(bytes).dirs) this.writePending(dir.tree);
    this.#transaction.writer.writeMetadata('dirtree', bytes);
  }
}

function canonicalDir(meta: InodeMeta): InodeMeta {
  return { uid: 0, gid: 0, mode: S_IFDIR | (meta.mode & 0o755), xattrs: [] };
}
