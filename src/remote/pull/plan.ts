/** How much a pull will download and write, known before its first content: from the mirror's index or from `ostree.sizes`. */
import type { Checksum } from '../../core/index.ts';
import { type Commit, sizesOf } from '../../format/index.ts';
import type { Repo } from '../../repo/index.ts';
import type { IndexRecords } from '../mirror-index/records.ts';
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
  { records, usable }: ReusePlan,
  commits: readonly Commit[],
): Omit<PullPlan, 'deltas'> {
  const counts = { contentObjects: missing.length, reusedObjects: usable.length };
  const sizes = records.count === missing.length ? [] : sizesElsewhere(missing, records, commits);
  if (sizes === undefined) return { ...counts, downloadBytes: undefined, writtenBytes: undefined };
  for (let row = 0; row < records.count; row++)
    sizes.push({ archivedBytes: records.archivedBytes(row), contentBytes: records.contentBytes(row) });
  const reusedBytes = usable.reduce((sum, row) => sum + records.archivedBytes(row), 0);
  const archivedBytes = sizes.reduce((sum, size) => sum + size.archivedBytes, 0);
  const contentBytes = sizes.reduce((sum, size) => sum + size.contentBytes, 0);
  const writtenBytes = repo.mode === 'archive' ? archivedBytes : contentBytes;
  return { ...counts, downloadBytes: archivedBytes - reusedBytes, writtenBytes };
}

/** Sizes of the objects that the index does not have; undefined where one is not known. */
function sizesElsewhere(missing: readonly Checksum[], records: IndexRecords, commits: readonly Commit[]): Size[] | undefined {
  const known = records.table();
  const sizes = new Map<Checksum, Size>();
  for (const { metadata } of commits) {
    for (const { checksum, type, archivedBytes, unpackedBytes } of sizesOf(metadata) ?? [])
      if (type === 'file') sizes.set(checksum, { archivedBytes, contentBytes: unpackedBytes });
  }
  const found: Size[] = [];
  for (const checksum of missing) {
    if (known.has(checksum, 'file')) continue;
    const size = sizes.get(checksum);
    if (size === undefined) return undefined;
    found.push(size);
  }
  return found;
}
