/**
 * Durable writes: the one place that knows what survives a power cut.
 *
 * A file written here has either its old or its new content after a crash, never a mix and never nothing: temporary
 * file in the same directory, data, owner and mode, fsync, rename, fsync of the directory. (A boot loader that reads
 * a journalling file system without its journal needs more: see bootloader/.)
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { HacktreeError, randomHex } from '../core/index.ts';
import { syncFileSystemOf } from './natives.ts';

export interface DurableOptions {
  /** Permission bits, independent of the umask. Default 0644. */
  readonly mode?: number;
  /** false: atomic but not flushed to the device. Default true. */
  readonly sync?: boolean;
  /** Directory for the temporary file, on the same file system. Default: the target's own. */
  readonly temporaryDir?: string;
  /** Called with the complete, not yet flushed file, to give it an owner and attributes; runs after the mode is set. */
  readonly prepare?: (fd: number) => void;
}

/** Replaces or makes a file. After return it survives a power cut; before, the old content does. */
export function writeFileDurable(target: string, bytes: Uint8Array, options: DurableOptions = {}): void {
  const file = new DurableFile(target, options);
  try {
    file.write(bytes);
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
}

/**
 * A file that is written piece by piece and gets its name when it is complete. Call commit or abort exactly once; after
 * commit the file survives a power cut, before it nothing has the target's name.
 */
export class DurableFile {
  readonly #target: string;
  readonly #temporary: string;
  readonly #options: DurableOptions;
  readonly #fd: number;

  constructor(target: string, options: DurableOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#temporary = temporaryPath(target, options);
    this.#fd = fs.openSync(this.#temporary, 'wx', 0o600);
  }

  write(bytes: Uint8Array): void {
    writeFully(this.#fd, bytes);
  }

  commit(): void {
    finish(this.#fd, this.#temporary, this.#target, this.#options);
  }

  abort(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.#temporary, { force: true });
  }
}

function temporaryPath(target: string, { temporaryDir }: DurableOptions): string {
  return path.join(temporaryDir ?? path.dirname(target), `.tmp-${path.basename(target)}-${randomHex(6)}`);
}

/** Flushes, closes and names a temporary file; removes it when that fails. */
function finish(fd: number, temporary: string, target: string, { mode, sync = true, prepare }: DurableOptions): void {
  try {
    try {
      fs.fchmodSync(fd, mode ?? 0o644);
      prepare?.(fd);
      if (sync) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  if (sync) syncDir(path.dirname(target));
}

/** Writes all bytes at the descriptor's position, going on after short writes. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) at += fs.writeSync(fd, bytes, at, bytes.length - at);
}

/** Makes the names in a directory durable. */
export function syncDir(dir: string): void {
  const fd = fs.openSync(dir, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes everything written so far to the file system of a path durable: one call instead of an fsync per file. */
export function syncFileSystem(anyPath: string): void {
  const fd = fs.openSync(anyPath, 'r');
  try {
    syncFileSystemOf(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Removes a file durably; a missing one is fine. */
export function removeFileDurable(target: string): void {
  try {
    fs.unlinkSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  syncDir(path.dirname(target));
}

/** Makes a directory and its missing parents with the umask's mode; an existing one is fine. */
export function ensureDir(dir: string): void {
  fs.mkdirSync(dir, { recursive: true });
}

/**
 * Overwrites a file's bytes where they are on the disk: no new inode, no new block, so it works on a full disk and is
 * seen by a boot loader that does not replay a journal. The file must exist and have exactly this length. A power cut
 * leaves the old or the new bytes of each 512-byte sector. Errors: `format-invalid` when the length differs.
 */
export function writeInPlace(target: string, bytes: Uint8Array): void {
  const fd = fs.openSync(target, 'r+');
  try {
    const { size } = fs.fstatSync(fd);
    if (size !== bytes.length) {
      throw new HacktreeError('format-invalid', `${target} has ${size} bytes, expected ${bytes.length}`, {
        details: { path: target, expected: bytes.length, found: size },
      });
    }
    writeFully(fd, bytes);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
