/** `gpg-sign`: signs a commit with GnuPG, or deletes such signatures. */
import type { Checksum } from '../../core/index.ts';
import { changeSignatures, deleteGpgSignatures, requireNotSigned, type SignaturePlace } from '../../remote/index.ts';
import { openRepo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { readSigner } from '../read-signer.ts';
import type { Input } from '../spec.ts';
import type { gpgSign } from '../table/signing.ts';
import { gpgKeysPlace } from '../trust-keys.ts';

type GpgSignInput = Input<typeof gpgSign>;

export async function run(context: Context, input: GpgSignInput): Promise<unknown> {
  const { keys, gpgHomedir } = input;
  const repo = openRepo(context.repoPath);
  if (keys.length === 0) throw usageError('Need at least one GPG KEY-ID to sign with');
  const commit: Checksum = resolveRev(repo, input.commit);
  const place: SignaturePlace = { repo, commit, onLockWait: context.onLockWait };
  if (input.delete) {
    const deleted = await deleteGpgSignatures(place, keys, gpgKeysPlace(context, { homedir: gpgHomedir }));
    context.line(`Signatures deleted: ${deleted}`);
    return { commit, deleted };
  }
  if (gpgHomedir !== undefined) await requireNotSigned(repo, commit, keys, gpgHomedir);
  const signer = await readSigner(context, { gpgKeys: keys, gpgHomedir });
  if (signer !== undefined) await changeSignatures(place, signer);
  return { commit, signed: keys.length };
}
