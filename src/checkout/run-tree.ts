/**
 * Runs a tree's directories through the threads: this one begins at once, others join when the tree has proved large and they
 * have started (a start costs as much as a thousand links). Directories are dealt out in small lots, and what a thread
 * cannot finish in its slice comes back, so that all end together whatever the tree's shape.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HacktreeError, type ReportProgress } from '../core/index.ts';
import { openPool, type Pool } from '../sys/index.ts';
import { noTally, type Tally } from './context.ts';
import type { DirTask, LateMode } from './place-dir.ts';
import type { Share, ShareResult, Work, WorkInit } from './work.ts';

export interface RunOptions {
  /** This thread included. */
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ReportProgress | undefined;
}

/** More threads than these only wait for the kernel's locks. */
const MAX_THREADS = 4;
/** A tree with fewer directories waiting, or entries done, may be finished before another thread has started. */
const LARGE_TASKS = 48;
const LARGE_ENTRIES = 600;
const MAIN_SLICE_MS = 3;
const WORKER_SLICE_MS = 4;
/** Lots under way per worker: one at work, one waiting. */
const LOTS_AHEAD = 2;
const MAX_LOT = 64;

/** Checks out a directory and everything below it. Errors: those of the placers; `interrupted`. */
export async function runTree(start: DirTask, work: Work, init: WorkInit, options: RunOptions): Promise<TreeRun> {
  const run = new TreeRun(start, work, init, options);
  await run.finish();
  return run;
}

export class TreeRun {
  readonly tally: Tally = noTally();
  readonly lateModes: LateMode[] = [];
  readonly #work: Work;
  readonly #init: WorkInit;
  readonly #options: RunOptions;
  readonly #threads: number;
  readonly #tasks: DirTask[];
  #pool: Pool<Share, ShareResult> | undefined;
  #workersReady = false;
  /** Lots given to workers and not back yet. */
  readonly #lots = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(start: DirTask, work: Work, init: WorkInit, options: RunOptions) {
    this.#tasks = [start];
    this.#work = work;
    this.#init = init;
    this.#options = options;
    this.#threads = options.threads ?? Math.min(MAX_THREADS, availableParallelism());
  }

  async finish(): Promise<void> {
    try {
      while (this.#tasks.length > 0 || this.#lots.size > 0) {
        this.#checkStop();
        await this.#turn();
      }
      this.#checkStop();
    } finally {
      await Promise.all(this.#lots);
      await this.#pool?.close();
    }
  }

  async #turn(): Promise<void> {
    if (this.#tasks.length === 0) {
      await Promise.race(this.#lots);
      return;
    }
    if (this.#pool === undefined && this.#threads > 1) {
      // One directory at a time, nearest to the root first: shows soonest how large the tree is.
      this.#take(await this.#work({ tasks: this.#tasks.splice(0, 1), sliceMs: 0 }));
    } else {
      this.#take(await this.#work({ tasks: this.#tasks.splice(0), sliceMs: MAIN_SLICE_MS }));
    }
    this.#openPool();
    this.#deal();
    await nextTurn();
  }

  #checkStop(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#options.signal?.aborted === true) throw new HacktreeError('interrupted', 'Checkout interrupted');
  }

  #take({ tasks, lateModes, tally }: ShareResult): void {
    for (const task of tasks) this.#tasks.push(task);
    for (const late of lateModes) this.lateModes.push(late);
    this.tally.files += tally.files;
    this.tally.dirs += tally.dirs;
    this.tally.linked += tally.linked;
    this.tally.copiedBytes += tally.copiedBytes;
    this.#options.onProgress?.({
      phase: 'Checking out',
      objectsDone: this.tally.files + this.tally.dirs,
      bytesDone: this.tally.copiedBytes,
    });
  }

  #openPool(): void {
    if (this.#pool !== undefined || this.#threads < 2 || this.#tasks.length < 2) return;
    if (this.#tasks.length < LARGE_TASKS && this.tally.files + this.tally.dirs < LARGE_ENTRIES) return;
    const size = this.#threads - 1;
    const pool = openPool<WorkInit, Share, ShareResult>({
      module: new URL('./checkout-worker.js', import.meta.url),
      init: this.#init,
      size,
    });
    this.#pool = pool;
    const pings = Array.from({ length: size }, () => pool.run({ tasks: [], sliceMs: 0 }));
    Promise.all(pings).then(
      () => {
        this.#workersReady = true;
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
  }

  /** Gives workers the directories found first: they are nearest to the root and have most below them. */
  #deal(): void {
    const pool = this.#pool;
    if (pool === undefined || !this.#workersReady) return;
    while (this.#lots.size < pool.size * LOTS_AHEAD && this.#tasks.length > 1) {
      const share = Math.ceil(this.#tasks.length / (pool.size * LOTS_AHEAD + 1));
      const tasks = this.#tasks.splice(0, Math.min(MAX_LOT, share));
      const lot: Promise<void> = pool.run({ tasks, sliceMs: WORKER_SLICE_MS }).then(
        (result) => {
          this.#lots.delete(lot);
          this.#take(result);
        },
        (error: unknown) => {
          this.#lots.delete(lot);
          this.#failure ??= { error };
        },
      );
      this.#lots.add(lot);
    }
  }
}
