/**
 * One part of a static delta: a byte that names the compression, then the payload `(a(uuu)aa(ayay)ayay)`: modes (uid, gid,
 * mode, big-endian), xattr lists, a blob, and a program that makes objects out of the blob and of objects at hand.
 *
 * Decoding a program checks everything that can be known without running it: each operand lies within its table or the
 * blob, operations come in an order that makes sense, and exactly the part's objects are made. What it does not know is
 * the size of a read source. Compression itself is done elsewhere.
 *
 * Source: ostree-format 10.3.
 */
import { asBuffer, CHECKSUM_BYTES, HacktreeError, swap32 } from '../core/index.ts';
import { encodeVariant } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';
import { isMetadataType, type ObjectName } from './objects.ts';
import { decodeVarint, encodeVarint } from './varint.ts';
import { type Xattrs, xattrsFromValue, xattrsToValue } from './xattrs.ts';

const PAYLOAD_TYPE = '(a(uuu)aa(ayay)ayay)';

export type PartCompression = 'none' | 'xz';

/** What a part file holds: the payload, as it is or as an xz stream. */
export interface PartFile {
  readonly compression: PartCompression;
  readonly bytes: Buffer;
}

/** Encodes a part file. */
export function encodePartFile({ compression, bytes }: PartFile): Buffer {
  return Buffer.concat([Buffer.from([compression === 'xz' ? 0x78 : 0]), bytes]);
}

/** Splits a part file. Errors: `format-invalid`. */
export function decodePartFile(raw: Uint8Array): PartFile {
  if (raw[0] !== 0 && raw[0] !== 0x78) throw invalid(`compression ${raw[0]}`);
  return { compression: raw[0] === 0 ? 'none' : 'xz', bytes: asBuffer(raw.subarray(1)) };
}

export interface OwnerMode {
  readonly uid: number;
  readonly gid: number;
  /** With file type bits. */
  readonly mode: number;
}

export interface PartPayload {
  readonly modes: readonly OwnerMode[];
  readonly xattrs: readonly Xattrs[];
  readonly blob: Uint8Array;
  /** The program, see decodeOperations. */
  readonly operations: Uint8Array;
}

export function encodePayload({ modes, xattrs, blob, operations }: PartPayload): Buffer {
  return encodeVariant(PAYLOAD_TYPE, [
    modes.map(({ uid, gid, mode }) => [swap32(uid), swap32(gid), swap32(mode)]),
    xattrs.map(xattrsToValue),
    blob,
    operations,
  ]);
}

/** Decodes a payload; blob and operations are views of the bytes. Errors: `format-invalid`. */
export function decodePayload(bytes: Uint8Array): PartPayload {
  const [modes, xattrs, blob, operations] = decodeVariant(PAYLOAD_TYPE, bytes) as [
    [number, number, number][],
    unknown[],
    Uint8Array,
    Uint8Array,
  ];
  return {
    modes: modes.map(([uid, gid, mode]) => ({ uid: swap32(uid), gid: swap32(gid), mode: swap32(mode) })),
    xattrs: xattrs.map((list) => xattrsFromValue(list, { anyOrder: true })),
    blob,
    operations,
  };
}

export type DeltaOperation =
  /** A whole metadata object lies in the blob. */
  | { readonly op: 'splice-metadata'; readonly length: number; readonly offset: number }
  /** A whole file (for a symlink: its target) lies in the blob. */
  | {
      readonly op: 'splice-content';
      readonly mode: number;
      readonly xattrs: number;
      readonly length: number;
      readonly offset: number;
    }
  /** Starts a file of this size; `mode` and `xattrs` are positions in the tables. */
  | { readonly op: 'open'; readonly mode: number; readonly xattrs: number; readonly sizeBytes: number }
  /** Appends from the blob, or from the read source when one is set. */
  | { readonly op: 'write'; readonly length: number; readonly offset: number }
  /** The content of the file object whose checksum lies at this place of the blob becomes the read source. */
  | { readonly op: 'set-read-source'; readonly offset: number }
  | { readonly op: 'unset-read-source' }
  | { readonly op: 'close' }
  /** Applies bsdiff data of the blob to the read source. */
  | { readonly op: 'bspatch'; readonly offset: number; readonly length: number };

const CODES = { splice: 0x53, open: 0x6f, write: 0x77, setSource: 0x72, unsetSource: 0x52, close: 0x63, bspatch: 0x42 };

/** Encodes a program. */
export function encodeOperations(operations: readonly DeltaOperation[]): Buffer {
  return Buffer.concat(operations.map(encodeOperation));
}

function encodeOperation(o: DeltaOperation): Buffer {
  switch (o.op) {
    case 'splice-metadata':
      return operation(CODES.splice, o.length, o.offset);
    case 'splice-content':
      return operation(CODES.splice, o.mode, o.xattrs, o.length, o.offset);
    case 'open':
      return operation(CODES.open, o.mode, o.xattrs, o.sizeBytes);
    case 'write':
      return operation(CODES.write, o.length, o.offset);
    case 'set-read-source':
      return operation(CODES.setSource, o.offset);
    case 'unset-read-source':
      return operation(CODES.unsetSource);
    case 'close':
      return operation(CODES.close);
    default:
      return operation(CODES.bspatch, o.offset, o.length);
  }
}

