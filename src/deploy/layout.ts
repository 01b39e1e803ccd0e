/**
 * Where a sysroot keeps what.
 *
 *     /gnomeos/repo/                     bare repository
 *     /gnomeos/lock                      held by whoever changes the sysroot; names pid and command
 *     /gnomeos/root-VER/                 a deployed root: hard-link checkout with an etc of its own
 *     /gnomeos/.new-root-VER/            a root being made; left over by a crash, removed by the next change
 *     /gnomeos/.run-PID-XXXXXX/          a ref checked out for `run`, for as long as that runs
 *     /gnomeos/var/OSNAME/               /var of all roots of one OS name; root-VER for one with --own-var
 *     /gnomeos/state/root-VER/boot       var=NAME: read by the initramfs          (written here)
 *     /gnomeos/state/root-VER/deployment what was deployed, when, with what       (written here)
 *     /gnomeos/state/root-VER/scripts.log what local scripts wrote                (written here)
 *     /gnomeos/state/root-VER/pin        pinned, with its reason                  (written here)
 *     /gnomeos/state/root-VER/removed    time=: is about to be removed            (written here)
 *     /gnomeos/state/root-VER/good       time=: came up well                      (written by the booted root)
 *     /gnomeos/state/root-VER/failed     time=, reason=: did not                  (written by a booted root)
 *     /boot/hacktree/CHECKSUM/           vmlinuz, initrd.img; shared by roots with the same boot checksum
 *     /boot/hacktree/overlay-CHECKSUM.img  the extra initramfs
 *
 * The physical root is `/`, or `/sysroot` inside a deployed root.
 */

import { join } from 'node:path';

export const ROOT_PREFIX = 'root-';
export const STAGING_PREFIX = '.new-';
/** Of a tree checked out for `run`, followed by the pid of who runs it. */
export const RUN_PREFIX = '.run-';

export interface SysrootPaths {
  /** Physical root of the file system that holds /gnomeos. */
  readonly physical: string;
  readonly gnomeos: string;
  readonly repo: string;
  readonly lock: string;
  readonly vars: string;
  readonly states: string;
}

export function sysrootPaths(physical: string): SysrootPaths {
  const gnomeos = join(physical, 'gnomeos');
  return {
    physical,
    gnomeos,
    repo: join(gnomeos, 'repo'),
    lock: join(gnomeos, 'lock'),
    vars: join(gnomeos, 'var'),
    states: join(gnomeos, 'state'),
  };
}

export const rootDir = (paths: SysrootPaths, root: string): string => join(paths.gnomeos, root);
export const stagingDir = (paths: SysrootPaths, root: string): string => join(paths.gnomeos, `${STAGING_PREFIX}${root}`);
export const stateDirOf = (paths: SysrootPaths, root: string): string => join(paths.states, root);

/** Directory below the boot loader's directory in which hacktree keeps kernels. */
export const BOOT_SUBDIR = 'hacktree';
