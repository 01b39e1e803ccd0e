/**
 * Runs the program of one part of a static delta: makes the part's objects out of its blob and of objects at hand.
 *
 * Where objects come from and go to is the caller's (DeltaStore). Content flows through in pieces; only the payload is in
 * memory. Nothing the part says is believed: operands were checked while decoding, and here each file gets exactly the
 * bytes that its header promises, all files together no more than the superblock promises, every read stays within its
 * source, and every object must hash to its name. Objects that are there already cost nothing: their operations are
 * skipped, and a read source is opened only when something is read.
 *
 * **Source:** ostree-format 10.3.
 */
import {
  asBuffer,
  type Checksum,
  checksumFromBytes,
  checksumOf,
  HacktreeError,
  isHacktreeError,
  tryUtf8,
} from '../../core/index.ts';
import {
  type DeltaOperation,
  decodeCommit,
  decodeDirmeta,
  decodeDirtree,
  decodeOperations,
  type FileHeader,
  isRegularMode,
  isSymlinkMode,
  MAX_METADATA_BYTES,
  type ObjectName,
  type PartPayload,
  printObjectName,
} from '../../format/index.ts';
import { applyBsdiff, type ByteSource } from './bspatch.ts';

/** Content of a file object, readable anywhere. */
export interface DeltaSource extends ByteSource {
  close(): void;
}

/** A file object being written. finish or abort is called exactly once. */
export interface DeltaSink {
  /** The bytes may be reused afterwards. */
  write(bytes: Uint8Array): void;
  /** Completes the object. Errors: `object-corrupt` when it does not hash to `expected`. */
  finish(expected: Checksum): void;
  abort(): void;
}

/** Where a delta finds and puts objects. All calls are synchronous: parts run in worker threads. */
export interface DeltaStore {
  has(object: ObjectName): boolean;
  /** Opens the content of a regular file object. Errors: `object-missing`. */
  openSource(checksum: Checksum): DeltaSource;
  /** Stores bytes that hash to `checksum` and are well formed. */
  writeMetadata(type: DeltaMetadataType, checksum: Checksum, bytes: Uint8Array): void;
  /** Starts a file; a symlink gets no bytes. */
  startFile(header: FileHeader, sizeBytes: number): DeltaSink;
}

export type DeltaMetadataType = 'dirtree' | 'dirmeta' | 'commit';

export interface PartJob {
  readonly payload: PartPayload;
  /** The part's list of objects, in order. */
  readonly objects: readonly ObjectName[];
  /** Most bytes of file content that the part may make, as the superblock promises. */
  readonly unpackedBytes: bigint;
}

export interface PartResult {
  readonly metadataWritten: number;
  readonly filesWritten: number;
  /** Bytes of file content written. */
  readonly contentBytes: number;
  /** Objects that were there already. */
  readonly skipped: number;
}

/** Bytes copied from a source at a time. */
const PIECE_BYTES = 256 * 1024;

/** Makes the objects of a part. Errors: `delta-invalid`, and what the store throws. After an error nothing stays open. */
export function executePart(job: PartJob, store: DeltaStore): PartResult {
  const machine = new Machine(job, store);
  try {
    for (const operation of decodeOperations(job.payload, job.objects)) machine.step(operation);
    return machine.result();
  } catch (error) {
    throw asDeltaError(error);
  } finally {
    machine.close();
  }
}

/** What the delta is to blame for is said as such. */
function asDeltaError(error: unknown): unknown {
  if (!isHacktreeError(error) || (error.code !== 'format-invalid' && error.code !== 'object-corrupt')) return error;
  return new HacktreeError('delta-invalid', error.message, { details: error.details, hints: error.hints, cause: error });
}

interface OpenFile {
  readonly object: ObjectName;
  /** Undefined: the object is there already. */
  readonly sink: DeltaSink | undefined;
  left: number;
}

class Machine {
  readonly #payload: PartPayload;
  readonly #objects: readonly ObjectName[];
  readonly #store: DeltaStore;
  #budget: bigint;
  #next = 0;
  #file: OpenFile | undefined;
  #sourceName: Checksum | undefined;
  #source: DeltaSource | undefined;
  #metadataWritten = 0;
  #filesWritten = 0;
  #contentBytes = 0;
  #skipped = 0;

  constructor({ payload, objects, unpackedBytes }: PartJob, store: DeltaStore) {
    this.#payload = payload;
    this.#objects = objects;
    this.#budget = unpackedBytes;
    this.#store = store;
  }

  step(operation: DeltaOperation): void {
    switch (operation.op) {
      case 'splice-metadata':
        return this.#spliceMetadata(this.#blob(operation.offset, operation.length));
      case 'splice-content':
        return this.#spliceContent(operation.mode, operation.xattrs, this.#blob(operation.offset, operation.length));
      case 'open':
        return this.#open(operation.mode, operation.xattrs, operation.sizeBytes);
      case 'write':
        if (this.#sourceName === undefined) return this.#append(this.#blob(operation.offset, operation.length));
        return this.#copyFromSource(operation.offset, operation.length);
      case 'set-read-source':
        this.#dropSource();
        this.#sourceName = checksumFromBytes(this.#blob(operation.offset, 32));
        return;
      case 'unset-read-source':
        return this.#dropSource();
      case 'close':
        return this.#close();
      default:
        return this.#patch(this.#blob(operation.offset, operation.length));
    }
  }

  result(): PartResult {
    return {
      metadataWritten: this.#metadataWritten,
      filesWritten: this.#filesWritten,
      contentBytes: this.#contentBytes,
      skipped: this.#skipped,
    };
  }

  /** Drops what is open, after success and after errors. */
  close(): void {
    this.#file?.sink?.abort();
    this.#file = undefined;
    this.#dropSource();
  }

  #blob(offset: number, length: number): Uint8Array {
    return this.#payload.blob.subarray(offset, offset + length);
  }

