/**
 * Whiteouts of container image layers: a file `.wh.NAME` says that NAME of the layer below is gone, `.wh..wh..opq` that
 * nothing of the directory below is left.
 *
 * Source: ostree-cli A.1 (checkout --whiteouts); OCI image specification, layers, whiteouts.
 */
import { HacktreeError } from '../core/index.ts';
import type { FileEntry } from '../format/index.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

export interface Whiteouts {
  /** Names to delete. */
  readonly removed: readonly string[];
  /** Whether everything in the directory goes. */
  readonly isOpaque: boolean;
  /** What is left to check out. */
  readonly files: readonly FileEntry[];
}

/** Sorts a directory's whiteouts from its files. Errors: `path-unsafe` for one that names nothing, `.` or `..`. */
export function splitWhiteouts(all: readonly FileEntry[], path: string, isSkipped: (name: string) => boolean): Whiteouts {
  const files: FileEntry[] = [];
  const removed: string[] = [];
  let isOpaque = false;
  for (const entry of all) {
    if (entry.name === OPAQUE) isOpaque = true;
    else if (!entry.name.startsWith(PREFIX)) files.push(entry);
    else if (!isSkipped(entry.name)) removed.push(checkedName(entry.name, path));
  }
  return { removed, isOpaque, files };
}

function checkedName(whiteout: string, path: string): string {
  const name = whiteout.slice(PREFIX.length);
  if (name !== '' && name !== '.' && name !== '..') return name;
  throw new HacktreeError('path-unsafe', `Invalid empty whiteout '${name}' in /${path}`, {
    details: { path: `/${path}`, found: whiteout },
  });
}
