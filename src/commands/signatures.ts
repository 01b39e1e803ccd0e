/** What `show` and `log` say about who signed a commit. Loaded only for commits that have detached metadata. */
import type { Checksum } from '../core/index.ts';
import { checkAllSignatures, checkGpgSignatures } from '../remote/index.ts';
import type { Repo } from '../repo/index.ts';
import { printVerdicts, type SignatureVerdict } from '../sign/index.ts';
import type { Context } from './context.ts';
import { type GpgChoice, gpgKeysPlace } from './trust-keys.ts';

/** Checks a commit's signatures and prints what is known of each; `ostree` speaks of GPG signatures alone. */
export async function showSignatures(
  context: Context,
  repo: Repo,
  commit: Checksum,
  choice: GpgChoice,
): Promise<SignatureVerdict[]> {
  const place = gpgKeysPlace(context, choice);
  const { dummyEnabled } = context.environment;
  const verdicts =
    context.frontEnd === 'ostree'
      ? await checkGpgSignatures(repo, commit, place)
      : await checkAllSignatures(repo, commit, { ...place, dummyEnabled });
  if (verdicts.length > 0) context.print(printVerdicts(verdicts, Math.floor(Date.now() / 1000)));
  return verdicts;
}
