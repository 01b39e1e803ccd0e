/** `checksum`: prints the checksum that a path would have as an object. */
import { checksumPath } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { checksum } from '../table/content.ts';

export async function run(context: Context, input: Input<typeof checksum>): Promise<unknown> {
  const found = checksumPath(input.path, { ignoreXattrs: input.ignoreXattrs });
  context.line(found);
  return { path: input.path, checksum: found };
}
