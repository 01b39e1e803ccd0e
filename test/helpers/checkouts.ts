/** Comparing what two programs checked out: everything but the exact time of "now". */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { getXattr, listXattrNames } from '../../src/sys/index.ts';

/** Describes every entry of a tree by a line: path, type, mode, owner, time (0 or now), link count, content, xattrs. */
export function listCheckout(dir: string): string[] {
  const lines: string[] = [];
  const walk = (path: string): void => {
    lines.push(describe(dir, path));
    if (!lstatSync(join(dir, path)).isDirectory()) return;
    for (const name of readdirSync(join(dir, path)).sort()) walk(join(path, name));
  };
  walk('');
  return lines;
}

function describe(root: string, path: string): string {
  const file = join(root, path);
  const stat = lstatSync(file, { bigint: true });
  const parts = [`/${path}`, stat.mode.toString(8), `${stat.uid}:${stat.gid}`, stat.mtimeNs === 0n ? 'time 0' : 'time now'];
  if (!stat.isDirectory()) parts.push(`links ${stat.nlink}`);
  if (stat.isFile()) parts.push(createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16));
  if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(file)}`);
  if (stat.isCharacterDevice()) parts.push(`device ${stat.rdev}`);
  for (const name of listXattrNames(file).map(String).sort()) parts.push(`${name}=${getXattr(file, name)?.toString('hex')}`);
  return parts.join(' ');
}
