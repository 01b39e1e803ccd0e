/**
 * One segment of the content index: searching it by positional reads, reading it through, writing it.
 *
 * Digests are evenly spread, so a record's place is guessed from its value and one read of 4 KiB nearly always has it;
 * where the guess fails, halving takes over. Opening checks magic, version and size only; the SHA-256 at the end is
 * checked by whoever reads the whole segment (merge, check).
 *
 * Source: the layout in layout.ts; docs/format.md, "Content index".
 */
import * as fs from 'node:fs';
import { createSha256, HacktreeError } from '../../core/index.ts';
import { DurableFile } from '../../sys/index.ts';
import { readFully } from '../object-read.ts';
import { FANOUT_BYTES, FANOUT_MIN_RECORDS, KEY_BYTES, MAGIC, RECORD_BYTES, segmentBytes, TRAILER_BYTES } from './layout.ts';

/** Records in one positional read: 4 KiB. */
const WINDOW_RECORDS = 64;
/** Guesses before the search halves instead. */
const MAX_GUESSES = 4;
const KEY_SPACE = 2 ** 48;
const READ_BYTES = 1 << 18;

/** Fills a buffer with the rows [from, from + buffer.length / 64) of a segment. */
function readRows(fd: number, buffer: Buffer, from: number): void {
  const read = readFully(fd, buffer, MAGIC.length + from * RECORD_BYTES);
  if (read !== buffer.length) throw new HacktreeError('index-corrupt', 'A segment of the content index was cut while open');
}

/** An open segment. */
export class Segment {
  readonly path: string;
  readonly count: number;
  readonly #fd: number;
  readonly #fanout: Buffer | undefined;
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_RECORDS * RECORD_BYTES);
  /** The rows read last, and where they begin: looking sorted digests up reads each row about once. */
  #window = this.#buffer.subarray(0, 0);
  #windowStart = 0;

  private constructor(path: string, fd: number, count: number, fanout: Buffer | undefined) {
    this.path = path;
    this.count = count;
    this.#fd = fd;
    this.#fanout = fanout;
  }

  /** Opens a segment; undefined when it is not one (magic, version, size). Errors: those of the system. */
  static open(path: string): Segment | undefined {
    const fd = fs.openSync(path, 'r');
    try {
      const count = readCount(fd);
      if (count !== undefined) return new Segment(path, fd, count, readFanout(fd, count));
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    fs.closeSync(fd);
    return undefined;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  /** Calls back with the object checksum (32 bytes, valid during the call) of every record of a digest. */
  find(digest: Buffer, found: (object: Buffer) => void): void {
    for (let at = this.#lowerBound(digest); at < this.count; ) {
      const window = this.#held(at) ?? this.#read(at, Math.min(this.count, at + WINDOW_RECORDS));
      for (let offset = 0; offset < window.length; offset += RECORD_BYTES, at++) {
        if (digest.compare(window, offset, offset + KEY_BYTES) !== 0) return;
        found(window.subarray(offset + KEY_BYTES, offset + RECORD_BYTES));
      }
    }
  }

  /** Position of the first record whose digest is not below the one given. */
  #lowerBound(digest: Buffer): number {
    const held = firstNotBelow(this.#window, digest);
    if (held > 0 && held < this.#window.length) return this.#windowStart + held / RECORD_BYTES;
    const key = digest.readUIntBE(0, 6);
    let { low, high, lowKey, highKey } = this.#bucket(digest[0] as number);
    for (let round = 0; low < high; round++) {
      const share = round < MAX_GUESSES && highKey > lowKey ? (key - lowKey) / (highKey - lowKey) : 0.5;
      const guess = low + Math.floor((high - low) * share) - WINDOW_RECORDS / 2;
      const start = Math.max(low, Math.min(guess, high - WINDOW_RECORDS));
      const window = this.#read(start, Math.min(high, start + WINDOW_RECORDS));
      const end = start + window.length / RECORD_BYTES;
      const first = firstNotBelow(window, digest);
      if (first === window.length) {
        low = end;
        lowKey = window.readUIntBE(window.length - RECORD_BYTES, 6);
      } else if (first === 0) {
        high = start;
        highKey = window.readUIntBE(0, 6);
      } else {
        return start + first / RECORD_BYTES;
      }
    }
    return low;
  }

  /** Where records with this first byte are: positions [low, high) and the range of their first 48 bits. */
  #bucket(byte: number): { low: number; high: number; lowKey: number; highKey: number } {
    if (this.#fanout === undefined) return { low: 0, high: this.count, lowKey: 0, highKey: KEY_SPACE };
    const low = byte === 0 ? 0 : this.#fanout.readUInt32LE((byte - 1) * 4);
    const high = this.#fanout.readUInt32LE(byte * 4);
    return { low, high: Math.min(high, this.count), lowKey: (byte * KEY_SPACE) / 256, highKey: ((byte + 1) * KEY_SPACE) / 256 };
  }

  #read(from: number, to: number): Buffer {
    this.#window = this.#buffer.subarray(0, 0);
    const window = this.#buffer.subarray(0, (to - from) * RECORD_BYTES);
    readRows(this.#fd, window, from);
    this.#window = window;
    this.#windowStart = from;
    return window;
  }

  /** The rows from this position on that were read last; undefined when it is not among them. */
  #held(at: number): Buffer | undefined {
    const offset = (at - this.#windowStart) * RECORD_BYTES;
    return offset >= 0 && offset < this.#window.length ? this.#window.subarray(offset) : undefined;
  }

  /** Yields the rows in pieces that are valid until the next one is asked for. */
  *pieces(): Generator<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(RECORD_BYTES, this.count * RECORD_BYTES)));
    for (let at = 0; at < this.count; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, (this.count - at) * RECORD_BYTES));
      readRows(this.#fd, piece, at);
      yield piece;
      at += piece.length / RECORD_BYTES;
    }
  }

  /** Reads the whole segment and tells whether its SHA-256 is right. */
  isSound(): boolean {
    const hash = createSha256();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const end = segmentBytes(this.count) - KEY_BYTES;
    for (let at = 0; at < end; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, end - at));
      if (readFully(this.#fd, piece, at) !== piece.length) return false;
      hash.update(piece);
      at += piece.length;
    }
    const expected = Buffer.alloc(KEY_BYTES);
    return readFully(this.#fd, expected, end) === KEY_BYTES && hash.digest().equals(expected);
  }
}

