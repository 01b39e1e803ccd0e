/** fsck: verifies everything that refs and commits need, repairs it from another repository. */
export { fsck } from './fsck.ts';
export { type CommitState, readCommitState } from './marks.ts';
export { type RepairSource, repairFromRepo, type SourceFile } from './repair-source.ts';
export type { FsckFinding, FsckFindingKind, FsckOptions, FsckReport } from './report.ts';
