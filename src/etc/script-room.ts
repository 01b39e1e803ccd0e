/**
 * The room in which a local script runs: private mount, process and IPC namespaces around the new root, by unshare(1).
 *
 * The root is read-only but for its /etc and /var; /proc, /run, /tmp and the harmless devices are the room's own; there
 * is no network unless asked for. When the room's first process ends, or is killed with the program that made it, all
 * that was started inside dies with it. It keeps mistakes in, not a hostile root user.
 *
 * **Source:** unshare(1), mount(8), mount_namespaces(7), pid_namespaces(7).
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { HacktreeError } from '../core/index.ts';
import { readNode } from './tree.ts';

export interface ScriptRoom {
  /** The new root, not in use yet. */
  readonly rootDir: string;
  /** What its /var will be when booted. */
  readonly varDir: string;
  readonly hasNetwork: boolean;
}

/** Arguments: root, var, file below /run for name servers or empty, mount points to make, command. */
const SETUP = `
exec 2>&1
root=$1 var=$2 resolv=$3 points=$4
shift 4
mount --bind "$root" "$root" || exit 125
mount --bind "$root/etc" "$root/etc" || exit 125
mount --bind "$var" "$root/var" || exit 125
mount -o remount,bind,ro "$root" || exit 125
for point in $points; do
  case $point in
    proc) mount -t proc -o nosuid,nodev,noexec proc "$root/proc" || exit 125 ;;
    sys) mount --bind /sys "$root/sys" && mount -o remount,bind,ro "$root/sys" || exit 125 ;;
    run) mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run" || exit 125 ;;
    tmp) mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp" || exit 125 ;;
    dev)
      mount -t tmpfs -o mode=0755,nosuid,noexec tmpfs "$root/dev" || exit 125
      for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device" || exit 125
      done
      ln -s /proc/self/fd "$root/dev/fd"
      ln -s fd/0 "$root/dev/stdin"
      ln -s fd/1 "$root/dev/stdout"
      ln -s fd/2 "$root/dev/stderr"
      mkdir -m 1777 "$root/dev/shm"
      ;;
  esac
done
if [ -n "$resolv" ]; then
  mkdir -p "$root/run/$(dirname "$resolv")"
  cat /etc/resolv.conf >"$root/run/$resolv"
fi
cd /
chroot "$root" "$@"
`;

/** Exit status of a room that could not be made. */
export const ROOM_FAILED = 125;

const MOUNT_POINTS = ['proc', 'sys', 'run', 'tmp', 'dev'];

/**
 * Makes the command line that runs a command in a room, with all output on standard output.
 * Errors: `path-unsafe` when the root's /etc or /var is no directory.
 */
export function roomCommand(room: ScriptRoom, command: readonly string[]): { program: string; args: string[] } {
  const { rootDir, varDir, hasNetwork } = room;
  for (const dir of [rootDir, varDir, path.join(rootDir, 'etc'), path.join(rootDir, 'var')]) {
    if (readNode(dir)?.type !== 'directory')
      throw new HacktreeError('path-unsafe', `${dir} is no directory`, { details: { path: dir } });
  }
  const points = MOUNT_POINTS.filter((name) => readNode(path.join(rootDir, name))?.type === 'directory');
  const resolv = hasNetwork && points.includes('run') ? resolvPath(rootDir) : '';
  const namespaces = ['--mount', '--pid', '--ipc', '--fork', '--kill-child=SIGKILL', ...(hasNetwork ? [] : ['--net'])];
  const setup = ['sh', '-c', SETUP, 'hacktree', rootDir, varDir, resolv, points.join(' ')];
  return { program: 'unshare', args: [...namespaces, '--', ...setup, ...command] };
}

/** Where below /run the root looks for its name servers, when its resolv.conf is a link there. */
function resolvPath(rootDir: string): string {
  const file = path.join(rootDir, 'etc/resolv.conf');
  if (readNode(file)?.type !== 'symlink') return '';
  const target = path.posix.resolve('/etc', fs.readlinkSync(file));
  return target.startsWith('/run/') ? target.slice('/run/'.length) : '';
}
