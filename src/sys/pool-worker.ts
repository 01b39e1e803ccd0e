/** Entry of every worker thread: loads the module of a pool's tasks, answers its tasks until it is closed, then serves the next. */
import { parentPort } from 'node:worker_threads';
import { errorToMessage, type WorkerFunction, type WorkerModule } from './pool.ts';
import { CLOSED, type Order, type Reply } from './pool-thread.ts';

let ready: Promise<WorkerFunction<unknown, unknown>>;

parentPort?.on('message', async (order: Order) => {
  switch (order.kind) {
    case 'open':
      ready = open(order.module, order.init);
      ready.catch(() => {}); // reported with the first task
      return;
    case 'task':
      return parentPort?.postMessage(await answer(order.id, order.task));
    case 'close':
      await ready.then(
        (run) => run.close?.(),
        () => {},
      );
      return parentPort?.postMessage(CLOSED);
    case 'exit':
      await ready.catch(() => {});
      parentPort?.close();
  }
});

async function open(module: string, init: unknown): Promise<WorkerFunction<unknown, unknown>> {
  const { createWorker }: WorkerModule<unknown, unknown, unknown> = await import(module);
  return createWorker(init);
}

async function answer(id: number, task: unknown): Promise<Reply> {
  try {
    const run = await ready;
    return { id, result: await run(task) };
  } catch (error) {
    return { id, error: errorToMessage(error) };
  }
}
