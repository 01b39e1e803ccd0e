/** Entry of every worker thread: loads the task's module, then answers messages until told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToMessage, type WorkerFunction, type WorkerModule } from './pool.ts';

const { module, init } = workerData as { module: string; init: unknown };
const ready: Promise<WorkerFunction<unknown, unknown>> = import(module).then((loaded: WorkerModule<unknown, unknown, unknown>) =>
  loaded.createWorker(init),
);
ready.catch(() => {}); // reported with the first task

parentPort?.on('message', async (message: { id: number; task: unknown } | undefined) => {
  if (message === undefined) {
    await ready.then(
      (run) => run.close?.(),
      () => {},
    );
    parentPort?.close();
    return;
  }
  try {
    const run = await ready;
    parentPort?.postMessage({ id: message.id, result: await run(message.task) });
  } catch (error) {
    parentPort?.postMessage({ id: message.id, error: errorToMessage(error) });
  }
});
