/** `sign`: signs a commit with keys of the kinds other than GPG, checks or deletes such signatures. */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { changeSignatures, checkCommitSignatures, deleteKeySignatures } from '../../remote/index.ts';
import { openRepo, type Repo, resolveRev } from '../../repo/index.ts';
import { printVerdict } from '../../sign/index.ts';
import type { Context } from '../context.ts';
import { asList, usageError } from '../input.ts';
import { readSigner } from '../read-signer.ts';
import type { Input } from '../spec.ts';
import type { sign } from '../table/signing.ts';
import { keyTrust } from '../trust-keys.ts';

export async function run(context: Context, input: Input<typeof sign>): Promise<unknown> {
  const { keys, keysFile } = input;
  const repo = openRepo(context.repoPath);
  if (!input.verify && keys.length === 0 && keysFile === undefined) throw usageError('Need at least one KEY-ID to sign with');
  const commit = resolveRev(repo, input.commit);
  const trust = keyTrust(context, input);
  if (input.verify) return verify(context, repo, commit, trust);
  const place = { repo, commit, onLockWait: context.onLockWait };
  if (input.delete) {
    const deleted = await deleteKeySignatures(place, trust.type, trust);
    context.line(`Signatures deleted: ${deleted}`);
    return { commit, deleted };
  }
  const signer = await readSigner(context, { keys, keyFiles: asList(keysFile), type: trust.type });
  if (signer !== undefined) await changeSignatures(place, signer);
  return { commit };
}

/** Errors: `signature-invalid`. */
function verify(context: Context, repo: Repo, commit: Checksum, trust: ReturnType<typeof keyTrust>): unknown {
  const signatures = checkCommitSignatures(repo, commit, trust.type, trust);
  const good = signatures.find(({ status }) => status === 'good');
  if (good === undefined) {
    throw new HacktreeError('signature-invalid', 'No valid signatures found', {
      details: { object: `${commit}.commit`, found: `${signatures.length} signatures by other keys` },
    });
  }
  for (const line of printVerdict(good, 0)) context.line(line);
  return { commit, signatures };
}
