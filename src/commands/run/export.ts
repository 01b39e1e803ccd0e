/** `export`: writes a commit as a tar stream. */
import * as fs from 'node:fs';
import { wrapSystemError } from '../../core/index.ts';
import { exportTar, openRepo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { exportCommand } from '../table/content.ts';

export async function run(context: Context, input: Input<typeof exportCommand>): Promise<void> {
  const repo = openRepo(context.repoPath);
  const stream = exportTar(repo, resolveRev(repo, input.rev), {
    noXattrs: input.noXattrs,
    subpath: input.subpath,
    prefix: prefixFor(context, input.prefix),
  });
  if (input.output === undefined && context.surroundings.stdoutIsTerminal) {
    throw usageError('A tar stream is not for a terminal', ['Redirect it, or use --output=FILE.']);
  }
  if (input.output === undefined) for await (const chunk of stream) context.bytes(chunk);
  else await writeFile(input.output, stream);
}

/** ostree puts the text before each name as it is; we mean a directory. */
function prefixFor(context: Context, prefix: string | undefined): string | undefined {
  if (context.frontEnd === 'ostree' || prefix === undefined || prefix === '' || prefix.endsWith('/')) return prefix;
  return `${prefix}/`;
}

/** A file that could not be finished is removed. */
async function writeFile(path: string, stream: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    const fd = fs.openSync(path, 'w');
    try {
      for await (const chunk of stream) for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw wrapSystemError(error, 'Writing', path);
  }
}
