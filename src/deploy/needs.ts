/** What a deployment takes, exactly: bytes and inodes of the checkout and its copies, of local changes to /etc, of kernel files. */
import { join } from 'node:path';
import type { Checksum } from '../core/index.ts';
import { BLOCK_BYTES } from '../repo/index.ts';
import type { TreeNeeds } from './commit-tree.ts';
import { rootDir } from './layout.ts';
import { checkSpace, type SpaceCheck, treeUse } from './space.ts';
import type { SysrootState } from './state.ts';

export interface NeedsRequest {
  readonly tree: TreeNeeds;
  /** Kernel and initial RAM disk together. */
  readonly kernelBytes: number;
  readonly bootChecksum: Checksum;
  readonly fillsVar: boolean;
  readonly mergeRoot: string | undefined;
  readonly bootDir: string;
}

/** Measures what a deployment takes on the root file system and in /boot, and whether it fits. */
export function measureNeeds(
  state: SysrootState,
  { tree, kernelBytes, bootChecksum, fillsVar, mergeRoot, bootDir }: NeedsRequest,
): SpaceCheck[] {
  const { paths } = state.sysroot;
  const ofVar = fillsVar ? tree.ofVar : { bytes: 0, inodes: 0 };
  const local = mergeRoot === undefined ? { bytes: 0, inodes: 0 } : localEtcUse(rootDir(paths, mergeRoot));
  const isShared = state.deployments.some((deployment) => deployment.bootChecksum === bootChecksum);
  const bootBytes = isShared ? 0 : kernelBytes + 2 * BLOCK_BYTES;
  return checkSpace([
    {
      name: 'root file system',
      path: paths.gnomeos,
      bytes: tree.bytes + ofVar.bytes + local.bytes + 8 * BLOCK_BYTES,
      inodes: tree.inodes + ofVar.inodes + local.inodes + 32,
    },
    { name: '/boot', path: bootDir, bytes: bootBytes + 32 * BLOCK_BYTES, inodes: 8 },
  ]);
}

/** What a root's /etc has beyond its defaults, and a merge may carry over. */
function localEtcUse(root: string): { bytes: number; inodes: number } {
  const [mine, defaults] = [treeUse(join(root, 'etc')), treeUse(join(root, 'usr/etc'))];
  return { bytes: Math.max(0, mine.bytes - defaults.bytes), inodes: Math.max(0, mine.inodes - defaults.inodes) };
}
