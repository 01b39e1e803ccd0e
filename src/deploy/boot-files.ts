/** Kernels and initial RAM disks below /boot/hacktree: which are in use, and removing the rest. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { BootMenu } from '../bootloader/index.ts';
import { BOOT_SUBDIR } from './layout.ts';
import { type Sysroot, sysrootBootloader } from './sysroot.ts';

export interface UnusedBootFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** Lists what no entry of the menu names. */
export function listUnusedBootFiles(bootDir: string, menu: BootMenu): UnusedBootFile[] {
  const used = new Set(menu.entries.flatMap(({ kernel, initrds }) => [kernel, ...initrds]).map((path) => path.split('/')[1]));
  const dir = join(bootDir, BOOT_SUBDIR);
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir)
    .filter((name) => !used.has(name) && (/^[0-9a-f]{64}$/.test(name) || /^overlay-[0-9a-f]{16}\.img$/.test(name)))
    .map((name) => ({ path: join(dir, name), bytes: sizeOf(join(dir, name)) }));
}

function sizeOf(path: string): number {
  const stat = fs.lstatSync(path);
  if (!stat.isDirectory()) return stat.blocks * 512;
  return fs.readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Removes what no entry names. The menu must be on the disk already. */
export function removeUnusedBootFiles(sysroot: Sysroot, menu: BootMenu): UnusedBootFile[] {
  const unused = listUnusedBootFiles(sysrootBootloader(sysroot).bootDir, menu);
  for (const { path } of unused) fs.rmSync(path, { recursive: true, force: true });
  return unused;
}
