/** Many tasks on a pool: a bounded number under way, and nothing still running when a failure comes out. */
import { expect, it } from '@jest/globals';
import { type Pool, PoolRuns } from '../../../src/sys/index.ts';

/** A pool whose tasks end when the test says so. */
function makePool(capacity: number): {
  pool: Pool<number, number>;
  started: number[];
  end: (task: number, error?: Error) => void;
} {
  const started: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const run = (task: number): Promise<number> =>
    new Promise((resolve, reject) => {
      started.push(task);
      ends.set(task, (error) => (error === undefined ? resolve(task * 10) : reject(error)));
    });
  return {
    pool: { size: 1, capacity, run, close: () => Promise.resolve() },
    started,
    end: (task, error) => ends.get(task)?.(error),
  };
}

/** Lets what is ready go on; says whether the promise had ended by then. */
async function hasEnded(promise: Promise<unknown>): Promise<boolean> {
  let ended = false;
  const note = (): void => {
    ended = true;
  };
  promise.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return ended;
}

it('sends while there is room, and takes results as they come', async () => {
  const { pool, started, end } = makePool(2);
  const results: number[] = [];
  const runs = new PoolRuns(pool, (result) => results.push(result));
  await runs.send(1);
  const second = runs.send(2);
  expect(await hasEnded(second)).toBe(false);
  end(2);
  await second;
  expect([started, results]).toEqual([[1, 2], [20]]);
  end(1);
  await runs.finish();
  expect(results).toEqual([20, 10]);
});

it.each(['task', 'receiver'])('tells the failure of a %s when nothing runs any more', async (who) => {
  const { pool, end } = makePool(2);
  const failure = new Error('broken');
  const runs = new PoolRuns(pool, () => {
    if (who === 'receiver') throw failure;
  });
  await runs.send(1);
  const second = runs.send(2);
  end(1, who === 'task' ? failure : undefined);
  expect(await hasEnded(second)).toBe(false);
  end(2);
  await expect(second).rejects.toBe(failure);
  await expect(runs.finish()).rejects.toBe(failure);
});
