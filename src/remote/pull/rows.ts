/** Lists of objects as bytes, so that a message between threads is one buffer: type (1 byte) and checksum (32) each. */
import { asBuffer, CHECKSUM_BYTES, type Checksum } from '../../core/index.ts';
import { OBJECT_TYPE_NUMBER, type ObjectName, type ObjectType, objectTypeFromNumber } from '../../format/index.ts';

const ROW_BYTES = 1 + CHECKSUM_BYTES;
const FIRST_ROWS = 64;

export class ObjectRows {
  #rows = Buffer.allocUnsafe(FIRST_ROWS * ROW_BYTES);
  #length = 0;

  get count(): number {
    return this.#length / ROW_BYTES;
  }

  add(checksum: Checksum, type: ObjectType): void {
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
  take(): Buffer {
    const rows = Buffer.from(this.#rows.subarray(0, this.#length));
    this.#length = 0;
    return rows;
  }
}

/** Takes rows apart. */
export function* objectsOf(rows: Uint8Array): Generator<ObjectName> {
  const bytes = asBuffer(rows);
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const type = objectTypeFromNumber(bytes[at] ?? 0) as ObjectType;
    yield { type, checksum: bytes.toString('hex', at + 1, at + ROW_BYTES) as Checksum };
  }
}
