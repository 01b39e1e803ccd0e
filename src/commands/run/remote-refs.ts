/** `remote refs`: what a remote offers. */
import { HacktreeError, isHacktreeError } from '../../core/index.ts';
import { type RemoteRef, remoteRefs } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { reachOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteRefs as spec } from '../table/remotes.ts';

type RefsInput = Input<typeof spec>;

export async function run(context: Context, input: RefsInput): Promise<unknown> {
  const refs = await list(context, input);
  for (const { ref, commit } of refs) context.line(`${input.name}:${ref}${input.revision ? `\t${commit}` : ''}`);
  return { name: input.name, refs };
}

/** As the service, with the words that ostree has for a remote without a summary. */
async function list(context: Context, { name, cacheDir }: RefsInput): Promise<readonly RemoteRef[]> {
  const repo = openRepo(context.repoPath);
  try {
    return await remoteRefs(repo, name, reachOf(context, repo, cacheDir));
  } catch (error) {
    if (!isHacktreeError(error) || error.message !== NO_SUMMARY) throw error;
    throw new HacktreeError(error.code, 'Remote refs not available; server has no summary file', error);
  }
}

const NO_SUMMARY = 'Remote server has no summary file';
