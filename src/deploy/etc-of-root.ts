/** Where the /etc of a deployed root is, with its defaults and its history, for commands that look after it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { HOST_ID } from '../bootloader/index.ts';
import { HacktreeError } from '../core/index.ts';
import { ETC_HISTORY_NAME, recordLocalEtc } from '../etc/index.ts';
import { rootDir } from './layout.ts';
import { findRoot } from './menu-changes.ts';
import type { SysrootState } from './state.ts';
import type { Sysroot } from './sysroot.ts';

export interface RootEtc {
  readonly root: string;
  /** Its live /etc. */
  readonly etcDir: string;
  /** Its defaults, `usr/etc`. */
  readonly defaultsDir: string;
}

/**
 * Finds the /etc of a root: the one named, else the booted one, else the one that boots by itself.
 * Errors: `root-not-found`; `path-not-found` when the root's /etc or its defaults are gone.
 */
export function etcOfRoot(state: SysrootState, name: string | undefined): RootEtc {
  const { root } = findRoot(state, name ?? usualRoot(state));
  const dir = rootDir(state.sysroot.paths, root);
  const [etcDir, defaultsDir] = [join(dir, 'etc'), join(dir, 'usr/etc')];
  for (const path of [etcDir, defaultsDir]) {
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) continue;
    throw new HacktreeError('path-not-found', `${root} has no ${path}`, { details: { path } });
  }
  return { root, etcDir, defaultsDir };
}

function usualRoot({ booted, menu, deployments }: SysrootState): string {
  const named = [booted, menu.defaultId].find((id) => id !== HOST_ID) ?? deployments[0]?.root;
  if (named !== undefined) return named;
  throw new HacktreeError('root-not-found', 'Nothing is deployed, so there is no /etc to look at', {
    hints: ["the host's own /etc is not hacktree's; deploy a root with: hacktree deploy REF"],
  });
}

/** The git repository with the history of /etc. */
export function etcHistoryDir({ paths }: Sysroot): string {
  return join(paths.gnomeos, ETC_HISTORY_NAME);
}

/** Puts a root's /etc into the history as it is now. Returns a warning, never an error. */
export async function saveEtcState({ sysroot }: SysrootState, etc: RootEtc, before: string): Promise<string | undefined> {
  const { warning } = await recordLocalEtc({
    historyDir: etcHistoryDir(sysroot),
    root: etc.root,
    defaultsDir: etc.defaultsDir,
    etcDir: etc.etcDir,
    before,
    timeSec: Math.floor(Date.now() / 1000),
  });
  return warning;
}
