/** Etc: three-way merge of /etc, its policy and history, accounts, local scripts. Knows nothing of boot. */
export * from './apply.ts';
export * from './compare.ts';
export * from './history.ts';
export * from './history-read.ts';
export * from './host-accounts.ts';
export * from './host-accounts-files.ts';
export * from './host-files.ts';
export { noteConflicts } from './notes.ts';
export { planEtcMerge } from './plan.ts';
export * from './policy.ts';
export * from './report.ts';
export * from './scripts.ts';
export * from './types.ts';
export * from './unified-diff.ts';
export * from './unresolved.ts';
