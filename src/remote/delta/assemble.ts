/**
 * Puts objects into parts: collects entries until a part is full, then writes tables, blob and program.
 *
 * Inside a part objects lie by kind (metadata, copies, patches, whole files, symlinks), so that like data meet in the
 * compressor's window; the order in which they were added decides the rest.
 *
 * **Source:** ostree-format 10.3, 10.4.
 */
import { type Checksum, checksumToBytes, utf8 } from '../../core/index.ts';
import {
  type DeltaOperation,
  encodeOperations,
  encodeXattrs,
  type FileHeader,
  type ObjectName,
  type OwnerMode,
  type PartPayload,
  type Xattrs,
} from '../../format/index.ts';
import type { CopiedRange } from './rollsum.ts';

interface FileEntry {
  readonly checksum: Checksum;
  readonly header: FileHeader;
}

interface SourcedEntry extends FileEntry {
  /** File object whose content the operations read. */
  readonly source: Checksum;
  readonly sizeBytes: number;
}

/** A piece of a file: a stretch of the source, or new bytes. */
export type CopyStep = { readonly sourceOffset: number; readonly sizeBytes: number } | { readonly bytes: Uint8Array };

/** An object and how it is sent. */
export type DeltaEntry =
  | { readonly kind: 'metadata'; readonly object: ObjectName; readonly bytes: Uint8Array }
  | (SourcedEntry & { readonly kind: 'rollsum'; readonly steps: readonly CopyStep[] })
  | (SourcedEntry & { readonly kind: 'bsdiff'; readonly patch: Uint8Array })
  | (FileEntry & { readonly kind: 'plain'; readonly content: Uint8Array })
  | (FileEntry & { readonly kind: 'symlink' });

/** Cuts a file into what its source has and what it has not. The new bytes are copied, so that the file can be let go. */
export function copySteps(content: Uint8Array, ranges: readonly CopiedRange[]): CopyStep[] {
  const steps: CopyStep[] = [];
  let at = 0;
  const addNew = (end: number): void => {
    if (end > at) steps.push({ bytes: Buffer.from(content.subarray(at, end)) });
  };
  for (const { sourceOffset, targetOffset, sizeBytes } of ranges) {
    addNew(targetOffset);
    steps.push({ sourceOffset, sizeBytes });
    at = targetOffset + sizeBytes;
  }
  addNew(content.length);
  return steps;
}

/** A part before compression. */
export interface RawPart {
  readonly payload: PartPayload;
  readonly objects: readonly ObjectName[];
  /** Bytes of the part's metadata objects and of the content of its files. */
  readonly unpackedBytes: number;
}

const KINDS = ['metadata', 'rollsum', 'bsdiff', 'plain', 'symlink'] as const;

/** Collects entries into parts. */
export class PartAssembler {
  readonly #maxBytes: number;
  #pending: DeltaEntry[] = [];
  #pendingBytes = 0;

  /** @param maxBytes size of a part's data; only an object that is larger by itself makes a larger part. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds an object; returns a part when the present one was full. */
  add(entry: DeltaEntry): RawPart | undefined {
    const size = dataBytes(entry);
    const full = this.#pendingBytes > 0 && this.#pendingBytes + size > this.#maxBytes ? this.finish() : undefined;
    this.#pending.push(entry);
    this.#pendingBytes += size;
    return full;
  }

