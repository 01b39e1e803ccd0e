/** `remote show-url`: prints where a remote is. */
import { remoteUrl } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { remotesPlaceOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteShowUrl } from '../table/remotes.ts';

export async function run(context: Context, { name }: Input<typeof remoteShowUrl>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const url = remoteUrl(repo, name, remotesPlaceOf(repo.path));
  context.line(url);
  return { name, url };
}
