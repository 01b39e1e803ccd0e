/** Sending many tasks to a pool with a bounded number under way, their results taken as they come. */
import type { Pool } from './pool.ts';

/** Size of the next batch of `left` items: smaller and smaller at the end, so that all threads end at about the same time. */
export function batchSize({ capacity }: { readonly capacity: number }, left: number, most: number): number {
  return Math.max(1, Math.min(most, Math.ceil(left / (2 * capacity))));
}

export class PoolRuns<Task, Result> {
  readonly #pool: Pool<Task, Result>;
  readonly #receive: (result: Result) => void;
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(pool: Pool<Task, Result>, receive: (result: Result) => void) {
    this.#pool = pool;
    this.#receive = receive;
  }

  /** Sends a task and waits until there is room for another. Errors: the first of the tasks and of `receive`, when none runs any more. */
  async send(task: Task): Promise<void> {
    const running: Promise<void> = this.#pool
      .run(task)
      .then(this.#receive)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
    const done = running.then(() => void this.#running.delete(done));
    this.#running.add(done);
    while (this.#running.size >= this.#pool.capacity) await Promise.race(this.#running);
    if (this.#failure !== undefined) await this.finish();
  }

  /** Waits until all tasks have ended. Errors: as send. */
  async finish(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
