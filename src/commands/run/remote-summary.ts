/** `remote summary`: what a remote says of itself, and who signed that. */
import { remoteSummary } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import { printVerdicts, type SignatureVerdict } from '../../sign/index.ts';
import type { Context } from '../context.ts';
import { reachOf } from '../network.ts';
import type { Input } from '../spec.ts';
import { showSummary } from '../summary-report.ts';
import type { remoteSummary as spec } from '../table/remotes.ts';

export async function run(context: Context, input: Input<typeof spec>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const summary = await remoteSummary(repo, input.name, reachOf(context, repo, input.cacheDir));
  const data = showSummary(context, summary, input);
  const { verdicts } = summary;
  const isPart = input.raw || input.listMetadataKeys || input.printMetadataKey !== undefined;
  if (!isPart && verdicts.length > 0) context.print(`\n${signatureText(verdicts)}`);
  return { name: input.name, ...data, signatures: verdicts };
}

/** As `show` has it, with the heading that ostree gives signatures that it asked for. */
function signatureText(verdicts: readonly SignatureVerdict[]): string {
  const text = printVerdicts(verdicts, Math.floor(Date.now() / 1000));
  return text.replace(/^Found/, 'GPG: Verification enabled, found');
}
