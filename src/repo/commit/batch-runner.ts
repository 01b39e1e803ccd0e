/**
 * Runs batches of files: in this thread while there are few, in a pool once there are many. Starting threads costs
 * more than committing a small tree.
 */
import { defaultPoolSize, openPool, type Pool } from '../../sys/index.ts';
import { type Batch, type BatchResult, type CommitWorkerInit, createWorker } from './commit-worker.ts';

/** Files from which on threads are worth their start. */
const THREADS_FROM_FILES = 128;

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

export class BatchRunner {
  readonly #init: CommitWorkerInit;
  readonly #size: number;
  readonly #waiting: Waiting[] = [];
  #files = 0;
  #inFlight = 0;
  #pool: Pool<Batch, BatchResult> | undefined;
  #wake: (() => void) | undefined;

  constructor(init: CommitWorkerInit, size: number = defaultPoolSize()) {
    this.#init = init;
    this.#size = size;
  }

  /** Runs a batch, now or when drained. `weight`: how many of its files are worth a thread's time. */
  submit(batch: Batch, weight: number): Promise<BatchResult> {
    this.#files += weight;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      if (this.#size > 0 && this.#files >= THREADS_FROM_FILES) this.#dispatch();
    });
  }

  /** True when as much is under way as the threads can take. */
  get isFull(): boolean {
    return this.#pool !== undefined && this.#inFlight >= this.#pool.capacity;
  }

  /** Waits until a running batch ends. */
  async room(): Promise<void> {
    while (this.isFull) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #dispatch(): void {
    this.#pool ??= openPool<CommitWorkerInit, Batch, BatchResult>({
      module: new URL('./commit-worker.js', import.meta.url),
      init: this.#init,
      size: this.#size,
      // Buffers of files live shortly: collected often, they do not pile up.
      youngGenerationMb: 4,
    });
    for (const { batch, resolve, reject } of this.#waiting.splice(0)) {
      this.#inFlight++;
      this.#pool
        .run(batch)
        .then(resolve, reject)
        .finally(() => {
          this.#inFlight--;
          this.#wake?.();
        });
    }
  }

  /** Runs what still waits in this thread. */
  drain(): void {
    if (this.#pool !== undefined) return;
    if (this.#waiting.length === 0) return;
    const run = createWorker(this.#init);
    for (const { batch, resolve, reject } of this.#waiting.splice(0)) {
      try {
        resolve(run(batch));
      } catch (error) {
        reject(error);
      }
    }
    run.close();
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
