/**
 * Objects of a repository on this machine: linked where both have the same mode, converted otherwise.
 *
 * Trusted objects are linked without being read. Untrusted ones are verified as they are copied; a link would let the
 * other repository's owner change them later.
 *
 * Source: ostree-format 12 (pull-local).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, EMPTY_BYTES } from '../../core/index.ts';
import { isSymlinkMode } from '../../format/index.ts';
import {
  contentChunks,
  hasObject,
  loadFile,
  type ObjectLinker,
  type ObjectWriter,
  objectPath,
  openObjectFile,
  openRepo,
  type Repo,
  readContent,
  readFully,
  tryReadMetadata,
} from '../../repo/index.ts';
import { IN_MEMORY_BYTES, splitFilez, storeFilez } from './filez.ts';
import type { TreeMetadata } from './metadata.ts';
import { RunReader } from './run-reader.ts';
import type { ObjectSource, PackedObjects, ReceivedMetadata, StoredFile } from './source.ts';
import { checkStorable, type Storage } from './storable.ts';

/** Tells whether file objects of one repository should be hard links in the other. */
export function sharesFiles(from: Repo, to: Repo): boolean {
  return from.mode === to.mode && fs.statSync(from.objectsPath).dev === fs.statSync(to.objectsPath).dev;
}

export class RepoSource implements ObjectSource {
  readonly transferredBytes = 0;
  readonly #repo: Repo;
  readonly #writer: ObjectWriter;
  readonly #storage: Storage;
  readonly #isTrusted: boolean;
  readonly #linker: ObjectLinker;
  #mayLink: boolean;
  /** Holds one compressed object at a time. */
  #buffer: Buffer | undefined;

  constructor(path: string, storage: Storage, isTrusted: boolean) {
    const { writer, bareUserOnlyFiles } = storage;
    this.#repo = openRepo(path);
    this.#storage = storage;
    this.#isTrusted = isTrusted;
    this.#writer = writer;
    this.#linker = writer.openLinker(this.#repo);
    // What is linked is not read, so rules for modes would not be kept.
    this.#mayLink = isTrusted && !bareUserOnlyFiles && sharesFiles(this.#repo, writer.repo);
  }

  async close(): Promise<void> {
    this.#linker.close();
  }

  async readMetadata(checksum: Checksum, type: TreeMetadata): Promise<ReceivedMetadata | undefined> {
    const bytes = tryReadMetadata(this.#repo, checksum, type);
    if (bytes === undefined) return undefined;
    const where = objectPath(this.#repo, checksum, type);
    // Metadata are the same bytes in every mode.
    return { bytes, origin: { where }, ...(this.#isTrusted && this.#repo.parent === undefined ? { linkFrom: where } : {}) };
  }

  linkFile(checksum: Checksum): boolean {
    return this.#mayLink && this.#link(checksum);
  }

  async storeFile(checksum: Checksum): Promise<StoredFile | undefined> {
    if (this.#repo.mode === 'archive') {
      const path = objectPath(this.#repo, checksum, 'file');
      const raw = this.#readSmall(path);
      const filez = raw && splitFilez(raw, checksum, { where: path });
      if (filez !== undefined && filez.header.sizeBytes <= IN_MEMORY_BYTES)
        return storeFilez(this.#storage, checksum, filez, { where: path });
    }
    if (!hasObject(this.#repo, checksum, 'file')) return undefined;
    const file = loadFile(this.#repo, checksum);
    checkStorable(this.#storage, file.header, checksum);
    const expected = { checksum, contentDigest: this.#storage.known.take(checksum) };
    if (isSymlinkMode(file.header.mode)) return this.#writer.writeBuffer(file.header, EMPTY_BYTES, expected);
    if (file.sizeBytes <= IN_MEMORY_BYTES) return this.#writer.writeBuffer(file.header, readContent(file), expected);
    return this.#writer.startFile(file.header, file.sizeBytes, expected.contentDigest).writeAll(contentChunks(file), checksum);
  }

  async storePacked(packed: PackedObjects, stored: (checksum: Checksum, file: StoredFile) => void): Promise<void> {
    const fd = openObjectFile(join(this.#repo.path, packed.path));
    if (fd === undefined) return;
    const reader = new RunReader(this.#storage, packed, stored);
    try {
      reader.advance(readFully(fd, reader.room, packed.start));
    } finally {
      reader.close();
      fs.closeSync(fd);
    }
  }

  /** Reads a small file into the buffer; undefined when it is large, not there or not a file. */
  #readSmall(path: string): Buffer | undefined {
    const fd = openObjectFile(path);
    if (fd === undefined) return undefined;
    try {
      this.#buffer ??= Buffer.allocUnsafeSlow(IN_MEMORY_BYTES);
      const stat = fs.fstatSync(fd);
      if (!stat.isFile() || stat.size > IN_MEMORY_BYTES) return undefined;
      return this.#buffer.subarray(0, readFully(fd, this.#buffer.subarray(0, stat.size), 0));
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Once linking is not possible here it is not tried again. */
  #link(checksum: Checksum): boolean {
    const outcome = this.#linker.link(checksum);
    if (outcome === 'refused') this.#mayLink = false;
    return outcome === 'linked';
  }
}
