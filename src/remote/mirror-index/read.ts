/**
 * Looking objects up in a mirror's content index.
 *
 * Few objects: the fan-out, then the buckets they are in, then the headers they need, neighbours in one request. Many: the
 * whole file in one go. Whatever is wrong with the index, the answer is only that an object is not in it: what it says is
 * verified when the object is made.
 */
import { type Checksum, HacktreeError, isHacktreeError } from '../../core/index.ts';
import type { RemoteAccess } from '../access.ts';
import {
  bucketOf,
  FIXED_BYTES,
  fanoutBytes,
  headersOffset,
  INDEX_DIR,
  type IndexPointer,
  parsePointer,
  RECORD_BYTES,
  recordsOffset,
} from './layout.ts';
import { IndexRecords, RecordCollector } from './records.ts';

/** From this share of the objects on the whole index is fetched. */
const WHOLE_FROM_SHARE = 1 / 16;
/** Ranges closer than this are one request. */
const MERGE_GAP_BYTES = 4096;
const PARALLEL = 4;
const MAX_INDEX_BYTES = 1 << 29;

type Range = readonly [start: number, end: number];

export class MirrorIndex {
  readonly #access: RemoteAccess;
  readonly #pointer: IndexPointer;
  #whole: Buffer | undefined;

  private constructor(access: RemoteAccess, pointer: IndexPointer) {
    this.#access = access;
    this.#pointer = pointer;
  }

  /** Opens a mirror's index; undefined when there is none that can be used. */
  static async open(access: RemoteAccess): Promise<MirrorIndex | undefined> {
    return orNothing(async () => {
      const found = await access.file(`${INDEX_DIR}/current`, { limitBytes: 4096, retry: false });
      const pointer = found === undefined ? undefined : parsePointer(found.bytes);
      return pointer === undefined ? undefined : new MirrorIndex(access, pointer);
    });
  }

  /** Finds the records of objects; those that are not in the index are left out. */
  async find(checksums: readonly Checksum[]): Promise<IndexRecords> {
    return (await orNothing(() => this.#find(checksums))) ?? IndexRecords.NONE;
  }

  /** Reads headers, given as length by offset; returns them by offset. */
  async headers(lengths: ReadonlyMap<number, number>): Promise<Map<number, Uint8Array>> {
    return (await orNothing(() => this.#headers(lengths))) ?? new Map();
  }

  async #find(checksums: readonly Checksum[]): Promise<IndexRecords> {
    const { bits, count, sizeBytes } = this.#pointer;
    if (checksums.length >= count * WHOLE_FROM_SHARE && sizeBytes <= MAX_INDEX_BYTES)
      this.#whole = await this.#fetch([0, sizeBytes]);
    const base = recordsOffset(this.#pointer);
    const all: Range[] = [[base, base + count * RECORD_BYTES]];
    const ranges = this.#whole === undefined ? await this.#bucketRanges(checksums, bits) : all;
    const found = new RecordCollector(checksums);
    await this.#each(ranges, (bytes) => {
      for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) found.offer(bytes, at);
    });
    return found.records();
  }

  /** Where the buckets of objects are. */
  async #bucketRanges(checksums: readonly Checksum[], bits: number): Promise<Range[]> {
    const fanout = await this.#fetch([FIXED_BYTES, FIXED_BYTES + fanoutBytes(bits)]);
    const { count } = this.#pointer;
    const base = recordsOffset(this.#pointer);
    const position = (entry: number): number => base + Math.min(count, fanout.readUInt32LE(entry * 4)) * RECORD_BYTES;
    const buckets = [...new Set(checksums.map((checksum) => bucketOf(checksum, bits)))].sort((a, b) => a - b);
    return buckets.map((bucket): Range => [position(bucket), position(bucket + 1)]);
  }

  async #headers(lengths: ReadonlyMap<number, number>): Promise<Map<number, Uint8Array>> {
    const base = headersOffset(this.#pointer);
    const places = [...lengths].sort(([a], [b]) => a - b);
    const found = new Map<number, Uint8Array>();
    await this.#each(
      places.map(([offset, length]): Range => [base + offset, base + offset + length]),
      (bytes, start) => {
        for (const [offset, length] of places) {
          const at = base + offset - start;
          // A copy: a view would take all of `bytes` along to another thread.
          if (at >= 0 && at + length <= bytes.length) found.set(offset, Uint8Array.from(bytes.subarray(at, at + length)));
        }
      },
    );
    return found;
  }

  /** Fetches sorted ranges, neighbours together. */
  async #each(ranges: readonly Range[], take: (bytes: Buffer, start: number) => void): Promise<void> {
    const merged: [number, number][] = [];
    for (const [start, end] of ranges) {
      const last = merged.at(-1);
      if (end <= start) continue;
      if (last !== undefined && start - last[1] <= MERGE_GAP_BYTES) last[1] = Math.max(last[1], end);
      else merged.push([start, end]);
    }
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let range = merged[next++]; range !== undefined; range = merged[next++]) take(await this.#fetch(range), range[0]);
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));
  }

  async #fetch([start, end]: Range): Promise<Buffer> {
    if (this.#whole !== undefined) return this.#whole.subarray(start, end);
    const path = `${INDEX_DIR}/${this.#pointer.file}`;
    const found = await this.#access.file(path, { range: [start, end - 1], limitBytes: this.#pointer.sizeBytes });
    if (found !== undefined && found.bytes.length === end - start) return found.bytes;
    throw new HacktreeError('index-corrupt', `The content index of ${this.#access.where} is cut or gone`, { details: { path } });
  }
}

/** An index that cannot be read is done without. */
export async function orNothing<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isHacktreeError(error) || error instanceof RangeError) return undefined;
    throw error;
  }
}
