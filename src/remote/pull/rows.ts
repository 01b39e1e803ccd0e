/**
 * Lists of objects as tasks and their answers hold them: as bytes, so that a message between threads is one buffer, type (1 byte)
 * and checksum (32) each; where no thread is in between, as they are.
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum } from '../../core/index.ts';
import { OBJECT_TYPE_NUMBER, type ObjectName, type ObjectType, objectTypeFromNumber } from '../../format/index.ts';

/** Bytes, or the objects themselves. */
export type ObjectRows = Uint8Array | readonly ObjectName[];

const ROW_BYTES = 1 + CHECKSUM_BYTES;
const FIRST_ROWS = 64;

export class RowWriter {
  readonly #isPacked: boolean;
  #objects: ObjectName[] = [];
  #rows: Buffer;
  #length = 0;

  /** `isPacked`: the rows are for another thread. */
  constructor(isPacked: boolean) {
    this.#isPacked = isPacked;
    this.#rows = Buffer.allocUnsafe(isPacked ? FIRST_ROWS * ROW_BYTES : 0);
  }

  get count(): number {
    return this.#isPacked ? this.#length / ROW_BYTES : this.#objects.length;
  }

  add(checksum: Checksum, type: ObjectType): void {
    if (this.#isPacked) this.#pack(checksum, type);
    else this.#objects.push({ checksum, type });
  }

  #pack(checksum: Checksum, type: ObjectType): void {
    if (this.#length === this.#rows.length) {
      const grown = Buffer.allocUnsafe(this.#rows.length * 2);
      this.#rows.copy(grown);
      this.#rows = grown;
    }
    this.#rows[this.#length] = OBJECT_TYPE_NUMBER[type];
    this.#rows.write(checksum, this.#length + 1, CHECKSUM_BYTES, 'hex');
    this.#length += ROW_BYTES;
  }

  /** Takes the rows out and starts anew. */
  take(): ObjectRows {
    const taken = this.#isPacked ? Buffer.from(this.#rows.subarray(0, this.#length)) : this.#objects;
    this.#length = 0;
    this.#objects = [];
    return taken;
  }
}

/** Takes rows apart. */
export function objectsOf(rows: ObjectRows): Iterable<ObjectName> {
  return rows instanceof Uint8Array ? unpacked(asBuffer(rows)) : rows;
}

function* unpacked(bytes: Buffer): Generator<ObjectName> {
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const type = objectTypeFromNumber(bytes[at] ?? 0) as ObjectType;
    yield { type, checksum: bytes.toString('hex', at + 1, at + ROW_BYTES) as Checksum };
  }
}