function operation(code: number, ...operands: number[]): Buffer {
  return Buffer.concat([Buffer.from([code]), ...operands.map(encodeVarint)]);
}

/** Decodes and checks the program of a part that makes these objects. Errors: `format-invalid`. */
export function decodeOperations(payload: PartPayload, objects: readonly ObjectName[]): DeltaOperation[] {
  return new ProgramReader(payload, objects).read();
}

class ProgramReader {
  readonly #payload: PartPayload;
  readonly #objects: readonly ObjectName[];
  #at = 0;
  #made = 0;
  #isOpen = false;
  #hasSource = false;

  constructor(payload: PartPayload, objects: readonly ObjectName[]) {
    this.#payload = payload;
    this.#objects = objects;
  }

  read(): DeltaOperation[] {
    const operations: DeltaOperation[] = [];
    while (this.#at < this.#payload.operations.length) operations.push(this.#operation());
    if (this.#isOpen) throw invalid('the last object is never closed');
    if (this.#made !== this.#objects.length) throw invalid(`it makes ${this.#made} of ${this.#objects.length} objects`);
    return operations;
  }

  #operation(): DeltaOperation {
    const code = this.#payload.operations[this.#at++] ?? 0;
    switch (code) {
      case CODES.splice:
        return this.#splice();
      case CODES.open:
        return this.#open();
      case CODES.write:
        return this.#write();
      case CODES.setSource:
        return this.#setSource();
      case CODES.unsetSource:
        if (!this.#hasSource) throw invalid('there is no read source to unset');
        this.#hasSource = false;
        return { op: 'unset-read-source' };
      case CODES.close:
        if (!this.#isOpen) throw invalid('there is no object to close');
        this.#isOpen = false;
        this.#made++;
        return { op: 'close' };
      case CODES.bspatch:
        return this.#bspatch();
      default:
        throw invalid(`unknown operation 0x${code.toString(16)} at ${this.#at - 1}`);
    }
  }

  #splice(): DeltaOperation {
    const isMetadata = isMetadataType(this.#next().type);
    this.#made++;
    if (isMetadata) return { op: 'splice-metadata', ...this.#lengthInBlob() };
    return { op: 'splice-content', ...this.#modeAndXattrs(), ...this.#lengthInBlob() };
  }

  #open(): DeltaOperation {
    if (isMetadataType(this.#next().type)) throw invalid('a metadata object is opened as a file');
    this.#isOpen = true;
    return { op: 'open', ...this.#modeAndXattrs(), sizeBytes: this.#operand() };
  }

  #write(): DeltaOperation {
    if (!this.#isOpen) throw invalid('there is no open object to write to');
    if (!this.#hasSource) return { op: 'write', ...this.#lengthInBlob() };
    const length = this.#operand();
    return { op: 'write', length, offset: this.#operand() };
  }

  #setSource(): DeltaOperation {
    const offset = this.#operand();
    this.#checkInBlob(offset, CHECKSUM_BYTES);
    this.#hasSource = true;
    return { op: 'set-read-source', offset };
  }

  #bspatch(): DeltaOperation {
    if (!this.#isOpen || !this.#hasSource) throw invalid('bspatch needs an open object and a read source');
    const offset = this.#operand();
    const length = this.#operand();
    this.#checkInBlob(offset, length);
    return { op: 'bspatch', offset, length };
  }

  /** The object that the next operation makes. */
  #next(): ObjectName {
    if (this.#isOpen) throw invalid('an object is begun while another one is open');
    const object = this.#objects[this.#made];
    if (object === undefined) throw invalid('it makes more objects than listed');
    return object;
  }

  #modeAndXattrs(): { mode: number; xattrs: number } {
    const mode = this.#operand();
    const xattrs = this.#operand();
    if (mode >= this.#payload.modes.length) throw invalid(`mode ${mode} of ${this.#payload.modes.length}`);
    if (xattrs >= this.#payload.xattrs.length) throw invalid(`xattr list ${xattrs} of ${this.#payload.xattrs.length}`);
    return { mode, xattrs };
  }

  #lengthInBlob(): { length: number; offset: number } {
    const length = this.#operand();
    const offset = this.#operand();
    this.#checkInBlob(offset, length);
    return { length, offset };
  }

  #checkInBlob(offset: number, length: number): void {
    const size = this.#payload.blob.length;
    if (offset + length > size) throw invalid(`${length} bytes at ${offset} of a blob of ${size}`);
  }

  #operand(): number {
    const { value, end } = decodeVarint(this.#payload.operations, this.#at);
    this.#at = end;
    return value;
  }
}

const invalid = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid part of a static delta: ${why}`);
