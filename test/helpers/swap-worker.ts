/** The thread of swap.ts: state[0] is 1 while it works and 2 when it has ended, state[1] asks it to end. */
import { workerData } from 'node:worker_threads';
import { renameExchange } from '../../src/sys/index.ts';

const { a, b, state } = workerData as { a: string; b: string; state: Int32Array };
const set = (value: number): void => {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
};

for (let i = 0; Atomics.load(state, 1) === 0; i++) {
  renameExchange(a, b);
  if (i === 1) set(1);
  Atomics.wait(state, 1, 0, 0.05);
}
set(2);
