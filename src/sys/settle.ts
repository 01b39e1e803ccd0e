/**
 * Settling: bringing a file system to a state that a reader without its journal understands.
 *
 * syncfs writes data and journal; on XFS metadata may stay in the log alone, and a boot loader does not replay logs.
 * Freezing empties the log. A frozen file system whose freezer died would hang the machine, so a child process is
 * started first that thaws when this process dies or takes too long. No other file system needs it (measured on ext4
 * and btrfs by recording every write; see docs/crash-tests.md).
 *
 * ext4's sync flushes the device's cache with its journal and writes metadata to its place after that. So a second sync
 * follows, which flushes alone (an fsync of a directory would not): what is written next must not be on the disk first.
 *
 * **Source:** ioctl_fs(2) FIFREEZE; statfs(2) for the type numbers.
 */
import { once } from 'node:events';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errnoOf, HacktreeError } from '../core/index.ts';
import { freezeFileSystem, syncFileSystemOf, thawFileSystem } from './natives.ts';

/** File system types by statfs(2) number. */
export const FILE_SYSTEM_TYPES = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  19780: 'vfat',
  4076150800: 'f2fs',
  801189825: 'zfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
} as const;
export type FileSystemType = (typeof FILE_SYSTEM_TYPES)[keyof typeof FILE_SYSTEM_TYPES] | 'other';

/** Says which file system holds a path. ext2, ext3 and ext4 are all `ext4`. */
export function fileSystemTypeOf(anyPath: string): FileSystemType {
  const number = fs.statfsSync(anyPath).type >>> 0;
  return FILE_SYSTEM_TYPES[number as keyof typeof FILE_SYSTEM_TYPES] ?? 'other';
}

export type Settled = 'synced' | 'frozen' | 'freeze-refused';

/** Errnos that mean: this file system or caller cannot freeze. The sync that went before still stands. */
const CANNOT_FREEZE = ['EOPNOTSUPP', 'ENOTSUP', 'ENOTTY', 'EINVAL', 'EPERM', 'EACCES', 'EBUSY'];

/**
 * Writes everything of the file system that holds a path to its place on the device. XFS is frozen and thawed besides;
 * `freeze-refused` says that it could not be. `freeze: true` does so on any file system.
 */
export async function settleFileSystem(anyPath: string, options: { freeze?: boolean } = {}): Promise<Settled> {
  const fd = fs.openSync(anyPath, 'r');
  try {
    syncFileSystemOf(fd);
    const isFrozen = options.freeze ?? fileSystemTypeOf(anyPath) === 'xfs';
    const settled = isFrozen ? await freezeAndThaw(fd, anyPath) : 'synced';
    syncFileSystemOf(fd); // with nothing left to write it empties the device's cache
    return settled;
  } finally {
    fs.closeSync(fd);
  }
}

async function freezeAndThaw(fd: number, anyPath: string): Promise<Settled> {
  const watchdog = await startWatchdog(anyPath);
  let thawed = false;
  try {
    try {
      freezeFileSystem(fd);
    } catch (error) {
      thawed = true;
      if (CANNOT_FREEZE.includes(errnoOf(error) ?? '')) return 'freeze-refused';
      throw error;
    }
    thawFileSystem(fd);
    thawed = true;
    return 'frozen';
  } finally {
    await watchdog.end(thawed);
  }
}

interface Watchdog {
  /** Ends the child: at once when thawed, else after it has thawed. */
  end(thawed: boolean): Promise<void>;
}

/** What the parent tells the watchdog when all is well; anything else, also silence and death, makes it thaw. */
export const WATCHDOG_DONE = 'done\n';

async function startWatchdog(anyPath: string): Promise<Watchdog> {
  const entry = fileURLToPath(new URL('./thaw-worker.js', import.meta.url));
  const { spawn } = await import('node:child_process'); // few need it, and it takes long to load
  const child = spawn(process.execPath, [entry, anyPath], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const exited = once(child, 'exit');
  const ready = once(child.stdout, 'data');
  await Promise.race([
    ready,
    exited.then(() => {
      throw new HacktreeError('internal', 'The helper that guards a frozen file system did not start', {
        details: { path: anyPath },
      });
    }),
  ]);
  return {
    async end(thawed) {
      child.stdin.end(thawed ? WATCHDOG_DONE : undefined);
      await exited;
    },
  };
}
