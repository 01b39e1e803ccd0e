/** `index find`: which objects, commits and paths hold a content. */
import { existsSync } from 'node:fs';
import { type ContentDigest, isChecksum } from '../../core/index.ts';
import { digestOfPath, findContent, openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { printMode } from '../format-text.ts';
import type { Input } from '../spec.ts';
import type { indexFind } from '../table/repository.ts';

export async function run(context: Context, input: Input<typeof indexFind>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const isDigest = isChecksum(input.content) && !existsSync(input.content);
  const digest = isDigest ? (input.content as string as ContentDigest) : digestOfPath(input.content);
  const places = await findContent(repo, digest);
  for (const { object, header, sizeBytes, commits, paths, hasMorePaths } of places) {
    context.line(`object ${object}  ${printMode(header.mode)} ${header.uid}:${header.gid} ${sizeBytes} bytes`);
    for (const commit of commits) context.line(`  commit ${commit}`);
    for (const path of paths) context.line(`  path ${path}`);
    if (hasMorePaths) context.line('  and more paths');
  }
  if (places.length === 0) context.note(`No object holds ${digest}`);
  return {
    digest,
    objects: places.map(({ header: { mode, uid, gid }, ...place }) => ({ ...place, mode: printMode(mode), uid, gid })),
  };
}
