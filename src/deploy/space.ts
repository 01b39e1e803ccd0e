/**
 * Whether a deployment fits: bytes and inodes needed against free ones, per file system. Asked before the first write.
 */
import * as fs from 'node:fs';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import { diskBytes, eachStatBelow } from './tree-stats.ts';

export interface SpaceNeed {
  /** What it is for: `root file system`, `/boot`. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly inodes: number;
}

export interface SpaceCheck extends SpaceNeed {
  readonly freeBytes: number;
  /** undefined where the file system has no fixed number (btrfs, FAT). */
  readonly freeInodes: number | undefined;
  readonly fits: boolean;
}

/** Spare bytes on every file system, for metadata and the menu itself. */
const SPARE_BYTES = 1 << 20;

/** Measures free space. Needs on the same device are added up into the first. */
export function checkSpace(needs: readonly SpaceNeed[]): SpaceCheck[] {
  const byDevice = new Map<number, SpaceNeed>();
  for (const need of needs) {
    const { dev } = fs.statSync(need.path);
    const before = byDevice.get(dev);
    byDevice.set(
      dev,
      before === undefined ? need : { ...before, bytes: before.bytes + need.bytes, inodes: before.inodes + need.inodes },
    );
  }
  return [...byDevice.values()].map((need) => {
    const { bavail, bsize, files, ffree } = fs.statfsSync(need.path);
    const freeInodes = files === 0 ? undefined : ffree;
    const freeBytes = bavail * bsize;
    return {
      ...need,
      freeBytes,
      freeInodes,
      fits: need.bytes + SPARE_BYTES <= freeBytes && (freeInodes === undefined || need.inodes <= freeInodes),
    };
  });
}

/** Disk space and inodes of a tree, as far as the caller may look. */
export function treeUse(dir: string): { bytes: number; inodes: number } {
  const use = { bytes: 0, inodes: 0 };
  const add = (stat: fs.Stats): void => {
    use.bytes += diskBytes(stat);
    use.inodes++;
  };
  const own = fs.lstatSync(dir, { throwIfNoEntry: false });
  if (own === undefined) return use;
  add(own);
  if (own.isDirectory()) eachStatBelow(dir, add);
  return use;
}

/** What removing roots would give back. */
export interface Freeable {
  readonly names: readonly string[];
  readonly rootBytes: number;
  readonly bootBytes: number;
}

const NOTHING: Freeable = { names: [], rootBytes: 0, bootBytes: 0 };

/** Tells whether a deployment would fit once that is freed. Inodes are not foreseen. */
export function fitsAfter(checks: readonly SpaceCheck[], freeable: Freeable): boolean {
  return checks.every((check) => check.fits || missingBytes(check) <= freedFor(checks, check, freeable));
}

const missingBytes = ({ bytes, freeBytes }: SpaceCheck): number => bytes + SPARE_BYTES - freeBytes;

/** The first check is the root file system's, and /boot's too where that has none of its own. */
function freedFor(checks: readonly SpaceCheck[], check: SpaceCheck, { rootBytes, bootBytes }: Freeable): number {
  if (check !== checks[0]) return bootBytes;
  return checks.length === 1 ? rootBytes + bootBytes : rootBytes;
}

/** Errors: `no-space`, naming what is short and what could be freed. */
export function requireSpace(checks: readonly SpaceCheck[], freeable: Freeable = NOTHING): void {
  const short = checks.filter(({ fits }) => !fits);
  if (short.length === 0) return;
  const lines = short.map(({ name, bytes, inodes, freeBytes, freeInodes }) => {
    const counts = freeInodes === undefined || inodes <= freeInodes ? '' : `, ${inodes} inodes needed, ${freeInodes} free`;
    return `${name}: ${bytes + SPARE_BYTES} bytes needed, ${freeBytes} available${counts}`;
  });
  throw new HacktreeError('no-space', `Not enough space to deploy: ${lines.join('; ')}`, {
    details: { checks: short, freeable: freeable.names },
    hints: [freeableHint(checks, freeable)],
  });
}

function freeableHint(checks: readonly SpaceCheck[], freeable: Freeable): string {
  const { names, rootBytes, bootBytes } = freeable;
  if (names.length === 0) return 'nothing can be freed by removing roots';
  const freed = `${names.join(', ')} would free ${rootBytes} bytes on the root file system and ${bootBytes} in /boot`;
  return fitsAfter(checks, freeable) ? `--make-room: removing ${freed}` : `removing ${freed}, which is not enough`;
}

/** Errors: `read-only`, `permission`, naming the first directory that cannot be written. */
export function requireWritable(dirs: readonly string[]): void {
  for (const dir of dirs) {
    try {
      fs.accessSync(dir, fs.constants.W_OK);
    } catch (error) {
      throw wrapSystemError(error, 'Cannot deploy into', dir);
    }
  }
}
