/** Adding up the sizes of a delta's parts and fallbacks. */

/** The sum of one size of each. */
export function total<K extends string>(items: readonly { readonly [key in K]: bigint }[], field: K): bigint {
  return items.reduce((sum, item) => sum + item[field], 0n);
}
