/**
 * Static deltas whose target commit is gone.
 *
 * The superblock goes first, so that no half-removed delta is offered; the index of the target commit goes with its
 * last delta.
 *
 * Source: ostree-format 10.1, 12.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type Checksum, errnoOf } from '../../core/index.ts';
import { type DeltaName, deltaDirectory, deltaIndexPath, deltaNameFromDirectory, printDeltaName } from '../../format/index.ts';
import { syncDir } from '../../sys/index.ts';
import type { Repo } from '../repo.ts';

/** Lists all static deltas. */
function* listDeltas(repo: Repo): Generator<DeltaName> {
  for (const prefix of listDir(join(repo.path, 'deltas'))) {
    for (const rest of listDir(join(repo.path, 'deltas', prefix))) {
      const name = deltaNameFromDirectory(`deltas/${prefix}/${rest}`);
      if (name !== undefined) yield name;
    }
  }
}

function listDir(dir: string): string[] {
  try {
    return fs.readdirSync(dir).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

export interface PrunedDeltas {
  /** As `[FROM-]TO`, sorted. */
  readonly names: readonly string[];
  readonly diskBytes: number;
}

/** Removes (or with dryRun counts) the deltas to commits that the function names. */
export function pruneDeltas(repo: Repo, isGone: (to: Checksum) => boolean, dryRun: boolean): PrunedDeltas {
  const names: string[] = [];
  let diskBytes = 0;
  for (const delta of [...listDeltas(repo)].filter(({ to }) => isGone(to))) {
    const dir = join(repo.path, deltaDirectory(delta));
    names.push(printDeltaName(delta));
    for (const name of listDir(dir)) {
      diskBytes += (fs.lstatSync(join(dir, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    }
    if (dryRun) continue;
    fs.rmSync(join(dir, 'superblock'), { force: true });
    if (repo.config.fsync) syncDir(dir);
    fs.rmSync(dir, { recursive: true, force: true });
    fs.rmSync(join(repo.path, deltaIndexPath(delta.to)), { force: true });
    if (repo.config.fsync) syncDir(dirname(dir));
  }
  return { names: names.sort(), diskBytes };
}
