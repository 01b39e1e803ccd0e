/** `prune`: removes what no ref or no commit needs. */
import { HacktreeError, isChecksum, printSize } from '../../core/index.ts';
import { openRepo, type PruneOptions, type PruneReport, parseDate, prune, type Repo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { prune as spec } from '../table/repository.ts';

type PruneInput = Input<typeof spec>;

export async function run(context: Context, input: PruneInput): Promise<unknown> {
  const dryRun = input.noPrune || input.dryRun;
  if (dryRun && input.deleteCommit !== undefined && context.frontEnd === 'ostree') {
    throw usageError('Cannot specify both --delete-commit and --no-prune');
  }
  if (input.staticDeltasOnly && input.deleteCommit === undefined)
    throw usageError('--static-deltas-only requires --delete-commit');
  const repo = openRepo(context.repoPath);
  const objects: { object: string; sizeBytes: number }[] = [];
  const report = await prune(repo, {
    ...readOptions(repo, input),
    dryRun,
    onObject: ({ checksum, type }, sizeBytes) => {
      if (context.json && dryRun) objects.push({ object: `${checksum}.${type}`, sizeBytes });
      else context.note(`${checksum}.${type} (${sizeBytes} bytes)`);
    },
    onProgress: context.report,
    onLockWait: context.onLockWait,
    signal: context.signal,
  });
  printReport(context, report);
  return dryRun ? { ...report, objects } : report;
}

function readOptions(repo: Repo, input: PruneInput): PruneOptions {
  const { keepYoungerThan } = input;
  return {
    refsOnly: input.refsOnly,
    ...(input.depth === undefined ? {} : { depth: input.depth }),
    ...(input.deleteCommit === undefined ? {} : { deleteCommit: commitOf(repo, input.deleteCommit) }),
    ...(keepYoungerThan === undefined
      ? {}
      : { keepYoungerThanSec: parseDate(keepYoungerThan, { nowSec: Math.floor(Date.now() / 1000) }) }),
    retainBranchDepth: new Map(input.retainBranchDepth.map(readDepth)),
    onlyBranches: input.onlyBranch,
    commitOnly: input.commitOnly,
    staticDeltasOnly: input.staticDeltasOnly,
  };
}

function commitOf(repo: Repo, rev: string): NonNullable<PruneOptions['deleteCommit']> {
  return isChecksum(rev) ? rev : resolveRev(repo, rev);
}

/** `REF=N`. Errors: `usage`. */
function readDepth(text: string): [string, number] {
  const at = text.lastIndexOf('=');
  if (at < 0) throw usageError(`Invalid value ${text}, must specify BRANCH=DEPTH`);
  const depth = text.slice(at + 1);
  if (/^-?\d+$/.test(depth)) return [text.slice(0, at), Number(depth)];
  throw new HacktreeError('usage', `Out of range depth ${depth}`, {
    details: { expected: 'a number of parents, or -1', found: depth },
  });
}

function printReport(context: Context, report: PruneReport): void {
  const { commitOnly, objectCount, prunedCount, prunedBytes, dryRun, commits, deltas } = report;
  context.line(`Total ${commitOnly ? '(commit only) ' : ''}objects: ${objectCount}`);
  if (context.frontEnd === 'hacktree' && dryRun) {
    for (const commit of commits) context.line(`Would delete commit ${commit}`);
    for (const delta of deltas) context.line(`Would delete static delta ${delta}`);
  }
  if (prunedCount === 0) context.line('No unreachable objects');
  else if (dryRun) context.line(`Would delete: ${prunedCount} objects, freeing ${printSize(prunedBytes)}`);
  else context.line(`Deleted ${prunedCount} objects, ${printSize(prunedBytes)} freed`);
  if (context.frontEnd === 'ostree' || report.freedDiskBytes + report.heldDiskBytes === 0) return;
  const held = report.heldDiskBytes === 0 ? '' : `, ${printSize(report.heldDiskBytes)} held by hard links elsewhere`;
  context.line(`Disk space: ${printSize(report.freedDiskBytes)}${dryRun ? ' would be freed' : ' freed'}${held}`);
}
