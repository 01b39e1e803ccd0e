/** The /var directories under /gnomeos/var: one per OS name, or a root's own. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { syncFileSystem } from '../sys/index.ts';
import { fillVar } from './arrange.ts';
import { STAGING_PREFIX, type SysrootPaths } from './layout.ts';

/** Tells whether a /var has to be filled from the tree: it is missing or completely empty. */
export function isVarEmpty({ vars }: SysrootPaths, name: string): boolean {
  const dir = join(vars, name);
  return fs.statSync(dir, { throwIfNoEntry: false }) === undefined || fs.readdirSync(dir).length === 0;
}

/** The stamp by which systemd knows that a /var fits its /usr: gone, it runs what fits it anew. undefined when there is none. */
export function updateStamp({ vars }: SysrootPaths, name: string): string | undefined {
  const stamp = join(vars, name, '.updated');
  return fs.lstatSync(stamp, { throwIfNoEntry: false }) === undefined ? undefined : stamp;
}

/** Fills a /var from a tree; it appears complete or not at all, also after a power cut: a /var that is there is never filled. */
export function createVar({ vars }: SysrootPaths, name: string, tree: string): void {
  const [dir, staging] = [join(vars, name), join(vars, `${STAGING_PREFIX}${name}`)];
  fs.rmSync(staging, { recursive: true, force: true });
  fillVar(tree, staging);
  syncFileSystem(staging);
  if (fs.existsSync(dir)) fs.rmdirSync(dir);
  fs.renameSync(staging, dir);
}
