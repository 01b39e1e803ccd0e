/** What to say when a checkout did not fit: how much it needs and how much there is. Measured only then. */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HacktreeError, isHacktreeError } from '../core/index.ts';
import { BLOCK_BYTES, loadFile, type Repo, type TreeNode, walkTree, wholeBlocks } from '../repo/index.ts';
import { canHardlink, type Settings } from './settings.ts';

/** Adds needed and available bytes to a `no-space` error; any other passes unchanged. Call it when the leftovers are gone. */
export function withSpaceNeeds(error: unknown, repo: Repo, node: TreeNode, settings: Settings, destination: string): unknown {
  if (!isHacktreeError(error) || error.code !== 'no-space') return error;
  const { bavail, bsize, ffree } = fs.statfsSync(dirname(resolve(destination)));
  const isLinked = !settings.forceCopy && canHardlink(repo.mode, settings.userMode);
  const neededBytes = measure(repo, node, isLinked);
  const availableBytes = bavail * bsize;
  return new HacktreeError('no-space', error.message, {
    details: {
      ...error.details,
      expected: `${neededBytes} bytes free`,
      found: `${availableBytes} bytes and ${ffree} inodes free`,
      neededBytes,
      availableBytes,
    },
    hints: [
      'nothing was left behind',
      ...(isLinked ? [] : ['hard links (-H, from a bare repository on the same file system) need room for directories only']),
    ],
    cause: error,
  });
}

/** Room for the directories and, unless they are linked, for the files. Bytes, in whole blocks. */
function measure(repo: Repo, root: TreeNode, isLinked: boolean): number {
  let bytes = 0;
  for (const node of root.kind === 'dir' ? walkTree(repo, root) : [root]) {
    if (node.kind === 'dir') bytes += BLOCK_BYTES;
    else if (!isLinked) bytes += wholeBlocks(loadFile(repo, node.checksum).sizeBytes);
  }
  return bytes;
}
