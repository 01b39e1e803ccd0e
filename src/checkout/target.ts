/** A name to fill, and what may be said about it when it is taken. */
import { describeErrno, HacktreeError } from '../core/index.ts';
import { S_IFDIR, S_IFMT } from '../format/index.ts';
import { statAt } from '../sys/index.ts';

/** Where files go: a directory, and where they wait until complete (undefined: they are written in place). */
export interface Spot {
  readonly dir: number;
  readonly staging: number | undefined;
}

/** A name to fill: as the system call wants it, and as people and policies know it. */
export interface Target {
  readonly spot: Spot;
  /** Relative to spot.dir. */
  readonly name: string;
  /** From the root of the checkout, without a leading slash. */
  readonly path: string;
}

/** Error for a name that may not be replaced. */
export function taken({ path }: Target): HacktreeError {
  return new HacktreeError('checkout-exists', `Cannot check out ${path}: ${describeErrno('EEXIST')}`, {
    details: { path, expected: 'nothing, or the same file', found: 'another file', errno: 'EEXIST' },
    hints: ['--union replaces existing files, --union-add keeps them'],
  });
}

/** A file never takes a directory's place. Errors: `checkout-exists`. */
export function refuseDirectory({ spot, name, path }: Target): void {
  const existing = statAt(spot.dir, name);
  if (existing === undefined || (existing.mode & S_IFMT) !== S_IFDIR) return;
  throw new HacktreeError('checkout-exists', `Cannot replace directory ${path} by a file: ${describeErrno('EISDIR')}`, {
    details: { path, expected: 'a file or nothing', found: 'a directory', errno: 'EISDIR' },
  });
}
