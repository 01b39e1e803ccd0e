/** `serve`: gives the repository out over HTTP until it is stopped. */
import { serveRepo } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { serve } from '../table/mirrors.ts';

export async function run(context: Context, { listen }: Input<typeof serve>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const server = await serveRepo(repo, {
    ...(listen === undefined ? {} : { listen }),
    onRequest: ({ method, path, status }) => context.note(`${method} ${path} ${status}`),
  });
  context.line(`Serving ${repo.path} at ${server.url}`);
  if (repo.mode !== 'archive') context.warn(`${repo.path} is of mode ${repo.mode}; clients can pull only from mode archive`);
  context.finish();
  await stopped(context.signal);
  await server.close();
  return undefined;
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
