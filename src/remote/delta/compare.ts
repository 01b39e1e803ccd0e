/**
 * Decides how a changed file is sent: as copies of the old one's stretches (rolling sum), as bsdiff data, or as it is.
 *
 * Copies are preferred where at least half of the file is found unchanged: they cost next to nothing to make and apply.
 * bsdiff data that are mostly not zero say that the files have little in common; then the file itself compresses better.
 *
 * **Source:** ostree-format 10.4.
 */
import { makeBsdiff } from './bsdiff.ts';
import { type CopiedRange, matchChunks } from './rollsum.ts';

export type Difference =
  | { readonly kind: 'rollsum'; readonly ranges: readonly CopiedRange[] }
  | { readonly kind: 'bsdiff'; readonly patch: Uint8Array }
  | { readonly kind: 'plain' };

const MIN_ROLLSUM_PART = 0.5;
const MAX_CHANGED_PART = 0.75;

/** Compares two versions of a file. `bsdiff: false` leaves the expensive comparison out. */
export function compareContent(source: Uint8Array, target: Uint8Array, options: { readonly bsdiff: boolean }): Difference {
  const { ranges, matchedBytes } = matchChunks(source, target);
  if (matchedBytes > 0 && matchedBytes >= target.length * MIN_ROLLSUM_PART) return { kind: 'rollsum', ranges };
  if (!options.bsdiff) return { kind: 'plain' };
  const patch = makeBsdiff(source, target);
  return countNonZero(patch) > target.length * MAX_CHANGED_PART ? { kind: 'plain' } : { kind: 'bsdiff', patch };
}

function countNonZero(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) count++;
  return count;
}
