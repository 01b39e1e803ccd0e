/**
 * `run ROOT -- CMD`: a command inside a root without booting it. Private mount and pid namespaces, /usr read-only, what is
 * written goes to a throw-away overlay or to a directory that persists. As root, or unprivileged in a user namespace.
 *
 * The work is done by a small shell script under unshare(1): no daemon, no image, no copy.
 *
 * Source: unshare(1), overlayfs (kernel documentation), user_namespaces(7).
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { HacktreeError } from '../core/index.ts';

export interface RunRequest {
  /** Tree to run in: a deployed root or a checkout. */
  readonly tree: string;
  readonly command: readonly string[];
  /** Keeps what is written, for the next run with the same directory. */
  readonly persistDir?: string | undefined;
  /** Shares the host's /home. */
  readonly shareHome?: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * $1 tree, $2 directory for changes (empty: a tmpfs), $3 `home` or empty, then the command. The scratch tmpfs hides the
 * host's /mnt in this namespace only.
 */
const SCRIPT = `
set -e
tree=$1 persist=$2 home=$3
shift 3
mount --make-rprivate /
base=/mnt
mount -t tmpfs -o mode=0755 hacktree-run "$base"
mkdir "$base/root"
if [ -n "$persist" ]; then
  mkdir -p "$persist/upper" "$persist/work"
  changes=$persist
else
  changes=$base
  mkdir "$base/upper" "$base/work"
fi
mount -t overlay -o "lowerdir=$tree,upperdir=$changes/upper,workdir=$changes/work$HACKTREE_RUN_OPTIONS" overlay "$base/root"
cd "$base/root"
for dir in proc sys dev run tmp etc var home; do [ -e "$dir" ] || mkdir "$dir"; done
mount --bind usr usr
mount -o remount,bind,ro usr
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
[ -z "$home" ] || mount --rbind /home home
if [ -e /etc/resolv.conf ] && [ -d etc ] && [ ! -e etc/resolv.conf ]; then cp /etc/resolv.conf etc/resolv.conf 2>/dev/null || :; fi
exec chroot . "$@"
`;

/** Runs the command and returns its exit status. Errors: `path-not-found`, `not-supported` where namespaces are refused. */
export function runInRoot(request: RunRequest): number {
  const tree = resolve(request.tree);
  if (!fs.existsSync(`${tree}/usr`)) {
    throw new HacktreeError('path-not-found', `${tree} is not a root: it has no usr directory`, {
      details: { path: tree, expected: 'usr' },
    });
  }
  if (/[,:\\]/.test(tree))
    throw new HacktreeError('not-supported', `Overlay file systems cannot use a path with , : or \\: ${tree}`, {
      details: { path: tree },
    });
  const persist = request.persistDir === undefined ? '' : resolve(request.persistDir);
  if (persist !== '') fs.mkdirSync(persist, { recursive: true });
  const isRoot = process.geteuid?.() === 0;
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', ...(isRoot ? [] : ['--user', '--map-root-user'])];
  const home = request.shareHome === true ? 'home' : '';
  const { status, signal, error } = spawnSync(
    'unshare',
    [...namespaces, '--', 'sh', '-c', SCRIPT, 'sh', tree, persist, home, ...request.command],
    {
      stdio: 'inherit',
      env: {
        ...request.environment,
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HACKTREE_RUN_OPTIONS: isRoot ? '' : ',userxattr',
      },
    },
  );
  if (error !== undefined)
    throw new HacktreeError('not-supported', `Cannot start unshare(1): ${error.message}`, {
      cause: error,
      hints: ['install util-linux'],
    });
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
