/**
 * Records every block write of what happens on a file system:
 * file system -> loop device -> FUSE file -> qemu-storage-daemon -> its blklogwrites filter -> file.
 *
 * Needs root, loop devices and FUSE; no device mapper, no module, no machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOk } from '../../helpers/run.ts';
import { countEntries, type LogEntry, parseWriteLog } from './write-log.ts';

export const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'] as const;
export type FileSystemName = (typeof FILE_SYSTEMS)[number];

/** mkfs.xfs makes none below 300 MB; the files are sparse. */
const SIZE_MIB: Readonly<Record<FileSystemName, number>> = { ext4: 64, xfs: 320, btrfs: 256 };
/** Debian 12's defaults, with a small journal; newer e2fsprogs add what GRUB 2.06 does not read. */
const EXT4_OPTIONS = ['-O', '^orphan_file,^metadata_csum_seed', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-J', 'size=4'];

/** Makes a sparse image with an empty file system. */
export function makeImage(image: string, type: FileSystemName): void {
  fs.writeFileSync(image, '');
  fs.truncateSync(image, SIZE_MIB[type] << 20);
  if (type === 'ext4') runOk('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', ...EXT4_OPTIONS, image]);
  else runOk(`mkfs.${type}`, ['-q', '-f', image]);
}

/** Mounts an image, lets something be done with it, and unmounts it. */
export async function withMounted<T>(image: string, mountPoint: string, work: (top: string) => T | Promise<T>): Promise<T> {
  fs.mkdirSync(mountPoint, { recursive: true });
  runOk('mount', ['-o', 'loop', image, mountPoint]);
  try {
    return await work(mountPoint);
  } finally {
    runOk('umount', [mountPoint]);
  }
}

export interface Recording {
  readonly top: string;
  /** Number of writes and flushes that reached the disk so far. */
  position(): number;
}

/** Runs work on an image while its writes are recorded; the image itself stays as it was. Files go to `dir`. */
export async function recordWrites(
  image: string,
  dir: string,
  work: (recording: Recording) => Promise<void>,
): Promise<LogEntry[]> {
  const [disk, log, exported, top] = ['disk.img', 'log.img', 'export', 'mnt'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  fs.mkdirSync(top, { recursive: true });
  runOk('cp', ['--sparse=always', image, disk]);
  for (const path of [log, exported]) fs.writeFileSync(path, '');
  const daemon = await startDaemon({ disk, log, exported, sizeBytes: fs.statSync(image).size });
  try {
    const loop = runOk('losetup', ['-f', '--show', exported]);
    try {
      runOk('mount', [loop, top]);
      try {
        await work({ top, position: () => countEntries(log) });
      } finally {
        runOk('umount', [top]);
      }
    } finally {
      runOk('losetup', ['-d', loop]);
    }
  } finally {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  }
  const entries = parseWriteLog(fs.readFileSync(log));
  requireComplete(image, entries, disk);
  for (const path of [disk, log, exported]) fs.rmSync(path);
  return entries;
}

/** The recording, played back on the disk it started from, must give the disk it ended with. */
function requireComplete(image: string, entries: readonly LogEntry[], disk: string): void {
  const played = `${disk}.played`;
  runOk('cp', ['--sparse=always', image, played]);
  const fd = fs.openSync(played, 'r+');
  for (const entry of entries) if (entry !== 'flush') fs.writeSync(fd, entry.bytes, 0, entry.bytes.length, entry.at);
  fs.closeSync(fd);
  runOk('cmp', [played, disk]);
  fs.rmSync(played);
}

interface DaemonFiles {
  readonly disk: string;
  readonly log: string;
  readonly exported: string;
  readonly sizeBytes: number;
}

const START_LIMIT_MS = 20_000;

async function startDaemon({ disk, log, exported, sizeBytes }: DaemonFiles): Promise<ChildProcess> {
  const blocks = [
    `driver=file,filename=${disk},node-name=disk`,
    `driver=file,filename=${log},node-name=log`,
    'driver=blklogwrites,node-name=logged,file=disk,log=log,log-super-update-interval=1,log-sector-size=512',
  ];
  const args = blocks.flatMap((block) => ['--blockdev', block]);
  args.push('--export', `type=fuse,id=export,node-name=logged,mountpoint=${exported},writable=on`);
  const daemon = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-storage-daemon', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const end = performance.now() + START_LIMIT_MS;
  while (fs.statSync(exported).size !== sizeBytes) {
    if (daemon.exitCode !== null || performance.now() > end) throw new Error('qemu-storage-daemon does not export the disk');
    await sleep(20);
  }
  return daemon;
}
