/**
 * Worker threads for pools. One that a pool leaves stays for a moment and serves the next: a start takes as long as linking
 * a thousand files.
 */
import { Worker } from 'node:worker_threads';
import type { ErrorDetails } from '../core/index.ts';

/** What a thread is told; its answers are Replies, and `closed`. */
export type Order =
  | { readonly kind: 'open'; readonly module: string; readonly init: unknown }
  | { readonly kind: 'task'; readonly id: number; readonly task: unknown }
  | { readonly kind: 'close' }
  | { readonly kind: 'exit' };

/** An error as plain data. */
export interface ErrorMessage {
  readonly code: string | undefined;
  readonly message: string;
  readonly details: ErrorDetails | undefined;
  readonly hints: readonly string[] | undefined;
  readonly isHacktree: boolean;
}

export type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: ErrorMessage });

export const CLOSED = 'closed';

/** The pool that a thread works for. */
export interface ThreadOwner {
  take(reply: Reply): void;
  /** The thread is no more. */
  lose(error: unknown): void;
}

export interface ThreadJob {
  readonly module: string;
  readonly init: unknown;
  /** Such a thread is always a new one. */
  readonly youngGenerationMb: number | undefined;
}

const IDLE_MS = 300;
const idle = new Set<PoolThread>();

/** Gives an idle thread or a new one. */
export function openThread(owner: ThreadOwner, { module, init, youngGenerationMb }: ThreadJob): PoolThread {
  const [waiting] = youngGenerationMb === undefined ? idle : [];
  const thread = waiting ?? new PoolThread(youngGenerationMb);
  thread.begin(owner, { kind: 'open', module, init });
  return thread;
}

export class PoolThread {
  /** Tasks that it has and has not answered. */
  load = 0;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #owner: ThreadOwner | undefined;
  #isLeft = false;
  #onClosed: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(youngGenerationMb: number | undefined) {
    this.#worker = new Worker(new URL('./pool-worker.js', import.meta.url), {
      ...(youngGenerationMb === undefined ? {} : { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } }),
    });
    this.#worker.on('message', (reply: Reply | typeof CLOSED) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#end(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end(undefined);
        resolve();
      });
    });
  }

  begin(owner: ThreadOwner, order: Order): void {
    idle.delete(this);
    clearTimeout(this.#timer);
    this.#worker.ref();
    this.#owner = owner;
    this.#worker.postMessage(order);
  }

  run(id: number, task: unknown, transfer: readonly ArrayBuffer[]): void {
    this.load++;
    this.#worker.postMessage({ kind: 'task', id, task } satisfies Order, transfer as ArrayBuffer[]);
  }

  /** Ends the work for a pool, and the thread unless it is left to the next. One that still has something to do always ends. */
  async release({ isLeft }: { readonly isLeft: boolean }): Promise<void> {
    this.#isLeft = isLeft && this.load === 0;
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
    this.#worker.postMessage({ kind: 'close' } satisfies Order);
    if (!this.#isLeft) this.#worker.postMessage({ kind: 'exit' } satisfies Order);
    await (this.#isLeft ? Promise.race([closed, this.#exited]) : this.#exited);
  }

  #receive(reply: Reply | typeof CLOSED): void {
    if (reply !== CLOSED) {
      this.load--;
      this.#owner?.take(reply);
      return;
    }
    if (!this.#isLeft) return;
    this.#owner = undefined;
    idle.add(this);
    this.#worker.unref();
    this.#timer = setTimeout(() => this.#dismiss(), IDLE_MS).unref();
    this.#onClosed();
  }

  #dismiss(): void {
    idle.delete(this);
    this.#worker.postMessage({ kind: 'exit' } satisfies Order);
  }

  #end(error: unknown): void {
    idle.delete(this);
    clearTimeout(this.#timer);
    this.#owner?.lose(error);
    this.#owner = undefined;
  }
}
