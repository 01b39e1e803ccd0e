/**
 * Metadata of a bootable commit: which kernel version the tree holds.
 *
 * Source: ostree-cli A.1 (`commit --bootable`), ostree-format 5.3.
 */
import { HacktreeError } from '../../core/index.ts';
import type { Variant } from '../../format/index.ts';
import type { Repo } from '../repo.ts';
import { listTreeDir, lookupBelow, type TreeDir } from '../tree-walk.ts';

/** Finds `usr/lib/modules/VERSION/vmlinuz` and gives the metadata to insert, in order. Errors: `kernel-missing`. */
export function bootableMetadata(view: Repo, root: TreeDir): [string, Variant][] {
  const version = kernelVersion(view, root);
  if (version === undefined) {
    throw new HacktreeError('kernel-missing', 'No vmlinuz found in /usr/lib/modules/VERSION', {
      details: { path: '/usr/lib/modules', expected: 'VERSION/vmlinuz' },
      hints: ['--bootable is for trees with a kernel'],
    });
  }
  return [
    ['ostree.bootable', { type: 'b', value: true }],
    ['ostree.linux', { type: 's', value: version }],
  ];
}

function kernelVersion(view: Repo, root: TreeDir): string | undefined {
  let modules: ReturnType<typeof lookupBelow>;
  try {
    modules = lookupBelow(view, root, '/usr/lib/modules');
  } catch (error) {
    if (error instanceof HacktreeError && error.code === 'path-not-found') return undefined;
    throw error;
  }
  if (modules.kind !== 'dir') return undefined;
  for (const dir of listTreeDir(view, modules)) {
    if (dir.kind === 'dir' && listTreeDir(view, dir).some((entry) => entry.kind === 'file' && entry.name === 'vmlinuz'))
      return dir.name;
  }
  return undefined;
}
