/** Opening the repository of a command that changes it: with what the environment says about transactions. */
import { openRepo, type Repo } from '../repo/index.ts';
import type { Context } from './context.ts';

/** Opens the command's repository for a transaction. Errors: `repo-not-found`, `repo-config`. */
export function openForChange({ repoPath, environment: { bootId, testErrors } }: Context): Repo {
  return openRepo(repoPath, { bootId, testErrors });
}
