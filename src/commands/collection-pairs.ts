/** Pairs of a collection ID and a ref on the command line. */
import { checkCollectionId, checkRefName } from '../core/index.ts';
import type { CollectionRef } from '../remote/index.ts';
import { usageError } from './input.ts';

/** Errors: `usage`, `ref-invalid`. */
export function readPairs(words: readonly string[]): CollectionRef[] {
  if (words.length === 0 || words.length % 2 !== 0) throw usageError('At least one COLLECTION-ID REF pair must be specified');
  const pairs: CollectionRef[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const [collection = '', ref = ''] = words.slice(i, i + 2);
    checkCollectionId(collection);
    checkRefName(ref);
    pairs.push({ collection, ref });
  }
  return pairs;
}
