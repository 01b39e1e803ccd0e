/** A pseudo-random sequence, the same in each run unless another seed is given. */

/** Makes a generator of numbers from 0 to below 1 (xorshift32). */
export function makeRandom(seed = 0x9e3779b9): () => number {
  let x = seed | 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
