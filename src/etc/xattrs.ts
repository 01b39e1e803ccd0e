/** Extended attributes of what stands in /etc, without those that are not its own. */
import { getXattr, listXattrNames } from '../sys/index.ts';

export type Xattrs = ReadonlyMap<string, Buffer>;

/** Belong to the file system below or to the repository, not to the file. */
const FOREIGN = /^(trusted\.overlay\.|user\.overlay\.|user\.ostreemeta$)/;

export const NO_XATTRS: Xattrs = new Map();

/** Reads the attributes of an open file, or of what stands at a path (a symlink is not followed), sorted by name. */
export function xattrsOf(target: string | number): Xattrs {
  const names = listXattrNames(target)
    .map((name) => name.toString('utf8'))
    .filter((name) => !FOREIGN.test(name));
  if (names.length === 0) return NO_XATTRS;
  const xattrs = new Map<string, Buffer>();
  for (const name of names.sort()) {
    const value = getXattr(target, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  return xattrs;
}
