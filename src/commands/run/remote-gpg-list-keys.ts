/** `remote gpg-list-keys`: the GPG keys that a remote trusts, or those of the system. */
import { listRemoteKeys, listSystemKeys } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import { printKeyListing } from '../../sign/index.ts';
import type { Context } from '../context.ts';
import { remotesPlaceOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteGpgListKeys } from '../table/remotes.ts';
import { trustOf } from '../trust-keys.ts';

export async function run(context: Context, { name }: Input<typeof remoteGpgListKeys>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const place = remotesPlaceOf(repo.path);
  const keys = await (name === undefined ? listSystemKeys(trustOf(context)) : listRemoteKeys(repo, name, { place }));
  context.print(printKeyListing(keys));
  return { name: name ?? null, keys };
}
