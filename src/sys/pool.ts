/**
 * A pool of worker threads behind an async function. It knows nothing of objects: plain data in, plain data out.
 *
 * A pool is given the URL of a module that exports `createWorker(init)`, which returns the function that does a task;
 * every thread calls it once and keeps its state (buffers, descriptors). Size 0 runs the very same function inline.
 * Send batches: a message costs more than a small file. Errors cross as data and come out as HacktreeError or as an
 * Error with the errno.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, type ErrorDetails, HacktreeError, isHacktreeError } from '../core/index.ts';
import { type ErrorMessage, openThread, type PoolThread, type Reply, type ThreadOwner } from './pool-thread.ts';

export interface Pool<Task, Result> {
  readonly size: number;
  /** Number of tasks that may be under way before run() should be awaited, to bound memory. */
  readonly capacity: number;
  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result>;
  /** Ends the threads. Tasks that they have not done by then fail: `interrupted`. May be called again. */
  close(): Promise<void>;
}

/** What the module of a pool exports. */
export interface WorkerModule<Init, Task, Result> {
  createWorker(init: Init): WorkerFunction<Task, Result> | Promise<WorkerFunction<Task, Result>>;
}

export interface WorkerFunction<Task, Result> {
  (task: Task): Result | Promise<Result>;
  close?(): void;
}

export interface PoolOptions<Init> {
  /** Module of the task, `new URL('./x-worker.js', import.meta.url)` beside the caller. */
  readonly module: URL;
  readonly init: Init;
  /** Threads; 0 = inline. Default: one per core, at most 8. */
  readonly size?: number;
  /** Memory for young objects of each thread; less means that it is collected more often. Default: Node's. */
  readonly youngGenerationMb?: number;
  /** Leaves the threads to a pool that is opened soon after this one has closed. */
  readonly leavesThreads?: boolean;
}

/** Default number of threads: one per core, at most 8. */
export function defaultPoolSize(): number {
  return Math.min(8, availableParallelism());
}

/** Opens a pool. A thread starts when there is a task and all others have one: a small job pays for few. */
export function openPool<Init, Task, Result>(options: PoolOptions<Init>): Pool<Task, Result> {
  const size = options.size ?? defaultPoolSize();
  return size === 0 ? inlinePool(options) : new ThreadPool(options, size);
}

function inlinePool<Init, Task, Result>(options: PoolOptions<Init>): Pool<Task, Result> {
  let ready: Promise<WorkerFunction<Task, Result>> | undefined;
  const start = async (): Promise<WorkerFunction<Task, Result>> => {
    const module: WorkerModule<Init, Task, Result> = await import(fileURLToPath(options.module));
    return module.createWorker(options.init);
  };
  return {
    size: 0,
    capacity: 1,
    async run(task) {
      ready ??= start();
      return (await ready)(task);
    },
    async close() {
      (await ready)?.close?.();
    },
  };
}

interface Job {
  readonly task: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Tasks sent ahead to each thread, so that it never waits for the main thread. */
const AHEAD = 2;

/** Unique among all pools: a thread may serve several, one after the other. */
let nextId = 0;

class ThreadPool<Init, Task, Result> implements Pool<Task, Result>, ThreadOwner {
  readonly size: number;
  readonly capacity: number;
  readonly #threads: PoolThread[] = [];
  readonly #options: PoolOptions<Init>;
  readonly #queue: Job[] = [];
  readonly #running = new Map<number, Job>();
  #failure: unknown;
  #closing = false;

  constructor(options: PoolOptions<Init>, size: number) {
    this.size = size;
    this.capacity = size * (AHEAD + 1);
    this.#options = options;
  }

  run(task: Task, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing) return Promise.reject(closed());
    return new Promise<Result>((resolve, reject) => {
      this.#queue.push({ task, transfer, resolve: resolve as (value: never) => void, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    const isLeft = this.#options.leavesThreads === true;
    await Promise.all(this.#threads.map((thread) => thread.release({ isLeft })));
    this.#fail(closed());
  }

  take(reply: Reply): void {
    const job = this.#running.get(reply.id);
    if (job === undefined) return;
    this.#running.delete(reply.id);
    this.#dispatch();
    if ('error' in reply) job.reject(errorFromMessage(reply.error));
    else job.resolve(reply.result as never);
  }

  lose(error: unknown): void {
    if (error !== undefined) this.#fail(error);
    else if (!this.#closing) this.#fail(new HacktreeError('internal', 'A worker thread ended unexpectedly'));
  }

  #dispatch(): void {
    for (;;) {
      const job = this.#queue[0];
      if (job === undefined || this.#closing) return;
      const thread = this.#nextThread();
      if (thread.load >= AHEAD) return;
      this.#queue.shift();
      const id = nextId++;
      this.#running.set(id, job);
      thread.run(id, job.task, job.transfer);
    }
  }

  /** An idle thread, else a new one, else the one with the least to do. */
  #nextThread(): PoolThread {
    const least = this.#threads.reduce<PoolThread | undefined>(
      (best, each) => (each.load < (best?.load ?? AHEAD + 1) ? each : best),
      undefined,
    );
    return least === undefined || (least.load > 0 && this.#threads.length < this.size) ? this.#start() : least;
  }

  #start(): PoolThread {
    const { module, init, youngGenerationMb } = this.#options;
    const thread = openThread(this, { module: fileURLToPath(module), init, youngGenerationMb });
    this.#threads.push(thread);
    return thread;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const job of [...this.#running.values(), ...this.#queue]) job.reject(error);
    this.#running.clear();
    this.#queue.length = 0;
  }
}

/** For tasks that a closed pool has not done. */
const closed = (): HacktreeError => new HacktreeError('interrupted', 'The pool of threads was closed');

/** Turns an error into plain data for another thread. */
export function errorToMessage(error: unknown): ErrorMessage {
  const known = isHacktreeError(error) ? error : undefined;
  return {
    code: (error as { code?: string }).code,
    message: String((error as Error).message ?? error),
    details: known?.details ?? pathDetails(error),
    hints: known?.hints,
    isHacktree: known !== undefined,
  };
}

function pathDetails(error: unknown): ErrorDetails | undefined {
  const path = (error as NodeJS.ErrnoException).path;
  return path === undefined ? undefined : { path };
}

function errorFromMessage(message: ErrorMessage): Error {
  if (message.isHacktree) {
    return new HacktreeError(message.code as ErrorCode, message.message, { details: message.details, hints: message.hints });
  }
  return Object.assign(new Error(message.message), { code: message.code, path: message.details?.path });
}
