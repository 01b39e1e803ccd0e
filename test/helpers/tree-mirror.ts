/** A mirror of one tree behind nginx, whose log tells what clients asked for. */
import { join } from 'node:path';
import { addRemote, updateSummary } from '../../src/remote/index.ts';
import { commit, initRepo, openRepo, type Repo } from '../../src/repo/index.ts';
import { type Nginx, startNginx } from './nginx.ts';

export interface TreeMirror {
  readonly mirror: Repo;
  readonly nginx: Nginx;
  /** Commits the tree as it is now to `main`, and writes the summary. */
  publish(timestampSec: bigint): Promise<void>;
}

/** Publishes `dir/tree` in `dir/mirror` and serves that; `nginx.stop()` is the caller's. */
export async function serveTree(dir: string): Promise<TreeMirror> {
  const mirror = initRepo(join(dir, 'mirror'), { mode: 'archive' });
  const publish = async (timestampSec: bigint): Promise<void> => {
    await commit(mirror, { branch: 'main', timestampSec, trees: [{ kind: 'dir', path: join(dir, 'tree') }] });
    await updateSummary(mirror);
  };
  await publish(1000n);
  return { mirror, publish, nginx: await startNginx(mirror.path, join(dir, 'nginx')) };
}

/** Makes a repository that has the server at `url` as its remote `m`. */
export function clientOf(url: string, path: string, mode: string): Repo {
  const repo = initRepo(path, { mode });
  addRemote(repo, { name: 'm', url, noGpgVerify: true });
  return openRepo(repo.path);
}
