/** `remote list`: names of remotes, and with --show-urls where they are. */
import { listRemotes, loadRemote, remoteUrl } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { remotesPlaceOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteList } from '../table/remotes.ts';

export async function run(context: Context, { showUrls }: Input<typeof remoteList>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const place = remotesPlaceOf(repo.path);
  const names = listRemotes(repo, place);
  const width = Math.max(0, ...names.map((name) => name.length));
  /** ostree ends at the first remote that has no URL. */
  const urlOf = (name: string): string => {
    if (context.frontEnd === 'ostree') return remoteUrl(repo, name, place);
    const { url, metalink } = loadRemote(repo, name, place);
    return url ?? (metalink === undefined ? '-' : `metalink=${metalink}`);
  };
  for (const name of names) context.line(showUrls ? `${name.padEnd(width)}  ${urlOf(name)}` : name);
  return { remotes: names.map((name) => ({ name, url: loadRemote(repo, name, place).url ?? null })) };
}
