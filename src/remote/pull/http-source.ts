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
import { inflateRawSync } from 'node:zlib';
import type { ContentDigest } from '../../core/index.ts';
import { asBuffer, type Checksum, EMPTY_BYTES, HacktreeError, isHacktreeError, sha256 } from '../../core/index.ts';
import {
  decodeFilezHeader,
  decodeHeaderPrefix,
  type FilezHeader,
  fileChecksum,
  HEADER_PREFIX_BYTES,
  isSymlinkMode,
  MAX_METADATA_BYTES,
} from '../../format/index.ts';
import { contentChunks, type FileObject, hashFileObject, loadFilez, loosePath, type ObjectWriter } from '../../repo/index.ts';
import { Fetcher } from '../net/fetcher.ts';
import type { FetcherInit } from '../net/options.ts';
import { corruptObject, type Origin, type TreeMetadata } from './metadata.ts';
import type { ObjectSource, ReceivedMetadata, StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

/** Compressed objects and contents up to this size are handled in memory. */
const IN_MEMORY_BYTES = 1 << 20;

export class HttpSource implements ObjectSource {
  readonly #fetcher: Fetcher;
  readonly #writer: ObjectWriter;
  readonly #storage: Storage;

  constructor(init: FetcherInit, storage: Storage) {
    this.#fetcher = new Fetcher(init);
    this.#storage = storage;
    this.#writer = storage.writer;
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

  async #storeOnce(checksum: Checksum): Promise<StoredFile | undefined> {
    const file = join(this.#storage.stagingPath, `part-${checksum}`);
    const path = `objects/${loosePath('archive', checksum, 'file')}`;
    const limitBytes = Number.MAX_SAFE_INTEGER;
    const got = await this.#fetcher.fetchOrSpill(path, { kind: 'content', spillBytes: IN_MEMORY_BYTES, limitBytes, file });
    if (got === undefined) return undefined;
    const origin = { where: got.url, contentType: got.contentType };
    if (got.bytes === undefined) return this.#storeSpilled(checksum, file, origin);
    const { header, body } = this.#take(checksum, origin, () => splitFilez(got.bytes as Buffer));
    if (header.sizeBytes <= IN_MEMORY_BYTES) return this.#storeWhole(checksum, header, body, got.bytes, origin);
    fs.writeFileSync(file, got.bytes);
    return this.#storeSpilled(checksum, file, origin);
  }

  /** Turns what decoders say into an error about this object. */
  #take<T>(checksum: Checksum, origin: Origin, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isHacktreeError(error) && error.code !== 'format-invalid') throw error;
      throw corruptObject(checksum, 'file', origin, (error as Error).message);
    }
  }

  #storeWhole(checksum: Checksum, header: FilezHeader, body: Buffer, raw: Buffer, origin: Origin): StoredFile {
    const isLink = isSymlinkMode(header.mode);
    const content = isLink ? EMPTY_BYTES : this.#take(checksum, origin, () => inflateExactly(body, header.sizeBytes));
    checkStorable(this.#storage, header, checksum);
    if (this.#writer.repo.mode !== 'archive') return this.#writer.writeBuffer(header, content, checksum);
    const actual = fileChecksum(header, content);
    if (actual !== checksum) throw corruptObject(checksum, 'file', origin, actual);
    if (!this.#writer.has(checksum, 'file')) this.#writer.writeVerified(checksum, 'file', raw);
    const digest = isLink ? undefined : (sha256(content).toString('hex') as ContentDigest);
    return { sizeBytes: content.length, contentDigest: digest };
  }

  async #storeSpilled(checksum: Checksum, path: string, origin: Origin): Promise<StoredFile> {
    try {
      const object = this.#take(checksum, origin, () => loadFilez(path, fs.statSync(path).size));
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
    const sink = this.#writer.startFile(object.header, object.sizeBytes);
    try {
      for await (const chunk of contentChunks(object)) sink.write(chunk);
    } catch (error) {
      sink.abort();
      throw error;
    }
    return sink.finish(checksum);
  }
}

function splitFilez(bytes: Buffer): { header: FilezHeader; body: Buffer } {
  const end = HEADER_PREFIX_BYTES + decodeHeaderPrefix(bytes);
  if (bytes.length < end) throw new HacktreeError('format-invalid', 'header is cut');
  return { header: decodeFilezHeader(bytes.subarray(HEADER_PREFIX_BYTES, end)), body: bytes.subarray(end) };
}

/** Inflates to exactly the declared size; more is never produced. */
function inflateExactly(body: Buffer, sizeBytes: number): Buffer {
  // One output buffer with room for one byte more, so that zlib sees the end without asking for another.
  const content = asBuffer(
    inflateRawSync(body, { maxOutputLength: Math.max(1, sizeBytes), chunkSize: Math.max(64, sizeBytes + 1) }),
  );
  if (content.length === sizeBytes) return content;
  throw new HacktreeError('format-invalid', `content of ${content.length} bytes, declared ${sizeBytes}`);
}
