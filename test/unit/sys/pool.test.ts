import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { openPool, type Pool } from '../../../src/sys/index.ts';
import type { ThreadTask } from '../../helpers/thread-worker.ts';

type ThreadPool = Pool<ThreadTask, { name: string; thread: number }>;

function open(name: string, leavesThreads: boolean, size = 1): ThreadPool {
  return openPool({ module: new URL('../../helpers/thread-worker.js', import.meta.url), init: name, size, leavesThreads });
}

/** Runs a task in a pool of its own. */
async function runIn(name: string, leavesThreads: boolean): Promise<{ name: string; thread: number }> {
  const pool = open(name, leavesThreads);
  const result = await pool.run({});
  await pool.close();
  return result;
}

it('leaves its thread to the next pool, with the task of that', async () => {
  const first = await runIn('first', true);
  const second = await runIn('second', true);
  const third = await runIn('third', false);
  const fourth = await runIn('fourth', false);
  expect([first.name, second.name, third.name, fourth.name]).toEqual(['first', 'second', 'third', 'fourth']);
  expect(first.thread).not.toBe(0);
  expect(second.thread).toBe(first.thread);
  expect(third.thread).toBe(first.thread);
  expect(fourth.thread).not.toBe(first.thread);
});

it('takes no thread that another pool has, or that has waited too long', async () => {
  const [first, second] = [open('first', true), open('second', true)];
  const results = await Promise.all([first.run({}), second.run({})]);
  expect(results[0]?.thread).not.toBe(results[1]?.thread);
  await Promise.all([first.close(), second.close()]);
  await sleep(1000);
  const late = await runIn('late', false);
  expect(results.map(({ thread }) => thread)).not.toContain(late.thread);
});

it('does not leave a thread that is at work', async () => {
  const busy = open('busy', true);
  const result = busy.run({ waitMs: 200 }).catch(() => undefined);
  await busy.close();
  const next = await runIn('next', false);
  expect((await Promise.race([result, sleep(1000)])) ?? { thread: -1 }).not.toMatchObject({ thread: next.thread });
});

it('tells errors to the pool that sent the task', async () => {
  const first = open('first', true);
  await expect(first.run({ failure: 'of the first' })).rejects.toThrow('of the first');
  await first.close();
  const second = open('second', false);
  await expect(second.run({ failure: 'of the second' })).rejects.toThrow('of the second');
  expect((await second.run({})).name).toBe('second');
  await second.close();
});

it('fails what it has not done when it is closed, and what comes later', async () => {
  const pool = open('closed', false);
  const tasks = [1, 2, 3, 4, 5].map(() => pool.run({ waitMs: 300 }));
  const results = Promise.allSettled(tasks);
  await pool.close();
  const failures = (await results).flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'interrupted'));
  await expect(pool.run({})).rejects.toMatchObject({ code: 'interrupted' });
  await pool.close();
});
