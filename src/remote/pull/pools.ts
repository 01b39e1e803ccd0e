/** Who does the tasks of a pull: threads, or for little the thread that asks, since threads take long to start. */
import { openPool, type Pool } from '../../sys/index.ts';
import type { PullBatchResult, PullTask, PullWorkerInit } from './pull-worker.ts';

export type PullPool = Pool<PullTask, PullBatchResult>;

export interface PullPools {
  readonly pool: PullPool;
  /** The calling thread. */
  readonly here: PullPool;
}

/** As much content as one thread has fetched by the time when others have started. */
const FEW_OBJECTS = 128;
const FEW_BYTES = 16_000_000;

/** Opens both; `threads` as of openPool. No thread starts before it has a task. */
export function openPools(init: PullWorkerInit, threads: number | undefined): PullPools {
  const open = (size: number | undefined): PullPool =>
    openPool({
      module: new URL('./pull-worker.js', import.meta.url),
      init,
      size,
      // Buffers of objects live shortly: collected often, they do not pile up.
      youngGenerationMb: 4,
    });
  return { pool: open(threads), here: open(0) };
}

/** Ends both. */
export async function closePools({ pool, here }: PullPools): Promise<void> {
  await Promise.all([pool.close(), here.close()]);
}

/** Chooses for so many file objects, of `bytes` to download or to copy where that is known. */
export function poolFor({ pool, here }: PullPools, objects: number, bytes: number | undefined): PullPool {
  return objects <= FEW_OBJECTS && bytes !== undefined && bytes <= FEW_BYTES ? here : pool;
}
