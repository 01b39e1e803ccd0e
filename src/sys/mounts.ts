/** What is mounted where, as this process sees it. Source: proc_pid_mountinfo(5): field 5 is the mount point, with octal escapes. */
import { readFileSync } from 'node:fs';

/** Lists the mount points, absolute, in the kernel's order. */
export function listMountPoints(): string[] {
  const rows = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  return rows.flatMap((row) => {
    const escaped = row.split(' ')[4];
    return escaped === undefined ? [] : [decode(escaped)];
  });
}

function decode(escaped: string): string {
  const bytes = escaped.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** Tells whether something is mounted below a directory (absolute path), files included. */
export function hasMountsBelow(dir: string): boolean {
  const prefix = dir.endsWith('/') ? dir : `${dir}/`;
  return listMountPoints().some((point) => point.startsWith(prefix));
}
