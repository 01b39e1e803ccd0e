/** `core.auto-update-summary`: whoever moves refs writes the summary anew. Source: ostree-format 8. */
import { openRepo } from '../repo/index.ts';
import type { Context } from './context.ts';

/** Writes the summary where the repository's configuration asks for it. Errors: as `summary -u`. */
export async function updateSummaryIfAsked(context: Context, repoPath: string): Promise<void> {
  const repo = openRepo(repoPath, context.environment);
  if (!repo.config.autoUpdateSummary) return;
  const { updateSummary } = await import('../remote/index.ts');
  await updateSummary(repo, { metadataRef: false, onLockWait: context.onLockWait });
}
