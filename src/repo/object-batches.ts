/**
 * Dealing many objects out to a pool, a batch of raw checksums per message, with a bounded number under way.
 *
 * The caller awaits what add() returns, which is nothing most of the time: no promise per object.
 */
import { CHECKSUM_BYTES, type Checksum } from '../core/index.ts';
import type { Pool } from '../sys/index.ts';

const BATCH_OBJECTS = 64;

/** Takes the checksums of a batch apart. */
export function* checksumsOf(batch: Uint8Array): Generator<Checksum> {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at < bytes.length; at += CHECKSUM_BYTES) yield bytes.toString('hex', at, at + CHECKSUM_BYTES) as Checksum;
}

export class ObjectBatches<Result> {
  readonly #pool: Pool<Uint8Array, Result>;
  readonly #receive: (result: Result) => void;
  readonly #running = new Set<Promise<void>>();
  #batch = Buffer.alloc(BATCH_OBJECTS * CHECKSUM_BYTES);
  #filled = 0;
  #failure: { error: unknown } | undefined;

  constructor(pool: Pool<Uint8Array, Result>, receive: (result: Result) => void) {
    this.#pool = pool;
    this.#receive = receive;
  }

  /** Adds an object. A returned promise must be awaited before the next call. Errors: those of the task and of `receive`. */
  add(checksum: Checksum): Promise<void> | undefined {
    this.#filled += this.#batch.write(checksum, this.#filled, 'hex');
    return this.#filled === this.#batch.length ? this.#send() : undefined;
  }

  /** Waits until every object has been dealt with. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #send(): Promise<void> {
    const task = this.#batch.subarray(0, this.#filled);
    this.#batch = Buffer.alloc(BATCH_OBJECTS * CHECKSUM_BYTES);
    this.#filled = 0;
    const running: Promise<void> = this.#pool
      .run(task)
      .then(this.#receive)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
    const done = running.then(() => void this.#running.delete(done));
    this.#running.add(done);
    while (this.#running.size >= this.#pool.capacity) await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
