/** Extended attributes of a path, as the format wants them: sorted, with values. */
import { NO_XATTRS, sortXattrs, type Xattrs } from '../format/index.ts';
import { getXattr, listXattrNames, setXattr } from '../sys/index.ts';

/**
 * Reads all xattrs of a path (not following symlinks) or descriptor. Those with an empty value are left out, as ostree
 * leaves them out: the checksums have to be the same.
 */
export function readXattrs(target: string | number): Xattrs {
  const names = listXattrNames(target);
  if (names.length === 0) return NO_XATTRS;
  const xattrs = names.flatMap((name) => {
    const value = getXattr(target, name.toString('utf8'));
    return value === undefined || value.length === 0 ? [] : [{ name, value }];
  });
  return sortXattrs(xattrs);
}

/** Sets all xattrs of a list. */
export function writeXattrs(target: string | number, xattrs: Xattrs): void {
  for (const { name, value } of xattrs) setXattr(target, name.toString('utf8'), value);
}
