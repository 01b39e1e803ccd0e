/** Looking at every file below a directory, as far as the caller may. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../core/index.ts';

/** Gives the stat of everything below a directory, symlinks not followed; what cannot be read or went away is left out. */
export function eachStatBelow(dir: string, take: (stat: fs.Stats) => void): void {
  for (const name of readableNames(dir)) {
    const path = join(dir, name);
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    take(stat);
    if (stat.isDirectory()) eachStatBelow(path, take);
  }
}

function readableNames(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    if (['EACCES', 'EPERM', 'ENOENT'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** Bytes that a file takes on disk. */
export const diskBytes = ({ blocks }: fs.Stats): number => blocks * 512;
