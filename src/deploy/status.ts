/** What `status` tells: the deployments in menu order with what each is to the machine. Reads only; writes nothing. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Karg } from '../bootloader/index.ts';
import { isHacktreeError } from '../core/index.ts';
import { listUnresolved, type UnresolvedConflict } from '../etc/index.ts';
import type { Repo } from '../repo/index.ts';
import type { Deployment } from './deployment.ts';
import { rootDir } from './layout.ts';
import { rootKargs } from './menu-changes.ts';
import { ONCE_SUFFIX, type SysrootState } from './state.ts';
import { diskBytes, eachStatBelow } from './tree-stats.ts';

export interface RootStatus {
  readonly root: string;
  readonly title: string;
  readonly version: string | undefined;
  readonly commit: string | undefined;
  readonly refspec: string | undefined;
  readonly osName: string;
  readonly varName: string;
  readonly deployedSec: number | undefined;
  readonly isBooted: boolean;
  readonly isDefault: boolean;
  /** What boots when the default fails. */
  readonly isRollback: boolean;
  /** It boots at the next start whatever the default is. */
  readonly isNextOnce: boolean;
  /** Kernel arguments of that start only; undefined when they are the usual ones. */
  readonly onceKargs: readonly string[] | undefined;
  /** Boots left to prove itself. */
  readonly triesLeft: number | undefined;
  readonly isGood: boolean;
  readonly failure: Deployment['failure'];
  readonly pin: Deployment['pin'];
  /** false: its directory was deleted. */
  readonly isPresent: boolean;
  /** Bytes that only this root has, and those that it shares by hard links; undefined unless asked for. */
  readonly size: { readonly exclusiveBytes: number; readonly sharedBytes: number } | undefined;
  readonly kargs: readonly Karg[];
  /** Conflicts in its /etc that wait for a decision, as far as the caller may see them. */
  readonly etcUnresolved: readonly UnresolvedConflict[];
}

export interface SysrootStatus {
  readonly bootloader: string | undefined;
  readonly booted: string;
  readonly default: string;
  readonly rollback: string;
  readonly fellBack: string | undefined;
  readonly roots: readonly RootStatus[];
  /** Directories that no boot entry names and that the next change removes. */
  readonly leftovers: readonly string[];
  /** Roots that no boot entry names and that stay. */
  readonly unlisted: readonly string[];
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly consequence: string }[];
}

/** Gathers the status. `sizes` walks the roots, which takes time. */
export function sysrootStatus(state: SysrootState, repo: Repo, options: { sizes: boolean }): SysrootStatus {
  const { menu, bootloader } = state;
  return {
    bootloader: bootloader?.name,
    booted: state.booted,
    default: menu.defaultId,
    rollback: menu.previousId,
    fellBack: menu.fellBackId,
    roots: state.deployments.map((deployment) => rootStatus(state, repo, deployment, options.sizes)),
    leftovers: state.orphans,
    unlisted: state.unlisted,
    warnings: bootloader?.warnings() ?? [],
  };
}

function rootStatus(state: SysrootState, repo: Repo, deployment: Deployment, sizes: boolean): RootStatus {
  const { menu } = state;
  const { root, title, version, commit, refspec, osName, varName, deployedSec, pin, isPresent, goodSec } = deployment;
  const onceId = `${root}${ONCE_SUFFIX}`;
  const fellBack = menu.fellBackId === root ? { timeSec: undefined, reason: 'tries', check: undefined } : undefined;
  return {
    root,
    title,
    version,
    commit,
    refspec,
    osName,
    varName,
    deployedSec,
    pin,
    isPresent,
    isBooted: state.booted === root,
    isDefault: menu.defaultId === root,
    isRollback: menu.previousId === root && menu.defaultId !== root,
    isNextOnce: menu.oneShotId === root || menu.oneShotId === onceId,
    onceKargs: menu.oneShotId === onceId ? menu.entries.find(({ id }) => id === onceId)?.arguments : undefined,
    triesLeft: menu.defaultId === root ? menu.triesLeft : undefined,
    isGood: goodSec !== undefined,
    failure: deployment.failure ?? fellBack,
    size: sizes && isPresent ? measureRoot(rootDir(state.sysroot.paths, root)) : undefined,
    kargs: kargsOrNone(state, repo, deployment),
    etcUnresolved: unresolvedIn(rootDir(state.sysroot.paths, root)),
  };
}

function unresolvedIn(dir: string): UnresolvedConflict[] {
  const dirs = { etcDir: join(dir, 'etc'), defaultsDir: join(dir, 'usr/etc') };
  return fs.existsSync(dirs.etcDir) ? listUnresolved(dirs) : [];
}

function kargsOrNone(state: SysrootState, repo: Repo, deployment: Deployment): Karg[] {
  try {
    return rootKargs(state, repo, deployment);
  } catch (error) {
    if (!isHacktreeError(error)) throw error;
    const entry = state.menu.entries.find(({ id }) => id === deployment.root);
    return (entry?.arguments ?? []).map((argument) => ({ argument, origin: 'unknown' }));
  }
}

/** Adds up disk usage. A file with one link besides the repository's object is the root's alone. */
export function measureRoot(dir: string): { exclusiveBytes: number; sharedBytes: number } {
  const sum = { exclusiveBytes: 0, sharedBytes: 0 };
  eachStatBelow(dir, (stat) => {
    const isExclusive = stat.isDirectory() || stat.nlink <= 2;
    sum[isExclusive ? 'exclusiveBytes' : 'sharedBytes'] += diskBytes(stat);
  });
  return sum;
}
