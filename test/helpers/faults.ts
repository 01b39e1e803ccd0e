/**
 * Fault injection: runs a program of ours under strace and makes its n-th system call of a kind fail or kill it.
 *
 * strace's `inject` counts calls per thread, so workloads are small enough to run without a thread pool. Calls made while
 * Node starts come first; the sweep takes those that touch the workload's directory, found by a dry run.
 *
 * **Source:** strace(1), `-e inject`.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type RunResult, run } from './run.ts';

export interface Fault {
  /** Names of system calls as strace knows them, for example `rename,renameat2`. */
  readonly calls: string;
  /** `signal=KILL`, `error=EIO` ... */
  readonly effect: string;
  /** Which matching call: 1 = the first. */
  readonly when: number;
}

/** Lists, per group of calls, which matching calls touch `dir`: their positions counted from 1. */
export function matchingCalls(argv: readonly string[], dir: string, calls: string): number[] {
  const log = join(dir, '..', `strace-${process.pid}.log`);
  const result = run('strace', [
    '-f',
    '-qq',
    '-y',
    '-e',
    `trace=${calls}`,
    '-e',
    'signal=none',
    '-o',
    log,
    process.execPath,
    ...argv,
  ]);
  if (result.status !== 0) throw new Error(`dry run failed: ${result.stderr}`);
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  fs.rmSync(log);
  const main = lines[0]?.split(' ')[0] ?? '';
  const own = lines.filter((line) => line.startsWith(`${main} `) && !line.includes('resumed>'));
  return own.flatMap((line, i) => (line.includes(dir) ? [i + 1] : []));
}

/** As matchingCalls(), with one dry run for each group of calls; `start` makes the ground for it. */
export function positionsByCalls(
  start: () => { readonly argv: readonly string[]; readonly dir: string },
): (calls: string) => readonly number[] {
  const known = new Map<string, readonly number[]>();
  return (calls) => {
    let positions = known.get(calls);
    if (positions === undefined) {
      const { argv, dir } = start();
      positions = matchingCalls(argv, dir, calls);
      known.set(calls, positions);
    }
    return positions;
  };
}

/** Runs Node with these arguments and one fault. */
export function runWithFault(argv: readonly string[], { calls, effect, when }: Fault): RunResult {
  const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${effect}:when=${when}`];
  const strace = ['-f', '-qq', '-o', '/dev/null'];
  return run('strace', [...strace, ...inject, process.execPath, ...argv], { timeoutMs: 60_000 });
}

/** Picks about `count` positions evenly, always the first and the last. */
export function spread(positions: readonly number[], count: number): number[] {
  if (positions.length <= count) return [...positions];
  return Array.from({ length: count }, (_, i) => positions[Math.round((i * (positions.length - 1)) / (count - 1))] ?? 1);
}
