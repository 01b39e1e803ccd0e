/** Swaps two names again and again in another thread, for tests of races. */
import { Worker } from 'node:worker_threads';

export interface Swapper {
  stop(): void;
}

/** Starts swapping; returns when it has begun. */
export function startSwapping(a: string, b: string): Swapper {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL('./swap-worker.js', import.meta.url), { workerData: { a, b, state } });
  worker.unref();
  Atomics.wait(state, 0, 0, 30_000);
  return {
    stop() {
      Atomics.store(state, 1, 1);
      Atomics.wait(state, 0, 1, 30_000);
    },
  };
}
