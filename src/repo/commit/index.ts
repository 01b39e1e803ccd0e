/** Committing trees: directories, tar streams and revisions become one commit. */
export { commit } from './commit.ts';
export { printIdDrift } from './id-drift.ts';
export { type IdMap, type ModeOverride, parseIdMap, parseSkipList, parseStatOverrides } from './modifiers.ts';
export type { CommitOptions, CommitReport, IdDrift, TreeSource } from './options.ts';
