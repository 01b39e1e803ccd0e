/**
 * The library: what `import ... from 'hacktree'` gives. These are the functions that the commands call.
 *
 * Functions take a repository from openRepo() and plain objects, return plain objects, throw HacktreeError, and neither print
 * nor exit. Checksums are strings of 64 hex digits.
 */
export {
  type Checksum,
  type ContentDigest,
  type ErrorCode,
  type ErrorDetails,
  HacktreeError,
  isChecksum,
  isHacktreeError,
  type Progress,
  parseChecksum,
  type ReportProgress,
} from './core/index.ts';
export type { Commit, Dict, Dirtree, InodeMeta, Variant } from './format/index.ts';
export {
  type CommitOptions,
  type CommitReport,
  type ContentIndex,
  commit,
  contentChunks,
  type FileObject,
  type FsckFinding,
  type FsckOptions,
  type FsckReport,
  fsck,
  type InitOptions,
  initRepo,
  listAllRefs,
  listCommits,
  listHeads,
  listTreeDir,
  loadCommit,
  loadFile,
  lookupPath,
  openContentIndex,
  openRepo,
  type RefEntry,
  type Repo,
  type RepoMode,
  readContent,
  resolveRev,
  rootOf,
  type TreeDir,
  type TreeFile,
  type TreeNode,
  type TreeSource,
  tryResolveRev,
  updateRefs,
  walkTree,
} from './repo/index.ts';
