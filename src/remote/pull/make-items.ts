/**
 * Objects to make of content that is here, as a task between threads holds them: one row of bytes each, and the headers that rows
 * name by number, each once.
 *
 *     0 checksum (32), 32 content digest (32; zeros for a symlink), 64 u16 number of the header, 66 u8 n, 67 u48 bytes of content,
 *     73 n candidates of at most 4 (32 each): file objects that should hold the content; numbers are little-endian
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum, type ContentDigest } from '../../core/index.ts';
import type { IndexRecords } from '../mirror-index/records.ts';
import type { MakeItem } from './make-file.ts';

const MAX_CANDIDATES = 4;
const HEADER_AT = 64;
const COUNT_AT = 66;
const CONTENT_BYTES_AT = 67;
const CANDIDATES_AT = 73;
const ITEM_BYTES = CANDIDATES_AT + MAX_CANDIDATES * CHECKSUM_BYTES;

export interface MakeItems {
  readonly rows: Uint8Array;
  readonly headers: readonly Uint8Array[];
}

/** The content that the rows of a plan have here. */
export class Candidates {
  readonly #counts: Uint8Array;
  readonly #objects: Buffer;

  constructor(rows: number) {
    this.#counts = new Uint8Array(rows);
    this.#objects = Buffer.allocUnsafe(rows * MAX_CANDIDATES * CHECKSUM_BYTES);
  }

  count(row: number): number {
    return this.#counts[row] as number;
  }

  /** Notes an object, unless it was noted just before or there are enough. */
  add(row: number, bytes: Buffer, at: number): void {
    const count = this.count(row);
    const end = (row * MAX_CANDIDATES + count) * CHECKSUM_BYTES;
    const isKnown = count > 0 && this.#objects.compare(bytes, at, at + CHECKSUM_BYTES, end - CHECKSUM_BYTES, end) === 0;
    if (count === MAX_CANDIDATES || isKnown) return;
    bytes.copy(this.#objects, end, at, at + CHECKSUM_BYTES);
    this.#counts[row] = count + 1;
  }

  copy(row: number, to: Buffer, at: number): void {
    const start = row * MAX_CANDIDATES * CHECKSUM_BYTES;
    this.#objects.copy(to, at, start, start + this.count(row) * CHECKSUM_BYTES);
  }
}

/** Collects the rows of one task. */
export class MakeItemWriter {
  readonly #rows: Buffer;
  readonly #numbers = new Map<number, number>();
  readonly #headers: Uint8Array[] = [];
  #count = 0;

  constructor(rows: number) {
    this.#rows = Buffer.alloc(rows * ITEM_BYTES);
  }

  add(records: IndexRecords, row: number, candidates: Candidates, header: Uint8Array): void {
    const at = this.#count++ * ITEM_BYTES;
    records.copyHashes(row, this.#rows, at);
    this.#rows.writeUInt16LE(this.#numberOf(records.headerOffset(row), header), at + HEADER_AT);
    this.#rows[at + COUNT_AT] = candidates.count(row);
    this.#rows.writeUIntLE(records.contentBytes(row), at + CONTENT_BYTES_AT, 6);
    candidates.copy(row, this.#rows, at + CANDIDATES_AT);
  }

  items(): MakeItems {
    return { rows: this.#rows.subarray(0, this.#count * ITEM_BYTES), headers: this.#headers };
  }

  #numberOf(offset: number, header: Uint8Array): number {
    let number = this.#numbers.get(offset);
    if (number === undefined) {
      number = this.#headers.push(header) - 1;
      this.#numbers.set(offset, number);
    }
    return number;
  }
}

const NO_DIGEST = '0'.repeat(2 * CHECKSUM_BYTES);

/** Takes the items of a task apart. */
export function* itemsOf({ rows, headers }: MakeItems): Generator<MakeItem> {
  const bytes = asBuffer(rows);
  const hex = (at: number): string => bytes.toString('hex', at, at + CHECKSUM_BYTES);
  for (let at = 0; at < bytes.length; at += ITEM_BYTES) {
    const digest = hex(at + CHECKSUM_BYTES);
    yield {
      checksum: hex(at) as Checksum,
      digest: digest === NO_DIGEST ? undefined : (digest as ContentDigest),
      sizeBytes: bytes.readUIntLE(at + CONTENT_BYTES_AT, 6),
      header: headers[bytes.readUInt16LE(at + HEADER_AT)] as Uint8Array,
      candidates: Array.from(
        { length: bytes[at + COUNT_AT] as number },
        (_, i) => hex(at + CANDIDATES_AT + i * CHECKSUM_BYTES) as Checksum,
      ),
    };
  }
}
