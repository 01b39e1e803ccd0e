/** Contents that several file objects hold, by the content index. */
import * as fs from 'node:fs';
import type { Checksum } from '../../core/index.ts';
import { listDuplicateContents, readIndexStats } from '../content-index/index.ts';
import { objectPath } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { type DuplicateContent, type DuplicateUsage, MAX_DUPLICATES } from './report.ts';

/** Measures what is stored more than once; stale records of the index do not count. */
export function measureDuplicates(repo: Repo): DuplicateUsage {
  let contents = 0;
  let objects = 0;
  let extraDiskBytes = 0;
  let largest: DuplicateContent[] = [];
  const keepLargest = (): void => {
    largest.sort((a, b) => b.extraDiskBytes - a.extraDiskBytes || (a.digest < b.digest ? -1 : 1));
    largest = largest.slice(0, MAX_DUPLICATES);
  };
  for (const { digest, objects: candidates } of listDuplicateContents(repo)) {
    const sizes = candidates.flatMap((object) => diskBytesOf(repo, object) ?? []);
    if (sizes.length < 2) continue;
    const extra = sizes.reduce((sum, { bytes }) => sum + bytes, 0) - Math.max(...sizes.map(({ bytes }) => bytes));
    contents++;
    objects += sizes.length;
    extraDiskBytes += extra;
    largest.push({ digest, objects: sizes.map(({ object }) => object), extraDiskBytes: extra });
    if (largest.length > 10 * MAX_DUPLICATES) keepLargest();
  }
  keepLargest();
  return { contents, objects, extraDiskBytes, largest, indexedObjects: readIndexStats(repo).recordCount };
}

function diskBytesOf(repo: Repo, object: Checksum): { object: Checksum; bytes: number } | undefined {
  const stat = fs.lstatSync(objectPath(repo, object, 'file'), { throwIfNoEntry: false });
  return stat === undefined ? undefined : { object, bytes: stat.blocks * 512 };
}
