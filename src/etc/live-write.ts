/** Writing into an /etc that is in use: one path at a time, whole or not at all, through real directories only. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import { syncDir, writeFileDurable } from '../sys/index.ts';
import { writeAttributes } from './attributes.ts';
import type { EtcSide } from './compare.ts';
import { readNode } from './tree.ts';

/**
 * Puts a file, symlink or directory in place of what stands at a path relative to the /etc, durably; a directory's
 * content stays. Errors: `path-unsafe` for a way through something else than directories, or a directory in the way; system errors.
 */
export function writeSide(etcDir: string, relativePath: string, { type, content, attributes }: EtcSide): void {
  const full = path.join(etcDir, relativePath);
  try {
    checkWay(etcDir, relativePath);
    const node = readNode(full);
    if (type === 'directory') {
      if (node !== undefined && node.type !== 'directory') fs.unlinkSync(full);
      if (node?.type !== 'directory') fs.mkdirSync(full, { mode: 0o700 });
      const fd = fs.openSync(full, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_DIRECTORY);
      writeAttributes(fd, attributes);
      fs.closeSync(fd);
    } else if (node?.type === 'directory') {
      throw new HacktreeError('path-unsafe', `${full} is a directory now; move it away first`, { details: { path: full } });
    } else if (type === 'symlink') {
      fs.rmSync(full, { force: true });
      fs.symlinkSync(content, full);
      writeAttributes(full, attributes);
    } else {
      writeFileDurable(full, content, { mode: 0o600, prepare: (fd) => void writeAttributes(fd, attributes) });
      return;
    }
    syncDir(path.dirname(full));
  } catch (error) {
    throw wrapSystemError(error, 'Cannot write', full);
  }
}

/** Makes missing parent directories and refuses ones that are something else. */
function checkWay(etcDir: string, relativePath: string): void {
  const parts = relativePath.split('/');
  if (!relativePath.isWellFormed()) {
    const details = { path: relativePath };
    throw new HacktreeError('not-supported', `The name of ${relativePath} is no UTF-8; write it by hand`, { details });
  }
  if (parts.some((part) => part === '' || part === '.' || part === '..')) throw unsafeWay(relativePath);
  for (let depth = 1; depth < parts.length; depth++) {
    const dir = path.join(etcDir, ...parts.slice(0, depth));
    const node = readNode(dir);
    if (node === undefined) fs.mkdirSync(dir, { mode: 0o755 });
    else if (node.type !== 'directory') throw unsafeWay(dir);
  }
}

function unsafeWay(found: string): HacktreeError {
  return new HacktreeError('path-unsafe', `${found} does not lead into /etc`, { details: { path: found } });
}
