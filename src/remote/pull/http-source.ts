/**
 * Objects of a mirror: requested, inflated, hashed and staged by one thread from start to end.
 *
 * Small files stay in memory. A large one goes to `part-CHECKSUM` in the staging directory as it arrives, so that the next
 * attempt, or the next process, continues it; it is verified from there and then stored or, in an archive, renamed.
 *
 * Source: ostree-format 4.1, 12.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, isHacktreeError } from '../../core/index.ts';
import { MAX_METADATA_BYTES } from '../../format/index.ts';
import { contentChunks, type FileObject, hashFileObject, loadFilez, loosePath, type ObjectWriter } from '../../repo/index.ts';
import { Fetcher } from '../net/fetcher.ts';
import type { FetcherInit } from '../net/options.ts';
import { IN_MEMORY_BYTES, readingObject, splitFilez, storeFilez } from './filez.ts';
import { corruptObject, type Origin, type TreeMetadata } from './metadata.ts';
import { leaveRoom, takeRoom } from './rooms.ts';
import { RunReader } from './run-reader.ts';
import type { ObjectSource, PackedObjects, ReceivedMetadata, StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

export class HttpSource implements ObjectSource {
  readonly #fetcher: Fetcher;
  readonly #writer: ObjectWriter;
  readonly #storage: Storage;
  /** Large files that an earlier process did not finish. */
  readonly #parts: ReadonlySet<string>;

  constructor(init: FetcherInit, storage: Storage) {
    this.#fetcher = new Fetcher(init);
    this.#storage = storage;
    this.#writer = storage.writer;
    this.#parts = new Set(fs.readdirSync(storage.stagingPath).filter((name) => name.startsWith('part-')));
  }

  get transferredBytes(): number {
    return this.#fetcher.transferredBytes;
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }

  async readMetadata(checksum: Checksum, type: TreeMetadata, fresh: boolean): Promise<ReceivedMetadata | undefined> {
    // Commits belong to what `url` serves; trees may come from `contenturl`.
    const kind = type === 'commit' ? 'metadata' : 'content';
    const path = `objects/${loosePath('archive', checksum, type)}`;
    const fetched = await this.#fetcher.fetch(path, { kind, limitBytes: MAX_METADATA_BYTES, fresh });
    if (fetched === undefined) return undefined;
    return { bytes: fetched.bytes, origin: { where: fetched.url, contentType: fetched.contentType } };
  }

  async storeFile(checksum: Checksum): Promise<StoredFile | undefined> {
    try {
      return await this.#storeOnce(checksum);
    } catch (error) {
      // A cache on the way may hold a damaged copy, and a part left by an earlier process may be of another file.
      if (!isHacktreeError(error) || error.code !== 'object-corrupt') throw error;
      return this.#storeOnce(checksum);
    }
  }

  async storePacked(packed: PackedObjects, stored: (checksum: Checksum, file: StoredFile) => void): Promise<void> {
    const { path, start } = packed;
    const reader = new RunReader(this.#storage, packed, stored);
    const take = (chunk: Buffer): void => reader.take(chunk);
    try {
      await this.#fetcher.fetchRange(path, { kind: 'content', start, end: start + reader.sizeBytes, take });
    } catch (error) {
      // A server that cannot serve ranges.
      if (!isHacktreeError(error) || error.code !== 'server-invalid') throw error;
    } finally {
      reader.close();
    }
  }

  async #storeOnce(checksum: Checksum): Promise<StoredFile | undefined> {
    let taken: Buffer | undefined;
    const room = (): Buffer => {
      taken ??= takeRoom();
      return taken.subarray(0, IN_MEMORY_BYTES);
    };
    try {
      return await this.#storeFrom(checksum, room);
    } finally {
      if (taken !== undefined) leaveRoom(taken);
    }
  }

  /** `room` is for a small file. */
  async #storeFrom(checksum: Checksum, room: () => Buffer): Promise<StoredFile | undefined> {
    const file = join(this.#storage.stagingPath, `part-${checksum}`);
    const path = `objects/${loosePath('archive', checksum, 'file')}`;
    const limitBytes = Number.MAX_SAFE_INTEGER;
    const mayContinue = this.#parts.has(`part-${checksum}`);
    const options = { kind: 'content' as const, room, limitBytes, file, mayContinue };
    const got = await this.#fetcher.fetchOrSpill(path, options);
    if (got === undefined) return undefined;
    const origin = { where: got.url, contentType: got.contentType };
    if (got.bytes === undefined) return this.#storeSpilled(checksum, file, origin);
    const filez = splitFilez(got.bytes, checksum, origin);
    if (filez.header.sizeBytes <= IN_MEMORY_BYTES) return storeFilez(this.#storage, checksum, filez, origin);
    fs.writeFileSync(file, got.bytes);
    return this.#storeSpilled(checksum, file, origin);
  }

  async #storeSpilled(checksum: Checksum, path: string, origin: Origin): Promise<StoredFile> {
    try {
      const object = readingObject(checksum, origin, () => loadFilez(path, fs.statSync(path).size));
      checkStorable(this.#storage, object.header, checksum);
      const stored =
        this.#writer.repo.mode === 'archive'
          ? await this.#adopt(checksum, path, object, origin)
          : await this.#unpack(checksum, object);
      fs.rmSync(path, { force: true });
      return stored;
    } catch (error) {
      // Whatever is wrong with the part, continuing it would only bring the same again.
      fs.rmSync(path, { force: true });
      throw error;
    }
  }

  async #adopt(checksum: Checksum, path: string, object: FileObject, origin: Origin): Promise<StoredFile> {
    const hashes = await hashFileObject(object, { digest: true });
    if (hashes.checksum !== checksum) throw corruptObject(checksum, 'file', origin, hashes.checksum);
    this.#writer.adoptVerified(checksum, path);
    return { sizeBytes: object.sizeBytes, contentDigest: hashes.contentDigest };
  }

  async #unpack(checksum: Checksum, object: FileObject): Promise<StoredFile> {
    return this.#writer.startFile(object.header, object.sizeBytes).writeAll(contentChunks(object), checksum);
  }
}
