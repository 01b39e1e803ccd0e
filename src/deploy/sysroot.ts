/**
 * A sysroot: what holds /gnomeos and /boot. Finds it, makes it, locks it.
 *
 * Inside a deployed root the physical root is /sysroot, and it and /boot are read-only views; what changes anything runs
 * in a mount namespace of its own where they are writable (own-namespace.ts).
 */
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { type Bootloader, type BootloaderName, openBootloader } from '../bootloader/index.ts';
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { initRepo, openRepo, type Repo } from '../repo/index.ts';
import { acquireLock, ensureDir, type FileLock, writeFully } from '../sys/index.ts';
import { type SysrootPaths, sysrootPaths } from './layout.ts';
import { parseFields } from './records.ts';

export interface Sysroot {
  readonly paths: SysrootPaths;
  /** Root whose `boot` directory the boot loader uses: the physical root, or `/` inside a deployed root. */
  readonly bootRoot: string;
  /** Root that this system runs from, when it is one of this sysroot. */
  readonly bootedRoot: string | undefined;
  readonly bootloaderName: BootloaderName | undefined;
}

export interface SysrootOptions {
  /** Use this boot loader whatever the disk looks like. */
  readonly bootloader?: BootloaderName | undefined;
  /** Where /run is; tests give another. */
  readonly runDir?: string;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Opens a sysroot. Errors: `sysroot-not-found`. */
export function openSysroot(directory: string, options: SysrootOptions = {}): Sysroot {
  const sysroot = locate(directory, options);
  if (!fs.existsSync(join(sysroot.paths.repo, 'objects'))) {
    throw new HacktreeError('sysroot-not-found', `No sysroot at ${directory}: ${sysroot.paths.repo} is not a repository`, {
      details: { path: sysroot.paths.repo, expected: 'a repository made by `hacktree sysroot init`' },
      hints: [`make it with: hacktree sysroot init${directory === '/' ? '' : ` --sysroot=${directory}`}`],
    });
  }
  return sysroot;
}

/** Makes /gnomeos and its repository; on an existing one nothing changes. */
export function initSysroot(directory: string, options: SysrootOptions = {}): Sysroot {
  const sysroot = locate(directory, options);
  const { gnomeos, repo, vars, states } = sysroot.paths;
  try {
    for (const dir of [gnomeos, vars, states]) ensureDir(dir);
    initRepo(repo, { mode: 'bare' });
  } catch (error) {
    throw wrapSystemError(error, 'Making the sysroot', gnomeos);
  }
  return sysroot;
}

function locate(directory: string, options: SysrootOptions): Sysroot {
  const dir = resolve(directory);
  const booted = dir === '/' ? bootedRootName(options.runDir ?? '/run') : undefined;
  const physical = booted === undefined ? dir : '/sysroot';
  return { paths: sysrootPaths(physical), bootRoot: dir, bootedRoot: booted, bootloaderName: options.bootloader };
}

/** Name of the deployed root that this system was started from. */
export function bootedRootName(runDir: string): string | undefined {
  try {
    const fields = parseFields(fs.readFileSync(join(runDir, 'hacktree/booted'), 'utf8'));
    const isNow = fields.get('boot_id') === fs.readFileSync(BOOT_ID, 'latin1').trim();
    return isNow ? fields.get('root') : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function openSysrootRepo({ paths }: Sysroot): Repo {
  return openRepo(paths.repo);
}

/** Errors: `bootloader-missing`. */
export function sysrootBootloader({ bootRoot, bootloaderName }: Sysroot): Bootloader {
  return openBootloader(bootRoot, bootloaderName === undefined ? {} : { name: bootloaderName });
}

/** Compares the menu on disk with what was to be written. Errors: `bootloader-verify`, `bootloader-missing`. */
export function verifyMenu(sysroot: Sysroot, ...expected: Parameters<Bootloader['verify']>): void {
  const findings = sysrootBootloader(sysroot).verify(...expected);
  if (findings.length === 0) return;
  const lines = findings.map(({ entryId, path, problem }) => `${entryId ?? 'menu'}: ${path}: ${problem}`);
  throw new HacktreeError('bootloader-verify', `The boot menu is not what was written: ${lines.join('; ')}`, {
    details: { findings },
  });
}

export interface SysrootLockOptions {
  /** What is being done, for others who wait: `deploy`. */
  readonly command: string;
  /** Wait for the other instead of failing. */
  readonly wait: boolean;
  readonly onWait?: (holder: string) => void;
}

/** Locks a sysroot for changes. Errors: `sysroot-locked`, naming pid and command of the holder. */
export async function lockSysroot({ paths }: Sysroot, options: SysrootLockOptions): Promise<FileLock> {
  const holder = (): string => readHolder(paths.lock);
  let lock: FileLock | undefined;
  try {
    const timeoutMs = options.wait ? undefined : 0;
    lock = await acquireLock(paths.lock, {
      kind: 'exclusive',
      timeoutMs,
      mode: 0o644,
      onWait: () => options.wait && options.onWait?.(holder()),
    });
  } catch (error) {
    throw wrapSystemError(error, 'Locking the sysroot', paths.lock);
  }
  if (lock === undefined) {
    throw new HacktreeError('sysroot-locked', `Another hacktree works on this sysroot: ${holder()}`, {
      details: { path: paths.lock, found: holder() },
      hints: ['--wait waits until it has finished'],
    });
  }
  fs.ftruncateSync(lock.fd, 0);
  writeFully(lock.fd, Buffer.from(`pid=${process.pid}\ncommand=${options.command}\n`));
  return lock;
}

function readHolder(path: string): string {
  const fields = parseFields(fs.readFileSync(path, 'utf8'));
  return `pid ${fields.get('pid') ?? 'unknown'}, command ${fields.get('command') ?? 'unknown'}`;
}
