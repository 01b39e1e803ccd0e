/**
 * The free-space reserve: writes stop before the file system gets fuller than core.min-free-space-* allows.
 *
 * One budget is shared by all threads of a transaction as an atomic counter, so the check costs no system call.
 *
 * Source: ostree-format 8, 11.
 */
import * as fs from 'node:fs';
import { HacktreeError } from '../core/index.ts';
import type { Repo } from './repo.ts';

export interface SpaceBudget {
  /** Bytes that may still be written: one 64-bit counter, shared between threads. */
  readonly counter: SharedArrayBuffer;
  /** What a refusal names, for example `min-free-space-percent '3%'`. */
  readonly rule: string;
  readonly path: string;
}

/** Measures what may be written to a repository now. */
export function openSpaceBudget(repo: Repo): SpaceBudget {
  const { bsize, blocks, bavail } = fs.statfsSync(repo.path, { bigint: true });
  const { minFreeSpaceBytes, minFreeSpacePercent, minFreeSpaceText } = repo.config;
  const reserve =
    minFreeSpaceBytes === undefined ? (blocks * bsize * BigInt(minFreeSpacePercent)) / 100n : BigInt(minFreeSpaceBytes);
  const counter = new SharedArrayBuffer(8);
  new BigInt64Array(counter)[0] = bavail * bsize - reserve;
  const rule =
    minFreeSpaceBytes === undefined
      ? `min-free-space-percent '${minFreeSpacePercent}%'`
      : `min-free-space-size ${minFreeSpaceText}`;
  return { counter, rule, path: repo.path };
}

/** What file systems give space out in, as a rule. */
export const BLOCK_BYTES = 4096;

/** Rounds a size up to whole blocks. */
export const wholeBlocks = (sizeBytes: number): number => Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;

/** Takes what a file of this size occupies. Errors: `no-space`. */
export function takeSpace(budget: SpaceBudget, sizeBytes: number): void {
  const wanted = BigInt(wholeBlocks(sizeBytes));
  const left = Atomics.sub(new BigInt64Array(budget.counter), 0, wanted);
  if (left >= wanted) return;
  Atomics.add(new BigInt64Array(budget.counter), 0, wanted);
  const available = left > 0n ? left : 0n;
  throw new HacktreeError(
    'no-space',
    `${budget.rule} would be exceeded, at least ${printBytes(wanted)} requested (${printBytes(available)} available)`,
    {
      details: {
        path: budget.path,
        expected: wanted,
        found: available,
        neededBytes: Number(wanted),
        availableBytes: Number(available),
      },
      hints: ['free space, or lower core.min-free-space-percent / core.min-free-space-size in the repository config'],
    },
  );
}

/** Refuses a job whose writes would not fit, before the first of them. Errors: `no-space`. */
export function checkSpace(budget: SpaceBudget, neededBytes: number): void {
  const available = Atomics.load(new BigInt64Array(budget.counter), 0);
  if (BigInt(neededBytes) <= available) return;
  throw new HacktreeError(
    'no-space',
    `${budget.rule} would be exceeded, ${printBytes(BigInt(neededBytes))} needed, ${printBytes(available > 0n ? available : 0n)} available`,
    {
      details: { path: budget.path, neededBytes, availableBytes: Number(available > 0n ? available : 0n) },
      hints: ['nothing was written; free space, or lower core.min-free-space-percent / core.min-free-space-size'],
    },
  );
}

function printBytes(bytes: bigint): string {
  return bytes < 1000n ? `${bytes} bytes` : `${(Number(bytes) / 1000).toFixed(1)} kB`;
}