  #takeObject(): ObjectName {
    const object = this.#objects[this.#next++];
    if (object === undefined) throw new HacktreeError('internal', 'A checked delta program makes too many objects');
    return object;
  }

  /** Counts the object as one that is there already. */
  #isPresent(object: ObjectName): boolean {
    const isPresent = this.#store.has(object);
    if (isPresent) this.#skipped++;
    return isPresent;
  }

  #spliceMetadata(bytes: Uint8Array): void {
    const object = this.#takeObject();
    if (this.#isPresent(object)) return;
    if (bytes.length > MAX_METADATA_BYTES) throw invalid(`${printObjectName(object)} has ${bytes.length} bytes`);
    const found = checksumOf(bytes);
    if (found !== object.checksum) throw invalid(`${printObjectName(object)} hashes to ${found}`);
    const type = object.type as DeltaMetadataType;
    checkMetadata(type, bytes);
    this.#store.writeMetadata(type, object.checksum, bytes);
    this.#metadataWritten++;
  }

  #spliceContent(mode: number, xattrs: number, bytes: Uint8Array): void {
    const object = this.#takeObject();
    if (this.#isPresent(object)) return;
    const header = this.#header(mode, xattrs);
    if (isSymlinkMode(header.mode)) {
      const target = tryUtf8(bytes);
      if (target === undefined || target.includes('\0')) throw invalid(`${printObjectName(object)} has no valid link target`);
      this.#begin(object, { ...header, target }, 0);
    } else {
      this.#begin(object, header, bytes.length);
      this.#append(bytes);
    }
    this.#close();
  }

  #open(mode: number, xattrs: number, sizeBytes: number): void {
    const object = this.#takeObject();
    if (this.#isPresent(object)) {
      this.#file = { object, sink: undefined, left: sizeBytes };
      return;
    }
    const header = this.#header(mode, xattrs);
    if (!isRegularMode(header.mode)) throw invalid(`${printObjectName(object)} is opened, but is no regular file`);
    this.#begin(object, header, sizeBytes);
  }

  #header(mode: number, xattrs: number): FileHeader {
    const owner = this.#payload.modes[mode];
    const list = this.#payload.xattrs[xattrs];
    if (owner === undefined || list === undefined)
      throw new HacktreeError('internal', 'A checked delta program has wrong operands');
    return { ...owner, xattrs: list, target: '' };
  }

  #begin(object: ObjectName, header: FileHeader, sizeBytes: number): void {
    this.#budget -= BigInt(sizeBytes);
    if (this.#budget < 0n) throw invalid(`its files are larger than promised, at ${printObjectName(object)}`);
    this.#file = { object, sink: this.#store.startFile(header, sizeBytes), left: sizeBytes };
  }

  #append(bytes: Uint8Array): void {
    const file = this.#file;
    if (file?.sink === undefined) return;
    if (bytes.length > file.left) throw invalid(`${printObjectName(file.object)} gets more bytes than it was opened for`);
    file.left -= bytes.length;
    this.#contentBytes += bytes.length;
    file.sink.write(bytes);
  }

  #copyFromSource(offset: number, length: number): void {
    if (this.#file?.sink === undefined) return;
    const source = this.#openSource();
    if (offset + length > source.sizeBytes) {
      throw invalid(`it reads ${length} bytes at ${offset} of a source of ${source.sizeBytes} bytes`);
    }
    for (let done = 0; done < length; done += PIECE_BYTES) {
      this.#append(source.read(offset + done, Math.min(PIECE_BYTES, length - done)));
    }
  }

  #patch(patch: Uint8Array): void {
    const file = this.#file;
    if (file?.sink === undefined) return;
    applyBsdiff({ source: this.#openSource(), patch, outputBytes: file.left, write: (bytes) => this.#append(bytes) });
  }

  #openSource(): DeltaSource {
    if (this.#source === undefined) {
      if (this.#sourceName === undefined) throw new HacktreeError('internal', 'A checked delta program reads without a source');
      this.#source = this.#store.openSource(this.#sourceName);
    }
    return this.#source;
  }

  #dropSource(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#sourceName = undefined;
  }

  #close(): void {
    const file = this.#file;
    if (file === undefined) throw new HacktreeError('internal', 'A checked delta program closes nothing');
    if (file.sink === undefined) {
      this.#file = undefined;
      return;
    }
    if (file.left > 0) throw invalid(`${printObjectName(file.object)} lacks ${file.left} bytes`);
    // From here on the sink is the store's business, also when it refuses the object.
    this.#file = undefined;
    file.sink.finish(file.object.checksum);
    this.#filesWritten++;
  }
}

const METADATA_DECODERS: Record<DeltaMetadataType, (bytes: Buffer) => unknown> = {
  dirtree: decodeDirtree,
  dirmeta: decodeDirmeta,
  commit: decodeCommit,
};

/** Right bytes of a wrong shape are refused too: whoever made them could have named them so. */
function checkMetadata(type: DeltaMetadataType, bytes: Uint8Array): void {
  METADATA_DECODERS[type](asBuffer(bytes));
}

const invalid = (why: string): HacktreeError => new HacktreeError('delta-invalid', `Invalid part of a static delta: ${why}`);
