/**
 * Whether a deployment fits: bytes and inodes needed against free ones, per file system. Asked before the first write.
 */
import * as fs from 'node:fs';
import { HacktreeError } from '../core/index.ts';

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

/** Errors: `no-space`, naming what is short and what could be freed. */
export function requireSpace(checks: readonly SpaceCheck[], freeable: readonly string[]): void {
  const short = checks.filter(({ fits }) => !fits);
  if (short.length === 0) return;
  const lines = short.map(({ name, bytes, inodes, freeBytes, freeInodes }) => {
    const counts = freeInodes === undefined || inodes <= freeInodes ? '' : `, ${inodes} inodes needed, ${freeInodes} free`;
    return `${name}: ${bytes + SPARE_BYTES} bytes needed, ${freeBytes} available${counts}`;
  });
  const hint =
    freeable.length === 0 ? 'nothing can be freed by removing roots' : `--make-room would remove ${freeable.join(', ')}`;
  throw new HacktreeError('no-space', `Not enough space to deploy: ${lines.join('; ')}`, {
    details: { checks: short, freeable },
    hints: [hint],
  });
}
