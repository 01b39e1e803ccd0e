/**
 * Several checkouts into one destination, and the text forms of what the command line reads from files: pairs of revision and
 * subpath, each ended by a NUL, and lists of paths to skip, one per line.
 *
 * Source: ostree-cli A.1 (checkout --from-stdin, --from-file, --skip-list).
 */
import type { Repo } from '../repo/index.ts';
import { type CheckoutRequest, type CheckoutResult, checkout } from './checkout.ts';

export interface CheckoutPair {
  readonly rev: string;
  /** undefined for the whole tree. */
  readonly subpath: string | undefined;
}

/** Reads `REV NUL SUBPATH NUL ...`; a last subpath that is missing or empty means the whole tree. */
export function parseCheckoutPairs(text: string): CheckoutPair[] {
  const fields = text.replace(/\n$/, '').split('\0');
  if (fields.at(-1) === '') fields.pop();
  const pairs: CheckoutPair[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    pairs.push({ rev: fields[i] as string, subpath: fields[i + 1] === '' ? undefined : fields[i + 1] });
  }
  return pairs;
}

/** Reads the paths of a skip list: as they are, without empty lines. */
export function parseSkipList(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Checks out pairs in turn, each as checkout() does; the first error ends it. */
export async function checkoutMany(
  repo: Repo,
  pairs: readonly CheckoutPair[],
  request: Omit<CheckoutRequest, 'rev'>,
): Promise<CheckoutResult[]> {
  const results: CheckoutResult[] = [];
  for (const { rev, subpath } of pairs) {
    results.push(await checkout(repo, { ...request, rev, options: { ...request.options, subpath } }));
  }
  return results;
}
