/** A task for pools that tells which thread it ran in, and fails or waits when asked to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export interface ThreadTask {
  readonly failure?: string;
  readonly waitMs?: number;
}

export function createWorker(name: string): (task: ThreadTask) => Promise<{ name: string; thread: number }> {
  return async ({ failure, waitMs }) => {
    if (failure !== undefined) throw new Error(failure);
    if (waitMs !== undefined) await sleep(waitMs);
    return { name, thread: threadId };
  };
}
