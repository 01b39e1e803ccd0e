/** Reading a repository for people: entries, history, differences, raw metadata, tar. Changes nothing. */
export { type DiffSide, diffTrees, type TreeDiff } from './diff.ts';
export { type ExportOptions, exportTar } from './export-tar.ts';
export { followPath } from './follow-links.ts';
export { type CommitFacts, describeCommit, type HistoryStep, walkHistory } from './history.ts';
export { checksumPath, type LocalOptions } from './local-checksum.ts';
export { countShared, type PullSizes, type SharedObjects, sumSizes } from './object-stats.ts';
export {
  findRawType,
  listMetadataKeys,
  listRelated,
  printDetachedKey,
  printMetadataKey,
  printObject,
  printVariantFile,
  type RawType,
} from './raw-text.ts';
export { describeNode, printXattrs, type TreeEntry } from './tree-entry.ts';
