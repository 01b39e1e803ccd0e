/**
 * Dealing many objects out to a pool, a batch of raw checksums per message, with a bounded number under way.
 *
 * The caller awaits what add() returns, which is nothing most of the time: no promise per object.
 */
import { CHECKSUM_BYTES, type Checksum } from '../core/index.ts';
import { type Pool, PoolRuns } from '../sys/index.ts';

const BATCH_OBJECTS = 64;

/** Takes the checksums of a batch apart. */
export function* checksumsOf(batch: Uint8Array): Generator<Checksum> {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at < bytes.length; at += CHECKSUM_BYTES) yield bytes.toString('hex', at, at + CHECKSUM_BYTES) as Checksum;
}

export class ObjectBatches<Result> {
  readonly #runs: PoolRuns<Uint8Array, Result>;
  #batch = Buffer.alloc(BATCH_OBJECTS * CHECKSUM_BYTES);
  #filled = 0;

  constructor(pool: Pool<Uint8Array, Result>, receive: (result: Result) => void) {
    this.#runs = new PoolRuns(pool, receive);
  }

  /** Adds an object. A returned promise must be awaited before the next call. Errors: those of the task and of `receive`. */
  add(checksum: Checksum): Promise<void> | undefined {
    this.#filled += this.#batch.write(checksum, this.#filled, 'hex');
    return this.#filled === this.#batch.length ? this.#send() : undefined;
  }

  /** Waits until every object has been dealt with. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await this.#runs.finish();
  }

  #send(): Promise<void> {
    const task = this.#batch.subarray(0, this.#filled);
    this.#batch = Buffer.alloc(BATCH_OBJECTS * CHECKSUM_BYTES);
    this.#filled = 0;
    return this.#runs.send(task);
  }
}
