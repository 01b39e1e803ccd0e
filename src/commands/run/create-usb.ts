/** `create-usb`: copies refs of collections to a mounted disk. */
import * as path from 'node:path';
import { isChecksum } from '../../core/index.ts';
import { createUsb } from '../../remote/index.ts';
import { readPairs } from '../collection-pairs.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { openForChange } from '../open-repo.ts';
import type { Input } from '../spec.ts';
import type { createUsb as spec } from '../table/collections.ts';

export async function run(context: Context, input: Input<typeof spec>): Promise<unknown> {
  const { mount, commit, destinationRepo } = input;
  const repo = openForChange(context);
  if (commit !== undefined && input.refs.length > 2)
    throw usageError('The --commit option can only be used when a single COLLECTION-ID REF pair is specified');
  const refs = readPairs(input.refs);
  if (commit !== undefined && !isChecksum(commit)) throw usageError(`Invalid rev ${commit}`);
  await createUsb(repo, {
    mount,
    refs,
    commit,
    destination: destinationRepo,
    disableFsync: input.disableFsync,
    onLockWait: context.onLockWait,
  });
  const from = path.resolve(repo.path);
  const to = destinationRepo ?? '.ostree/repo';
  context.line(`Copied ${refs.length}/${refs.length} refs successfully from ‘${from}’ to ‘${to}’ repository in ‘${mount}’.`);
  return { repo: path.join(mount, to), refs };
}
