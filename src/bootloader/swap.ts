/**
 * Plans the replacement of files that a boot loader reads, in the only order found that GRUB survives (see steps.ts).
 */
import type { BootStep } from './types.ts';

export interface Replacement {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

export interface SwapSituation {
  /** Directory on the file system of the files. */
  readonly bootDir: string;
  /** Further paths whose file systems must be settled before the first file gets its name. */
  readonly settleAlso: readonly string[];
  /** Every file that a swap may ever have replaced: what an interrupted one left of them is cleared away. */
  readonly known: readonly string[];
  /** Tells whether a path is there. */
  readonly exists: (path: string) => boolean;
}

export interface Swap {
  /** Makes the new files under names that no boot loader reads. */
  readonly prepare: readonly BootStep[];
  /** Gives them their names, one settled rename after the other. */
  readonly publish: readonly BootStep[];
  /** Removes what was kept of the old ones. */
  readonly tidy: readonly BootStep[];
}

/** Plans to replace (or make) files in this order, after clearing away the leftovers of an interrupted swap. */
export function planSwap(files: readonly Replacement[], situation: SwapSituation): Swap {
  const settleBoot = (title: string): BootStep => ({ kind: 'settle', title, paths: [situation.bootDir] });
  const leftovers = situation.known.flatMap((path) => [`${path}.new`, `${path}.old`]).filter(situation.exists);
  const prepare: BootStep[] = [];
  // An interrupted swap may have renamed without settling: then the old inode is what GRUB still sees.
  if (leftovers.length > 0) prepare.push(settleBoot('settle an interrupted change of the boot menu'));
  for (const path of leftovers) prepare.push({ kind: 'remove', title: 'remove what an interrupted change left', path });
  if (files.length === 0) return { prepare, publish: [], tidy: [] };
  for (const { path, text, mode } of files) {
    prepare.push({ kind: 'write-new', title: 'write the new boot configuration', path: `${path}.new`, text, mode });
    prepare.push({ kind: 'keep-old', title: 'keep the old boot configuration', path, keep: `${path}.old` });
  }
  prepare.push({
    kind: 'settle',
    title: 'settle everything new',
    paths: [situation.bootDir, ...situation.settleAlso],
  });
  const publish: BootStep[] = [];
  for (const { path } of files) {
    publish.push({ kind: 'rename', title: 'put the new boot configuration in place', from: `${path}.new`, to: path });
    publish.push(settleBoot('settle the new boot configuration'));
  }
  const tidy = files.map(
    ({ path }): BootStep => ({ kind: 'remove', title: 'remove the old boot configuration', path: `${path}.old` }),
  );
  return { prepare, publish, tidy };
}
