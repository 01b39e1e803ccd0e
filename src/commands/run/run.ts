/** `run`: a command inside a root without booting it. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { checkout } from '../../checkout/index.ts';
import { isHacktreeError } from '../../core/index.ts';
import { findRoot, openSysrootRepo, RUN_PREFIX, readState, runInRoot } from '../../deploy/index.ts';
import { tryResolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { becomeWriter, sysrootOf } from '../sysroot-context.ts';
import type { runIn } from '../table/deploy.ts';

type RunInput = Input<typeof runIn>;

export async function run(context: Context, input: RunInput): Promise<unknown> {
  const tree = await treeOf(context, input);
  context.finish();
  try {
    context.exitStatus = runInRoot({
      tree: tree.path,
      command: input.command.length === 0 ? ['/bin/sh'] : input.command,
      persistDir: input.persist,
      shareHome: input.home,
      environment: context.surroundings.env,
    });
  } finally {
    tree.remove();
  }
  return { status: context.exitStatus };
}

/** A deployed root, or a checkout of a ref made for this run. */
async function treeOf(context: Context, input: RunInput): Promise<{ path: string; remove(): void }> {
  const sysroot = sysrootOf(input);
  try {
    const { root } = findRoot(readState(sysroot), input.root);
    return { path: join(sysroot.paths.gnomeos, root), remove() {} };
  } catch (error) {
    const repo = openSysrootRepo(sysroot);
    const isRef = isHacktreeError(error) && error.code === 'root-not-found' && tryResolveRev(repo, input.root) !== undefined;
    if (!isRef) throw error;
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) becomeWriter(context, input);
    const base = fs.mkdtempSync(join(isRoot ? sysroot.paths.gnomeos : os.tmpdir(), `${RUN_PREFIX}${process.pid}-`));
    const path = join(base, 'tree');
    await checkout(repo, { rev: input.root, destination: path, options: { fsync: false, userMode: !isRoot } });
    return { path, remove: () => fs.rmSync(base, { recursive: true, force: true }) };
  }
}
