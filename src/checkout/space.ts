/** What to say when a checkout did not fit: how much it needs and how much there is. Measured only then. */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HacktreeError, isHacktreeError } from '../core/index.ts';
import { loadFile, type Repo, type TreeNode, walkTree } from '../repo/index.ts';
import { canHardlink, type Settings } from './settings.ts';

const BLOCK_BYTES = 4096;

/** Adds needed and available bytes to a `no-space` error; any other passes unchanged. Call it when the leftovers are gone. */
export function withSpaceNeeds(error: unknown, repo: Repo, node: TreeNode, settings: Settings, destination: string): unknown {
  if (!isHacktreeError(error) || error.code !== 'no-space') return error;
  const { bavail, bsize, ffree } = fs.statfsSync(dirname(resolve(destination)));
  const neededBytes = measure(repo, node, settings);
  const availableBytes = bavail * bsize;
  const isLinked = canLink(repo, settings);
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

const canLink = (repo: Repo, settings: Settings): boolean => !settings.forceCopy && canHardlink(repo.mode, settings.userMode);

/** Room for the directories and, unless they are linked, for the files. Bytes, in whole blocks. */
function measure(repo: Repo, root: TreeNode, settings: Settings): number {
  const isLinked = canLink(repo, settings);
  let bytes = 0;
  for (const node of root.kind === 'dir' ? walkTree(repo, root) : [root]) {
    if (node.kind === 'dir') bytes += BLOCK_BYTES;
    else if (!isLinked) bytes += Math.ceil(loadFile(repo, node.checksum).sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return bytes;
}
