/** `cat`: prints the content of files of a commit. */
import { HacktreeError } from '../../core/index.ts';
import { contentChunks, followPath, loadFile, openRepo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { cat } from '../table/history.ts';

export async function run(context: Context, input: Input<typeof cat>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const commit = resolveRev(repo, input.rev);
  const files: object[] = [];
  for (const path of [input.path, ...input.paths]) {
    const node = followPath(repo, commit, path);
    if (node.kind === 'dir')
      throw new HacktreeError('path-not-found', "Can't open directory", { details: { path, expected: 'a file' } });
    const parts: Buffer[] = [];
    for await (const chunk of contentChunks(loadFile(repo, node.checksum))) {
      if (context.json) parts.push(Buffer.from(chunk));
      else context.bytes(chunk);
    }
    if (context.json)
      files.push({ path: node.path, checksum: node.checksum, contentBase64: Buffer.concat(parts).toString('base64') });
  }
  return { commit, files };
}
