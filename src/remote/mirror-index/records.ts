/** Records of a mirror's index as they lie in it, each object's once: tens of thousands are looked through without an object of each. */
import { CHECKSUM_BYTES, type Checksum, type ContentDigest, EMPTY_BYTES } from '../../core/index.ts';
import { type KeyedRows, ObjectTable } from '../../repo/index.ts';
import { type IndexRecord, RECORD_AT, RECORD_BYTES } from './layout.ts';

export class IndexRecords {
  static readonly NONE = new IndexRecords(Buffer.from(EMPTY_BYTES));
  readonly #rows: Buffer;

  constructor(rows: Buffer) {
    this.#rows = rows;
  }

  get count(): number {
    return this.#rows.length / RECORD_BYTES;
  }

  /** The content digests; those of symlinks are zeros. */
  get digests(): KeyedRows {
    return { bytes: this.#rows, count: this.count, rowBytes: RECORD_BYTES, keyOffset: RECORD_AT.digest };
  }

  record(row: number): IndexRecord {
    return {
      checksum: this.#hex(row, RECORD_AT.checksum) as Checksum,
      digest: this.isSymlink(row) ? undefined : (this.#hex(row, RECORD_AT.digest) as ContentDigest),
      headerOffset: this.headerOffset(row),
      headerLength: this.headerLength(row),
      contentBytes: this.contentBytes(row),
      archivedBytes: this.archivedBytes(row),
    };
  }

  isSymlink(row: number): boolean {
    const start = row * RECORD_BYTES + RECORD_AT.digest;
    for (let i = 0; i < CHECKSUM_BYTES; i++) if (this.#rows[start + i] !== 0) return false;
    return true;
  }

  headerOffset(row: number): number {
    return this.#rows.readUInt32LE(row * RECORD_BYTES + RECORD_AT.headerOffset);
  }

  headerLength(row: number): number {
    return this.#rows.readUInt32LE(row * RECORD_BYTES + RECORD_AT.headerLength);
  }

  contentBytes(row: number): number {
    return this.#rows.readUIntLE(row * RECORD_BYTES + RECORD_AT.contentBytes, 6);
  }

  archivedBytes(row: number): number {
    return this.#rows.readUIntLE(row * RECORD_BYTES + RECORD_AT.archivedBytes, 6);
  }

  /** Writes the checksum and the digest of a row, 64 bytes. */
  copyHashes(row: number, to: Buffer, at: number): void {
    this.#rows.copy(to, at, row * RECORD_BYTES, row * RECORD_BYTES + 2 * CHECKSUM_BYTES);
  }

  /** The objects of those rows that `isTaken`. */
  table(isTaken: (row: number) => boolean = () => true): ObjectTable {
    const table = new ObjectTable();
    for (let row = 0; row < this.count; row++) if (isTaken(row)) table.addBytes(this.#rows, row * RECORD_BYTES, 'file');
    return table;
  }

  #hex(row: number, offset: number): string {
    const start = row * RECORD_BYTES + offset;
    return this.#rows.toString('hex', start, start + CHECKSUM_BYTES);
  }
}

/** Collects the records of wanted objects, the first of each. */
export class RecordCollector {
  readonly #wanted = new ObjectTable();
  readonly #taken = new ObjectTable();
  readonly #rows: Buffer;

  constructor(wanted: readonly Checksum[]) {
    for (const checksum of wanted) this.#wanted.add(checksum, 'file');
    this.#rows = Buffer.allocUnsafe(this.#wanted.count * RECORD_BYTES);
  }

  /** Looks at the record at a position. */
  offer(bytes: Buffer, at: number): void {
    if (!this.#wanted.hasBytes(bytes, at, 'file') || !this.#taken.addBytes(bytes, at, 'file')) return;
    bytes.copy(this.#rows, (this.#taken.count - 1) * RECORD_BYTES, at, at + RECORD_BYTES);
  }

  records(): IndexRecords {
    return new IndexRecords(this.#rows.subarray(0, this.#taken.count * RECORD_BYTES));
  }
}
