/** Where a worker takes objects from, and what it does with one: the same answers from a mirror and from a repository. */
import type { Checksum } from '../../core/index.ts';
import type { WrittenFile } from '../../repo/index.ts';
import type { FetcherInit } from '../net/options.ts';
import type { Origin, TreeMetadata } from './metadata.ts';

/** Plain data, sent to every thread. */
export type SourceInit =
  | { readonly kind: 'http'; readonly fetcher: FetcherInit }
  /** isTrusted: objects are linked without reading them, where modes agree. */
  | { readonly kind: 'repo'; readonly path: string; readonly isTrusted: boolean };

export interface ReceivedMetadata {
  readonly bytes: Buffer;
  readonly origin: Origin;
  /** A file on this machine with these bytes, which may be linked. */
  readonly linkFrom?: string;
}

export interface StoredFile {
  readonly sizeBytes: number;
  readonly contentDigest: WrittenFile['contentDigest'];
}

/** Objects that lie one after the other in a pack of the source. */
export interface PackedObjects {
  /** In the source's directory. */
  readonly path: string;
  readonly start: number;
  readonly checksums: readonly Checksum[];
  /** Of their `.filez`. */
  readonly lengths: readonly number[];
}

export interface ObjectSource {
  /** Reads a metadata object, unverified; undefined when it is not there. `fresh`: an earlier copy was wrong. */
  readMetadata(checksum: Checksum, type: TreeMetadata, fresh: boolean): Promise<ReceivedMetadata | undefined>;
  /** Stages a trusted file object by hard link, unread; false when it must be stored instead. At once: pulls of links do little else. */
  linkFile?(checksum: Checksum): boolean;
  /** Verifies and stages a file object; undefined when it is not there. Errors: `object-corrupt` and those of writing. */
  storeFile(checksum: Checksum): Promise<StoredFile | undefined>;
  /**
   * Verifies and stages file objects that lie together, telling each of them. What is damaged there, or not there, is passed over.
   * Errors: those of writing, `network`.
   */
  storePacked?(packed: PackedObjects, stored: (checksum: Checksum, file: StoredFile) => void): Promise<void>;
  /** Bytes that came over the network so far. */
  readonly transferredBytes: number;
  close(): Promise<void>;
}
