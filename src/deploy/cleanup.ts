/** Cleaning up: leftovers of crashes, roots that the policy lets go, kernels that no root needs. Plan first, then apply. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Repo } from '../repo/index.ts';
import { listUnusedBootFiles, removeUnusedBootFiles } from './boot-files.ts';
import { ROOT_PREFIX, rootDir } from './layout.ts';
import { undeploy } from './menu-changes.ts';
import { listStaged, releaseCommit, removeRoot } from './remove.ts';
import { DEFAULT_RETENTION, parseRetention, RETENTION_FILE, type RetentionPolicy, rootsToDrop } from './retention.ts';
import { fallbackOf, protectedRoots, type SysrootState } from './state.ts';
import { measureRoot } from './status.ts';

export interface CleanupPlan {
  /** Unfinished trees and roots without a boot entry. */
  readonly leftovers: readonly string[];
  /** Roots that the policy lets go. */
  readonly roots: readonly string[];
  /** Kernel files that no entry names now. */
  readonly bootFiles: readonly string[];
  /** Bytes given back on the root file system and in /boot. */
  readonly rootBytes: number;
  readonly bootBytes: number;
}

/** Reads the retention policy below a system root. Errors: `repo-config`. */
export function loadRetention(systemRoot: string): RetentionPolicy {
  const path = join(systemRoot, RETENTION_FILE);
  return fs.existsSync(path) ? parseRetention(fs.readFileSync(path, 'utf8'), path) : DEFAULT_RETENTION;
}

/** Plans a clean-up. `all` ignores the policy: everything goes that need not stay. */
export function planCleanup(
  state: SysrootState,
  policy: RetentionPolicy,
  options: { all?: boolean; nowSec: number },
): CleanupPlan {
  const { sysroot, deployments, orphans, bootloader, menu } = state;
  const mustStay = new Set([...protectedRoots(state).keys(), fallbackOf(state, menu.defaultId)]);
  const effective = options.all === true ? { keepLast: 0, keepDays: undefined, keepVersions: [] } : policy;
  const roots = rootsToDrop({ deployments, mustStay, policy: effective, nowSec: options.nowSec });
  const staged = listStaged(sysroot.paths);
  const leftovers = [...staged, ...orphans.filter((root) => root !== state.booted)];
  const remaining = { ...menu, entries: menu.entries.filter(({ id }) => !roots.includes(id)) };
  const unused = bootloader === undefined ? [] : listUnusedBootFiles(bootloader.bootDir, remaining);
  const bytesOf = (name: string): number => measureRoot(join(sysroot.paths.gnomeos, name)).exclusiveBytes;
  return {
    leftovers,
    roots,
    bootFiles: unused.map(({ path }) => path),
    rootBytes: [...leftovers, ...roots]
      .filter((name) => fs.existsSync(rootDir(sysroot.paths, name)))
      .reduce((sum, name) => sum + bytesOf(name), 0),
    bootBytes: unused.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Applies a plan: the menu first, then what it no longer names. */
export async function applyCleanup(state: SysrootState, repo: Repo, plan: CleanupPlan): Promise<void> {
  const { paths } = state.sysroot;
  for (const name of plan.leftovers) {
    if (name.startsWith(ROOT_PREFIX)) {
      releaseCommit(repo, name);
      removeRoot(paths, name);
    } else fs.rmSync(join(paths.gnomeos, name), { recursive: true, force: true });
  }
  if (plan.roots.length > 0) await undeploy(state, repo, plan.roots);
  else if (state.bootloader !== undefined) removeUnusedBootFiles(state.sysroot, state.menu);
}
