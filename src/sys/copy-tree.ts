/**
 * Copies a directory tree with everything that belongs to it: owners, modes, xattrs, times, symlinks, hard links kept as
 * separate files. Devices, FIFOs and sockets are left out and listed.
 */
import * as fs from 'node:fs';
import { copyContent } from './copy.ts';
import { getXattr, listXattrNames, setXattr } from './natives.ts';

export interface CopyTreeOptions {
  /** Paths relative to the source that are left out, with everything below. */
  readonly skip?: ReadonlySet<string>;
}

export interface CopyTreeReport {
  readonly files: number;
  readonly bytes: number;
  readonly leftOut: readonly string[];
}

/** Copies `from` to `to`, which must not exist. Not flushed to the device. */
export function copyTree(from: string, to: string, options: CopyTreeOptions = {}): CopyTreeReport {
  const report = { files: 0, bytes: 0, leftOut: [] as string[] };
  const visit = (relative: string): void => {
    const [source, target] = [from + relative, to + relative];
    const stat = fs.lstatSync(source);
    if (stat.isDirectory()) {
      fs.mkdirSync(target, 0o700);
      for (const name of fs.readdirSync(source)) {
        const child = `${relative}/${name}`;
        if (options.skip?.has(child.slice(1)) !== true) visit(child);
      }
    } else if (stat.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(source, { encoding: 'buffer' }), target);
    } else if (stat.isFile()) {
      copyFile(source, target, stat.size);
      report.bytes += stat.size;
    } else {
      report.leftOut.push(relative.slice(1));
      return;
    }
    report.files++;
    copyAttributes(source, target, stat);
  };
  visit('');
  return report;
}

function copyFile(source: string, target: string, sizeBytes: number): void {
  const from = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const to = fs.openSync(target, 'wx', 0o600);
    try {
      copyContent(from, to, sizeBytes);
    } finally {
      fs.closeSync(to);
    }
  } finally {
    fs.closeSync(from);
  }
}

/** Owner first: it clears set-id bits; times last. */
function copyAttributes(source: string, target: string, stat: fs.Stats): void {
  if (stat.uid !== process.geteuid?.() || stat.gid !== process.getegid?.()) fs.lchownSync(target, stat.uid, stat.gid);
  if (!stat.isSymbolicLink()) fs.chmodSync(target, stat.mode & 0o7777);
  for (const name of listXattrNames(source)) {
    const value = getXattr(source, name.toString());
    if (value !== undefined) setXattr(target, name.toString(), value);
  }
  fs.lutimesSync(target, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}
