/** Content index: SHA-256 of a file's bytes -> the file objects that hold them. */
export { type ContentIndex, openContentIndex } from './content-index.ts';
export { ContentRecords } from './records.ts';
export { type AddOptions, addToContentIndex, compactContentIndex } from './store.ts';
