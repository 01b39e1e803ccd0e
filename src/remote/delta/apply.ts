/**
 * `static-delta apply-offline`: makes a commit out of a delta's files and of objects that are here; and checking a delta's
 * signatures.
 *
 * Source: ostree-format 8 (`sign-verify-deltas`), 10.2, 10.3; ostree-cli A.1 (`static-delta`).
 */
import { type Checksum, checksumOf, HacktreeError } from '../../core/index.ts';
import { deltaCommitmeta, encodeCommit } from '../../format/index.ts';
import { beginTransaction, hasObject, type Repo } from '../../repo/index.ts';
import { requireGoodSignature, type SignatureVerdict, type SignType } from '../../sign/index.ts';
import { checkKeySignatures, type KeySources } from '../sign-keys.ts';
import { executePart } from './execute.ts';
import { openDelta, readPart, type StoredDelta } from './open.ts';
import { unpackPart } from './pack.ts';
import { openDeltaStore } from './repo-store.ts';

export interface DeltaTrust extends KeySources {
  readonly type: SignType;
}

/** Checks a delta's signatures; returns the verdicts. Errors: `signature-missing`, `signature-invalid`. */
export function verifyDelta(delta: StoredDelta, { type, ...keys }: DeltaTrust): SignatureVerdict[] {
  const { signatures, bytes, path } = delta;
  if (signatures === undefined)
    throw new HacktreeError('signature-missing', 'no signatures in static-delta', { details: { path } });
  const verdicts = checkKeySignatures(type, bytes, signatures, keys);
  requireGoodSignature(verdicts, {
    what: `Static delta ${path}`,
    nowSec: 0,
    missing: `no signature for '${type}' in static-delta superblock`,
  });
  return verdicts;
}

export interface ApplyDeltaOptions {
  /** How to check signatures, which is done when keys are named here or the repository demands it. */
  readonly trust: DeltaTrust;
  readonly onLockWait?: () => void;
}

/**
 * Applies a delta from its superblock or its directory; returns the commit it leads to, which no ref names yet.
 * Errors: `delta-invalid`, `object-missing` (its source is not here), `signature-missing`, `signature-invalid`.
 */
export async function applyDeltaOffline(repo: Repo, path: string, options: ApplyDeltaOptions): Promise<Checksum> {
  const delta = openDelta(repo, { path });
  const { from, to, commit, fallbacks, parts } = delta.block;
  const { trust } = options;
  const hasKeys = [trust.keys, trust.files, trust.dirs].some((list) => list !== undefined && list.length > 0);
  if (hasKeys || repo.config.signVerifyDeltas) verifyDelta(delta, trust);
  if (from !== undefined && !hasObject(repo, from, 'commit')) {
    throw new HacktreeError('object-missing', `Commit ${from}, which is the delta source, is not in repository`, {
      details: { object: `${from}.commit`, path: delta.path },
    });
  }
  if (fallbacks.length > 0) throw invalid('Cannot execute delta offline: contains nonempty http fallback entries', delta);
  const bytes = encodeCommit(commit);
  if (checksumOf(bytes) !== to) throw invalid(`Static delta ${delta.path}: its commit has another checksum than ${to}`, delta);
  const transaction = await beginTransaction(repo, options.onLockWait === undefined ? {} : { onLockWait: options.onLockWait });
  try {
    const store = openDeltaStore(transaction.writer, transaction.view);
    for (let i = 0; i < parts.length; i++) {
      const { file, part } = readPart(delta, i);
      const payload = await unpackPart(file, part);
      executePart({ payload, objects: part.objects, unpackedBytes: part.unpackedBytes }, store);
    }
    const detached = deltaCommitmeta(delta.block);
    if (detached !== undefined) transaction.writer.writeDetached(to, detached);
    transaction.writer.writeMetadata('commit', bytes);
    await transaction.commit();
  } finally {
    transaction.abort();
  }
  return to;
}

const invalid = (message: string, { path }: StoredDelta): HacktreeError =>
  new HacktreeError('delta-invalid', message, { details: { path } });