/** Offset of the first row in a window whose digest is not below the one given; the window's length when there is none. */
function firstNotBelow(window: Buffer, digest: Buffer): number {
  let low = 0;
  let high = window.length / RECORD_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const offset = middle * RECORD_BYTES;
    if (digest.compare(window, offset, offset + KEY_BYTES) > 0) low = middle + 1;
    else high = middle;
  }
  return low * RECORD_BYTES;
}

/** Number of records, or undefined when magic, version or size are not those of a segment. */
function readCount(fd: number): number | undefined {
  const { size } = fs.fstatSync(fd);
  if (size < segmentBytes(0)) return undefined;
  const magic = Buffer.alloc(MAGIC.length);
  const count = Buffer.alloc(8);
  readFully(fd, magic, 0);
  readFully(fd, count, size - TRAILER_BYTES);
  const number = Number(count.readBigUInt64LE());
  return magic.equals(MAGIC) && segmentBytes(number) === size ? number : undefined;
}

function readFanout(fd: number, count: number): Buffer | undefined {
  if (count < FANOUT_MIN_RECORDS) return undefined;
  const fanout = Buffer.allocUnsafe(FANOUT_BYTES);
  readFully(fd, fanout, MAGIC.length + count * RECORD_BYTES);
  return fanout;
}

/** Writes a segment from rows that come sorted and unique. Call finish or abort exactly once. */
export class SegmentWriter {
  readonly #file: DurableFile;
  readonly #hash = createSha256();
  readonly #fanout = new Uint32Array(256);
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  #filled = 0;
  #count = 0;

  constructor(path: string, options: { sync: boolean }) {
    this.#file = new DurableFile(path, options);
    this.#put(MAGIC);
  }

  get count(): number {
    return this.#count;
  }

  /** Appends the rows in [start, end) of a buffer. */
  add(rows: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (this.#filled === this.#buffer.length) this.#flush();
      const copied = rows.copy(this.#buffer, this.#filled, at, end);
      this.#filled += copied;
      at += copied;
    }
    for (let at = start; at < end; at += RECORD_BYTES) (this.#fanout[rows[at] as number] as number)++;
    this.#count += (end - start) / RECORD_BYTES;
  }

  /** Completes the segment; with it the file gets its name. */
  finish(): void {
    this.#flush();
    if (this.#count >= FANOUT_MIN_RECORDS) this.#put(this.#cumulated());
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(this.#count));
    this.#put(count);
    this.#file.write(this.#hash.digest());
    this.#file.commit();
  }

  abort(): void {
    this.#file.abort();
  }

  #cumulated(): Buffer {
    const bytes = Buffer.alloc(FANOUT_BYTES);
    let sum = 0;
    this.#fanout.forEach((number, byte) => {
      sum += number;
      bytes.writeUInt32LE(sum, byte * 4);
    });
    return bytes;
  }

  #flush(): void {
    this.#put(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #put(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#file.write(bytes);
  }
}
