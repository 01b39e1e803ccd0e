/** du: how much space commits, refs and paths need, alone and together with others. */
export { du } from './du.ts';
export {
  type CommitUsage,
  type DuOptions,
  type DuplicateContent,
  type DuplicateUsage,
  type DuReport,
  MAX_DUPLICATES,
  type PathUsage,
  type RefUsage,
  type SharedUsage,
  type Usage,
} from './report.ts';
