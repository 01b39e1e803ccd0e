/**
 * Walks everything that commits need and verifies it: metadata here, one object after the other, while file objects go
 * to the pool in batches as soon as a directory names them. Each object is looked at once.
 *
 * Where a metadata object is bad and there is a source to repair from, the walk goes on with the source's copy, so that
 * what is missing below is found in the same pass.
 *
 * Source: ostree-format 12.
 */
import type { Checksum } from '../../core/index.ts';
import type { Commit, Dirtree, ObjectName } from '../../format/index.ts';
import type { Pool } from '../../sys/index.ts';
import { ObjectBatches } from '../object-batches.ts';
import { ObjectTable } from '../object-table.ts';
import type { MetadataSource } from '../object-uses.ts';
import type { Repo } from '../repo.ts';
import type { FsckBatchResult } from './fsck-worker.ts';
import type { RepairSource } from './repair-source.ts';
import {
  type MetadataValues,
  type Verdict,
  type VerifiableMetadata,
  verifyMetadata,
  verifyMetadataBytes,
} from './verify-object.ts';

export interface BadObject {
  readonly object: ObjectName;
  readonly verdict: Verdict;
}

/** Loads sound metadata, from the repository or else from the source; undefined when neither has it. */
export class MetadataLoader implements MetadataSource {
  readonly #repo: Repo;
  readonly #source: RepairSource | undefined;

  constructor(repo: Repo, source: RepairSource | undefined) {
    this.#repo = repo;
    this.#source = source;
  }

  async commit(checksum: Checksum): Promise<Commit | undefined> {
    return (await this.load(checksum, 'commit'))?.value;
  }

  async dirtree(checksum: Checksum): Promise<Dirtree | undefined> {
    return (await this.load(checksum, 'dirtree'))?.value;
  }

  /** `onBad` is told when the repository's own copy is bad. */
  async load<Type extends VerifiableMetadata>(
    checksum: Checksum,
    type: Type,
    onBad?: (verdict: Verdict) => void,
  ): Promise<{ value: MetadataValues[Type]; sizeBytes: number } | undefined> {
    const own = verifyMetadata(this.#repo, checksum, type);
    if (own.verdict === undefined) return own;
    onBad?.(own.verdict);
    const bytes = await this.#source?.readMetadata(checksum, type);
    if (bytes === undefined) return undefined;
    const fetched = verifyMetadataBytes(bytes, checksum, type);
    return fetched.verdict === undefined ? fetched : undefined;
  }
}

export interface WalkTotals {
  readonly objects: number;
  readonly bytes: number;
}

export class ObjectWalk {
  /** What is wrong, in no order. */
  readonly bad: BadObject[] = [];
  readonly #loader: MetadataLoader;
  readonly #files: ObjectBatches<FsckBatchResult>;
  readonly #seen = new ObjectTable();
  readonly #onProgress: (totals: WalkTotals) => void;
  #objects = 0;
  #bytes = 0;

  constructor(loader: MetadataLoader, pool: Pool<Uint8Array, FsckBatchResult>, onProgress: (totals: WalkTotals) => void) {
    this.#loader = loader;
    this.#onProgress = onProgress;
    this.#files = new ObjectBatches(pool, (result) => this.#take(result));
  }

  /** Objects named so far, verified or not. */
  get found(): number {
    return this.#seen.count;
  }

  get totals(): WalkTotals {
    return { objects: this.#objects, bytes: this.#bytes };
  }

  /** Verifies a commit object; undefined when it cannot be had. */
  async commit(checksum: Checksum): Promise<Commit | undefined> {
    return this.#metadata(checksum, 'commit');
  }

  /** Verifies everything below a commit. */
  async tree({ rootTree, rootMeta }: Commit): Promise<void> {
    await this.#metadata(rootMeta, 'dirmeta');
    const pending: Checksum[] = [rootTree];
    for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
      const dirtree = await this.#metadata(tree, 'dirtree');
      if (dirtree === undefined) continue;
      for (const { checksum } of dirtree.files) {
        const wait = this.#seen.add(checksum, 'file') ? this.#files.add(checksum) : undefined;
        if (wait !== undefined) await wait;
      }
      for (const dir of dirtree.dirs) {
        if (!this.#seen.has(dir.meta, 'dirmeta')) await this.#metadata(dir.meta, 'dirmeta');
        if (!this.#seen.has(dir.tree, 'dirtree')) pending.push(dir.tree);
      }
    }
  }

  /** Waits for the file objects that are still being verified. */
  finish(): Promise<void> {
    return this.#files.finish();
  }

  /** Returns the value the first time an object is asked for, undefined when it was seen before or cannot be had. */
  async #metadata<Type extends VerifiableMetadata>(checksum: Checksum, type: Type): Promise<MetadataValues[Type] | undefined> {
    if (!this.#seen.add(checksum, type)) return undefined;
    const loaded = await this.#loader.load(checksum, type, (verdict) => this.bad.push({ object: { checksum, type }, verdict }));
    this.#objects++;
    this.#bytes += loaded?.sizeBytes ?? 0;
    return loaded?.value;
  }

  #take({ objects, bytes, bad }: FsckBatchResult): void {
    this.#objects += objects;
    this.#bytes += bytes;
    for (const { checksum, verdict } of bad) this.bad.push({ object: { checksum, type: 'file' }, verdict });
    this.#onProgress(this.totals);
  }
}