  /** Gives the last part; undefined when nothing is pending. */
  finish(): RawPart | undefined {
    if (this.#pending.length === 0) return undefined;
    const builder = new PartBuilder();
    for (const kind of KINDS) for (const entry of this.#pending) if (entry.kind === kind) builder.add(entry);
    this.#pending = [];
    this.#pendingBytes = 0;
    return builder.finish();
  }
}

/** Bytes that an entry puts into the blob. */
function dataBytes(entry: DeltaEntry): number {
  switch (entry.kind) {
    case 'metadata':
      return entry.bytes.length;
    case 'rollsum':
      return 32 + entry.steps.reduce((sum, step) => sum + ('bytes' in step ? step.bytes.length : 0), 0);
    case 'bsdiff':
      return 32 + entry.patch.length;
    case 'plain':
      return entry.content.length;
    default:
      return Buffer.byteLength(entry.header.target);
  }
}

/** A table in which equal rows are one. */
class Table<Row> {
  readonly rows: Row[] = [];
  readonly #positions = new Map<string, number>();

  position(key: string, row: Row): number {
    const known = this.#positions.get(key);
    if (known !== undefined) return known;
    this.#positions.set(key, this.rows.length);
    return this.rows.push(row) - 1;
  }
}

class PartBuilder {
  readonly #modes = new Table<OwnerMode>();
  readonly #xattrs = new Table<Xattrs>();
  readonly #blob: Uint8Array[] = [];
  readonly #operations: DeltaOperation[] = [];
  readonly #objects: ObjectName[] = [];
  #blobBytes = 0;
  #unpackedBytes = 0;

  add(entry: DeltaEntry): void {
    this.#objects.push(entry.kind === 'metadata' ? entry.object : { checksum: entry.checksum, type: 'file' });
    switch (entry.kind) {
      case 'metadata':
        this.#unpackedBytes += entry.bytes.length;
        this.#operations.push({ op: 'splice-metadata', ...this.#put(entry.bytes) });
        return;
      case 'plain':
        this.#unpackedBytes += entry.content.length;
        this.#operations.push({ op: 'splice-content', ...this.#inode(entry.header), ...this.#put(entry.content) });
        return;
      case 'symlink':
        this.#operations.push({ op: 'splice-content', ...this.#inode(entry.header), ...this.#put(utf8(entry.header.target)) });
        return;
      default:
        this.#addSourced(entry);
    }
  }

  #addSourced(entry: DeltaEntry & { kind: 'rollsum' | 'bsdiff' }): void {
    const { sizeBytes } = entry;
    this.#unpackedBytes += sizeBytes;
    const { offset: source } = this.#put(checksumToBytes(entry.source));
    this.#operations.push({ op: 'open', ...this.#inode(entry.header), sizeBytes });
    if (entry.kind === 'rollsum') this.#addCopies(entry.steps, source);
    else {
      this.#operations.push({ op: 'set-read-source', offset: source });
      this.#operations.push({ op: 'bspatch', ...this.#put(entry.patch) });
      this.#operations.push({ op: 'unset-read-source' });
    }
    this.#operations.push({ op: 'close' });
  }

  /** A write takes from the source while one is set, else from the blob. */
  #addCopies(steps: readonly CopyStep[], source: number): void {
    let isSet = false;
    for (const step of steps) {
      const isCopy = !('bytes' in step);
      if (isCopy && !isSet) this.#operations.push({ op: 'set-read-source', offset: source });
      if (!isCopy && isSet) this.#operations.push({ op: 'unset-read-source' });
      isSet = isCopy;
      const range = isCopy ? { length: step.sizeBytes, offset: step.sourceOffset } : this.#put(step.bytes);
      this.#operations.push({ op: 'write', ...range });
    }
    if (isSet) this.#operations.push({ op: 'unset-read-source' });
  }

  finish(): RawPart {
    const payload = {
      modes: this.#modes.rows,
      xattrs: this.#xattrs.rows,
      blob: Buffer.concat(this.#blob, this.#blobBytes),
      operations: encodeOperations(this.#operations),
    };
    return { payload, objects: this.#objects, unpackedBytes: this.#unpackedBytes };
  }

  #put(bytes: Uint8Array): { offset: number; length: number } {
    const offset = this.#blobBytes;
    this.#blob.push(bytes);
    this.#blobBytes += bytes.length;
    return { offset, length: bytes.length };
  }

  #inode({ uid, gid, mode, xattrs }: FileHeader): { mode: number; xattrs: number } {
    return {
      mode: this.#modes.position(`${uid}:${gid}:${mode}`, { uid, gid, mode }),
      xattrs: this.#xattrs.position(encodeXattrs(xattrs).toString('latin1'), xattrs),
    };
  }
}
