/** prune: removes what no ref or no commit needs. */
export type { PruneOptions, PruneReport } from './options.ts';
export { prune } from './prune.ts';
