/** Content index: SHA-256 of a file's bytes -> the file objects that hold them. */
export {
  checkContentIndex,
  type IndexReport,
  type IndexStats,
  listDuplicateContents,
  readIndexStats,
  type WrongRecord,
} from './check.ts';
export { type ContentIndex, openContentIndex } from './content-index.ts';
export { type ContentPlace, digestOfPath, findContent } from './find.ts';
export { findDigests, importContentIndex } from './foreign.ts';
export { type IndexJobOptions, indexObjects, type RebuildReport, rebuildContentIndex } from './rebuild.ts';
export { ContentRecords } from './records.ts';
export { type AddOptions, addToContentIndex, compactContentIndex } from './store.ts';
