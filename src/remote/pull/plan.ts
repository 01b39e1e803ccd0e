/** How much a pull will download and write, known before its first content: from the mirror's index or from `ostree.sizes`. */
import type { Checksum } from '../../core/index.ts';
import { type Commit, sizesOf } from '../../format/index.ts';
import type { Repo } from '../../repo/index.ts';
import type { ReusePlan } from './reuse.ts';

/** Parts of static deltas. */
export interface PlannedDeltas {
  readonly parts: number;
  readonly downloadBytes: number;
  readonly unpackedBytes: number;
}

export interface PullPlan {
  /** With dryRun only. */
  readonly deltas: PlannedDeltas;
  /** File objects that are missing. */
  readonly contentObjects: number;
  /** Those of them that need no download. */
  readonly reusedObjects: number;
  /** Undefined where neither the commit nor the mirror says how large objects are. */
  readonly downloadBytes: number | undefined;
  readonly writtenBytes: number | undefined;
}

interface Size {
  readonly archivedBytes: number;
  readonly contentBytes: number;
}

export function planContent(
  repo: Repo,
  missing: readonly Checksum[],
  { records, items }: ReusePlan,
  commits: readonly Commit[],
): Omit<PullPlan, 'deltas'> {
  const sizes = new Map<Checksum, Size>(records);
  for (const { metadata } of commits) {
    for (const { checksum, type, archivedBytes, unpackedBytes } of sizesOf(metadata) ?? []) {
      if (type === 'file' && !sizes.has(checksum)) sizes.set(checksum, { archivedBytes, contentBytes: unpackedBytes });
    }
  }
  const counts = { contentObjects: missing.length, reusedObjects: items.length };
  const reused = new Set(items.map(({ checksum }) => checksum));
  let downloadBytes = 0;
  let writtenBytes = 0;
  for (const checksum of missing) {
    const size = sizes.get(checksum);
    if (size === undefined) return { ...counts, downloadBytes: undefined, writtenBytes: undefined };
    if (!reused.has(checksum)) downloadBytes += size.archivedBytes;
    writtenBytes += repo.mode === 'archive' ? size.archivedBytes : size.contentBytes;
  }
  return { ...counts, downloadBytes, writtenBytes };
}
