/**
 * The commits of a pull: fetched with their detached metadata, checked in every way, then staged.
 *
 * Checks, in this order: checksum and structure; signatures as the remote asks; that the commit is bound to the ref and
 * collection it was asked for; that it is not older than what the ref points at now. Nothing of a commit is staged before.
 *
 * Source: ostree-format 5.3, 5.5, 12.
 */
import { type Checksum, HacktreeError, isHacktreeError } from '../../core/index.ts';
import { type Commit, type Dict, decodeDict, lookup } from '../../format/index.ts';
import { hasObject, loadCommit, type Transaction, tryReadMetadata } from '../../repo/index.ts';
import { printSignatureTime } from '../../sign/index.ts';
import type { RemoteAccess } from '../access.ts';
import type { RemoteConfig } from '../remotes.ts';
import type { Trust } from '../trust.ts';
import { decodeVerified } from './metadata.ts';

export interface CommitChecks {
  readonly remote: RemoteConfig;
  readonly trust: Trust;
  readonly verifyBindings: boolean;
}

export interface WantedCommit {
  readonly checksum: Checksum;
  /** The ref it was asked for by; undefined for a bare checksum and for parents. */
  readonly ref: string | undefined;
  /** Commits that must not be newer, with what messages call them. */
  readonly notOlderThan: readonly Checksum[];
}

export interface FetchedCommit {
  readonly commit: Commit;
  readonly bytes: Buffer;
  /** It was here before, object and all. */
  readonly wasHere: boolean;
}

/** Fetches, checks and stages a commit; undefined when the remote does not have it. Errors: see the file's head. */
export async function fetchCommit(
  transaction: Transaction,
  access: RemoteAccess,
  checks: CommitChecks,
  wanted: WantedCommit,
): Promise<FetchedCommit | undefined> {
  const { checksum } = wanted;
  const detached = await fetchDetached(transaction, access, checksum);
  const present = tryReadMetadata(transaction.view, checksum, 'commit');
  const bytes = present ?? (await access.metadata(checksum, 'commit'));
  if (bytes === undefined) return undefined;
  const commit = decodeVerified(bytes, checksum, 'commit', { where: access.where });
  await checks.trust.checkCommit(checksum, bytes, detached.dict);
  checkWanted(transaction, commit, checks, wanted);
  if (detached.isNew) transaction.writer.writeDetached(checksum, detached.dict);
  if (present === undefined) transaction.writer.writeMetadata('commit', bytes);
  return { commit, bytes, wasHere: present !== undefined && hasObject(transaction.repo, checksum, 'commit') };
}

/** Whether a commit, good in itself, is what was asked for. Errors: `binding-mismatch`, `timestamp-older`. */
export function checkWanted(transaction: Transaction, commit: Commit, checks: CommitChecks, wanted: WantedCommit): void {
  if (checks.verifyBindings) checkBindings(commit, wanted.checksum, wanted.ref, checks.remote);
  for (const older of wanted.notOlderThan) checkTime(transaction, commit, wanted.checksum, older);
}

/** The remote's detached metadata, else what is here. */
async function fetchDetached(
  transaction: Transaction,
  access: RemoteAccess,
  checksum: Checksum,
): Promise<{ dict: Dict; isNew: boolean }> {
  const present = tryReadMetadata(transaction.view, checksum, 'commitmeta');
  const fetched = await access.metadata(checksum, 'commitmeta');
  if (fetched === undefined || fetched.length === 0)
    return { dict: present === undefined ? [] : decodeDict(present), isNew: false };
  try {
    return { dict: decodeDict(fetched), isNew: present === undefined || !fetched.equals(present) };
  } catch (cause) {
    if (!isHacktreeError(cause)) throw cause;
    throw new HacktreeError('server-invalid', `Detached metadata of commit ${checksum} from ${access.where}: ${cause.message}`, {
      details: { path: access.where, object: `${checksum}.commitmeta` },
      cause,
    });
  }
}

function checkBindings({ metadata }: Commit, checksum: Checksum, ref: string | undefined, remote: RemoteConfig): void {
  const refs = lookup(metadata, 'ostree.ref-binding');
  if (refs !== undefined && ref !== undefined) {
    const bound = refs.type === 'as' ? (refs.value as readonly string[]) : [];
    if (!bound.includes(ref)) throw mismatch(checksum, 'ref', ref, bound.map((name) => `‘${name}’`).join(', ') || 'none');
  } else if (refs === undefined && remote.collectionId !== undefined && ref !== undefined) {
    throw mismatch(checksum, 'ref', ref, 'no bindings');
  }
  if (remote.collectionId === undefined) return;
  const collection = lookup(metadata, 'ostree.collection-binding');
  const found = collection?.type === 's' ? String(collection.value) : 'none';
  if (found !== remote.collectionId) throw mismatch(checksum, 'collection ID', remote.collectionId, found);
}

function mismatch(checksum: Checksum, what: string, expected: string, found: string): HacktreeError {
  return new HacktreeError(
    'binding-mismatch',
    `Commit ${checksum}: ${what === 'ref' ? `Commit has no requested ref ‘${expected}’ in ref binding metadata (${found})` : `${what} differs, expected ${expected}, found ${found}`}`,
    { details: { object: `${checksum}.commit`, expected, found }, hints: ['--disable-verify-bindings takes it all the same'] },
  );
}

function checkTime(transaction: Transaction, commit: Commit, checksum: Checksum, older: Checksum): void {
  if (older === checksum || !hasObject(transaction.view, older, 'commit')) return;
  const present = loadCommit(transaction.view, older);
  if (commit.timestampSec >= present.timestampSec) return;
  const text = (seconds: bigint): string => printSignatureTime(Number(seconds));
  throw new HacktreeError(
    'timestamp-older',
    `Upgrade target revision '${checksum}' with timestamp '${text(commit.timestampSec)}' is chronologically older than current revision '${older}' with timestamp '${text(present.timestampSec)}'`,
    {
      details: { object: `${checksum}.commit`, expected: `at least ${present.timestampSec}`, found: commit.timestampSec },
      hints: ['without --timestamp-check (or with --allow-downgrade) it is taken all the same'],
    },
  );
}
