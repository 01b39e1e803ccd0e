/**
 * Writing from inside a deployed root: /sysroot and /boot are read-only views there, so a command that changes anything
 * runs again in a mount namespace of its own, in which both are writable. Nobody else sees that.
 *
 * `bind` in the remount keeps the flag to this mount; without it the whole file system would be remounted.
 *
 * Source: mount_namespaces(7), mount(8).
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { bootedRootName } from './sysroot.ts';

/** Set in the environment of a command that is inside its namespace already. */
const NAMESPACE_VARIABLE = 'HACKTREE_OWN_NAMESPACE';

const SCRIPT = `
set -e
mount --make-rprivate /
mount -o remount,bind,rw /sysroot
if mountpoint -q /boot; then mount -o remount,bind,rw /boot; fi
exec "$@"
`;

export interface NamespaceRequest {
  /** The sysroot that the command works on. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Program and arguments of this very command. */
  readonly argv: readonly string[];
  readonly runDir?: string;
}

/** Tells whether a command that writes has to run again in a namespace of its own. */
export function needsOwnNamespace({ directory, environment, runDir = '/run' }: NamespaceRequest): boolean {
  return directory === '/' && environment[NAMESPACE_VARIABLE] === undefined && bootedRootName(runDir) !== undefined;
}

/** Runs the command again in a mount namespace of its own and returns its exit status. */
export function runInOwnNamespace({ environment, argv }: NamespaceRequest): number {
  const { status, signal, error } = spawnSync('unshare', ['--mount', '--', 'sh', '-c', SCRIPT, 'sh', ...argv], {
    stdio: 'inherit',
    env: { ...environment, [NAMESPACE_VARIABLE]: '1' },
  });
  if (error !== undefined) throw error;
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
