/**
 * Worker of a pull: brings batches of objects from the source into staging, verified, and says what metadata names.
 *
 * A batch is a list of objects; the objects of a batch are under way at once, as many as there are connections. The answer
 * holds the children of directories (to be fetched next) and rows for the content index.
 */
import { asBuffer, type Checksum, isHacktreeError } from '../../core/index.ts';
import type { DeltaPart, Dirtree, ObjectName, PartFile } from '../../format/index.ts';
import { addToContentIndex, ContentRecords, ObjectWriter, type WriterInit } from '../../repo/index.ts';
import type { WorkerFunction } from '../../sys/index.ts';
import { KnownDigests, type TaskDigests } from './known-digests.ts';
import { makeFile } from './make-file.ts';
import { itemsOf, type MakeItems } from './make-items.ts';
import { decodeVerified, type TreeMetadata } from './metadata.ts';
import { RepoSource } from './repo-source.ts';
import { type ObjectRows, objectsOf, RowWriter } from './rows.ts';
import type { ObjectSource, SourceInit, StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

export interface PullWorkerInit {
  readonly writer: WriterInit;
  readonly source: SourceInit;
  /** Repositories on this machine that are asked first. */
  readonly caches: readonly SourceInit[];
  /** Objects under way in one batch. */
  readonly concurrency: number;
  /** Regular files with bits beyond 0775 are refused. */
  readonly bareUserOnlyFiles: boolean;
}

/**
 * Rows of objects to bring from the source, or from a pack of it; objects whose verified bytes are here, objects to make of content that is here;
 * records for the content index; or a part of a static delta.
 */
export type PullTask =
  | { readonly kind: 'fetch'; readonly rows: ObjectRows; readonly digests?: TaskDigests }
  | PackedTask
  | StoreTask
  | MakeTask
  | { readonly kind: 'contents'; readonly records: Uint8Array; readonly sync: boolean }
  | {
      readonly kind: 'part';
      readonly part: DeltaPart;
      readonly file: { compression: PartFile['compression']; bytes: Uint8Array };
    };

/** `first`: number of the first item among all. */
export interface MakeTask extends MakeItems {
  readonly kind: 'make';
  readonly first: number;
}

/** File objects that lie one after the other in a pack; those that cannot be had from there are `passedOver`. */
export interface PackedTask {
  readonly kind: 'packed';
  readonly path: string;
  readonly start: number;
  readonly rows: ObjectRows;
  readonly lengths: readonly number[];
  readonly digests?: TaskDigests;
}

export interface StoreTask {
  readonly kind: 'store';
  readonly rows: ObjectRows;
  readonly lengths: readonly number[];
  /** Of all, one after the other. */
  readonly bytes: Uint8Array;
}

export interface PullBatchResult {
  /** Rows of what the batch's directories name. */
  readonly children: ObjectRows;
  /** Rows of 64 bytes for the content index. */
  readonly digests: Uint8Array;
  /** Objects that no source has. */
  readonly missing: readonly ObjectName[];
  /** Objects that the pack should have had. */
  readonly passedOver: readonly Checksum[];
  /** Numbers of the items that were made of content that was here. */
  readonly made: readonly number[];
  readonly metadata: number;
  readonly content: number;
  readonly contentBytes: number;
  /** Bytes this thread received over the network since its last answer. */
  readonly transferredBytes: number;
}

export async function createWorker(init: PullWorkerInit): Promise<WorkerFunction<PullTask, PullBatchResult>> {
  const writer = new ObjectWriter(init.writer);
  const { bareUserOnlyFiles } = init;
  const storage = { writer, stagingPath: init.writer.stagingPath, known: new KnownDigests(), bareUserOnlyFiles };
  let sources: readonly ObjectSource[] = [];
  let opening: Promise<void> | undefined;
  const openSources = async (): Promise<void> => {
    sources = await Promise.all([...init.caches, init.source].map((source) => openSource(source, storage)));
  };
  let reported = 0;
  const run = async (task: PullTask): Promise<PullBatchResult> => {
    if (task.kind === 'fetch' || task.kind === 'packed') {
      opening ??= openSources();
      await opening;
    }
    const isNear = task.kind === 'fetch' && !(task.rows instanceof Uint8Array);
    const batch = new Batch(storage, sources, new RowWriter(!isNear));
    if (task.kind === 'fetch') await batch.fetch(task, init.concurrency);
    else if (task.kind === 'packed') await batch.packed(task);
    else if (task.kind === 'part') await batch.part(task);
    else if (task.kind === 'store') batch.store(task);
    else if (task.kind === 'contents') addToContentIndex(writer.repo, task.records, { sync: task.sync });
    else await batch.make(task);
    const transferred = sources.reduce((sum, source) => sum + source.transferredBytes, 0);
    const result = { ...batch.result(), transferredBytes: transferred - reported };
    reported = transferred;
    return result;
  };
  const close = (): void => {
    for (const source of sources) void source.close();
    writer.close();
  };
  return Object.assign(run, { close });
}

/** The code for HTTP is large and loaded only where it is needed. */
async function openSource(init: SourceInit, storage: Storage): Promise<ObjectSource> {
  if (init.kind === 'repo') return new RepoSource(init.path, storage, init.isTrusted);
  const { HttpSource } = await import('./http-source.ts');
  return new HttpSource(init.fetcher, storage);
}

class Batch {
  readonly #storage: Storage;
  readonly #writer: ObjectWriter;
  readonly #sources: readonly ObjectSource[];
  readonly #children: RowWriter;
  readonly #digests = new ContentRecords();
  readonly #missing: ObjectName[] = [];
  readonly #passedOver: Checksum[] = [];
  readonly #made: number[] = [];
  #metadata = 0;
  #content = 0;
  #contentBytes = 0;

  constructor(storage: Storage, sources: readonly ObjectSource[], children: RowWriter) {
    this.#children = children;
    this.#storage = storage;
    this.#writer = storage.writer;
    this.#sources = sources;
  }

  async fetch({ rows, digests }: Extract<PullTask, { kind: 'fetch' }>, concurrency: number): Promise<void> {
    const objects = [...objectsOf(rows)];
    this.#storage.known.add(objects, digests);
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let object = objects[next++]; object !== undefined; object = objects[next++]) {
        if (object.type === 'file' && this.#linkFile(object.checksum)) continue;
        const isThere = object.type === 'file' ? await this.#file(object.checksum) : await this.#tree(object);
        if (!isThere) this.#missing.push(object);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(concurrency, objects.length) }, lane));
    for (const { status, ...rest } of lanes) if (status === 'rejected') throw (rest as PromiseRejectedResult).reason;
  }

  result(): Omit<PullBatchResult, 'transferredBytes'> {
    return {
      children: this.#children.take(),
      digests: Uint8Array.from(this.#digests.bytes),
      missing: this.#missing,
      passedOver: this.#passedOver,
      made: this.#made,
      metadata: this.#metadata,
      content: this.#content,
      contentBytes: this.#contentBytes,
    };
  }

  /** Makes the objects of a part. The code for deltas is loaded by the first of them. */
  async part({ part, file }: Extract<PullTask, { kind: 'part' }>): Promise<void> {
    const { executePart, openDeltaStore, unpackPart } = await import('../delta/index.ts');
    const { repo } = this.#writer;
    const view = { ...repo, objectsPath: this.#storage.stagingPath, parent: repo };
    const store = openDeltaStore(this.#writer, view);
    const startFile: typeof store.startFile = (header, sizeBytes) => {
      checkStorable(this.#storage, header);
      return store.startFile(header, sizeBytes);
    };
    const payload = await unpackPart({ compression: file.compression, bytes: asBuffer(file.bytes) }, part);
    const { objects, unpackedBytes } = part;
    const result = executePart({ payload, objects, unpackedBytes }, { ...store, startFile });
    this.#contentBytes += result.contentBytes;
  }

  async packed({ path, start, rows, lengths, digests }: PackedTask): Promise<void> {
    const objects = [...objectsOf(rows)];
    this.#storage.known.add(objects, digests);
    const checksums = objects.map(({ checksum }) => checksum);
    const left = new Set(checksums);
    await this.#sources.at(-1)?.storePacked?.({ path, start, checksums, lengths }, (checksum, stored) => {
      left.delete(checksum);
      this.#count(checksum, stored);
    });
    this.#passedOver.push(...left);
  }

  store({ rows, lengths, bytes }: StoreTask): void {
    let [index, start] = [0, 0];
    for (const { checksum, type } of objectsOf(rows)) {
      const end = start + (lengths[index++] ?? 0);
      this.#writer.writeVerified(checksum, type, bytes.subarray(start, end));
      start = end;
    }
  }

  async make(task: MakeTask): Promise<void> {
    let number = task.first;
    for (const item of itemsOf(task)) {
      const sizeBytes = await makeFile(this.#storage, item);
      if (sizeBytes !== undefined) {
        this.#made.push(number);
        this.#contentBytes += sizeBytes;
        if (item.digest !== undefined) this.#digests.add(item.digest, item.checksum);
      }
      number++;
    }
  }

  #linkFile(checksum: Checksum): boolean {
    const isLinked = this.#sources.some((source) => source.linkFile?.(checksum) === true);
    if (isLinked) this.#content++;
    return isLinked;
  }

  async #file(checksum: Checksum): Promise<boolean> {
    for (const source of this.#sources) {
      const stored = await source.storeFile(checksum);
      if (stored === undefined) continue;
      this.#count(checksum, stored);
      return true;
    }
    return false;
  }

  #count(checksum: Checksum, { sizeBytes, contentDigest }: StoredFile): void {
    this.#content++;
    this.#contentBytes += sizeBytes;
    if (contentDigest !== undefined) this.#digests.add(contentDigest, checksum);
  }

  async #tree({ checksum, type }: ObjectName): Promise<boolean> {
    for (const source of this.#sources) {
      const isThere = await this.#treeFrom(source, checksum, type as TreeMetadata);
      if (isThere) return true;
    }
    return false;
  }

  async #treeFrom(source: ObjectSource, checksum: Checksum, type: TreeMetadata): Promise<boolean> {
    let received = await source.readMetadata(checksum, type, false);
    if (received === undefined) return false;
    let value: unknown;
    try {
      value = decodeVerified(received.bytes, checksum, type, received.origin);
    } catch (error) {
      if (!isHacktreeError(error) || error.code !== 'object-corrupt') throw error;
      received = (await source.readMetadata(checksum, type, true)) ?? received;
      value = decodeVerified(received.bytes, checksum, type, received.origin);
    }
    const { bytes, linkFrom } = received;
    if (linkFrom === undefined || !this.#writer.linkVerified(checksum, type, linkFrom))
      this.#writer.writeVerified(checksum, type, bytes);
    this.#metadata++;
    if (type === 'dirtree') this.#addChildren(value as Dirtree);
    return true;
  }

  #addChildren({ files, dirs }: Dirtree): void {
    for (const { checksum } of files) this.#children.add(checksum, 'file');
    for (const { tree, meta } of dirs) {
      this.#children.add(meta, 'dirmeta');
      this.#children.add(tree, 'dirtree');
    }
  }
}
