/**
 * Signatures of commits that are here: adding, deleting and checking them.
 *
 * They live in the commit's detached metadata, which a transaction replaces as a whole.
 *
 * Source: ostree-format 5.5; ostree-cli A.1 (`gpg-sign`, `sign`, `show`).
 */
import { type Checksum, HacktreeError } from '../core/index.ts';
import type { Dict } from '../format/index.ts';
import { beginTransaction, loadDetachedMetadata, type Repo, readMetadata } from '../repo/index.ts';
import {
  checkGpg,
  ed25519PublicHalf,
  hasGoodSignature,
  type KeyBlock,
  listSignatures,
  SIGN_TYPES,
  type SignatureVerdict,
  type SignType,
  setSignatures,
} from '../sign/index.ts';
import { allGpgKeys, homeGpgKeys, remoteGpgKeys } from './gpg-keys.ts';
import { listRemotes, loadRemote, type RemotesPlace } from './remotes.ts';
import { checkKeySignatures, type KeySources, remoteKeySources } from './sign-keys.ts';

/** Gets the signed bytes and the present detached metadata, returns the new one; the same one changes nothing. */
export type ChangeDetached = (bytes: Buffer, detached: Dict) => Dict | Promise<Dict>;

export interface SignaturePlace {
  readonly repo: Repo;
  readonly commit: Checksum;
  readonly onLockWait?: () => void;
}

/** Replaces the detached metadata of a commit. Errors: `object-missing`, `repo-locked`, and what `change` throws. */
export async function changeSignatures({ repo, commit, onLockWait }: SignaturePlace, change: ChangeDetached): Promise<void> {
  const transaction = await beginTransaction(repo, onLockWait === undefined ? {} : { onLockWait });
  try {
    const present = loadDetachedMetadata(repo, commit) ?? [];
    const detached = await change(readMetadata(repo, commit, 'commit'), present);
    if (detached === present) return;
    transaction.writer.writeDetached(commit, detached);
    await transaction.commit();
  } finally {
    transaction.abort();
  }
}

export interface GpgKeysPlace {
  /** Only the keys of this remote. Default: those of all remotes and of the system. */
  readonly remote?: string | undefined;
  /** A GnuPG home directory, whose keys count too. */
  readonly homedir?: string | undefined;
  /** Directories of the system's keyrings. */
  readonly systemDirs?: readonly string[] | undefined;
  readonly place?: RemotesPlace;
  /** Seconds since 1970 UTC. Default: now. */
  readonly nowSec?: number;
}

/** Checks the GPG signatures of a commit. Errors: `object-missing`, `remote-not-found`, `key-invalid`, `path-not-found`. */
export function checkGpgSignatures(repo: Repo, commit: Checksum, keys: GpgKeysPlace): Promise<SignatureVerdict[]> {
  const signatures = listSignatures(loadDetachedMetadata(repo, commit) ?? [], 'gpg');
  const nowSec = keys.nowSec ?? Math.floor(Date.now() / 1000);
  return checkGpg(readMetadata(repo, commit, 'commit'), signatures, { keys: gpgKeys(repo, keys), nowSec });
}

function gpgKeys(repo: Repo, { remote, homedir, systemDirs, place }: GpgKeysPlace): KeyBlock[] {
  const home = homedir === undefined ? [] : homeGpgKeys(homedir);
  if (remote !== undefined) return [...remoteGpgKeys(repo, loadRemote(repo, remote, place), systemDirs), ...home];
  return [...allGpgKeys(repo, systemDirs, place), ...home];
}

/** Checks the signatures of another kind. Errors: `object-missing`, `path-not-found`. */
export function checkCommitSignatures(repo: Repo, commit: Checksum, type: SignType, sources: KeySources): SignatureVerdict[] {
  const detached = loadDetachedMetadata(repo, commit) ?? [];
  return checkKeySignatures(type, readMetadata(repo, commit, 'commit'), detached, sources);
}

/**
 * Checks all signatures of a commit, of every kind, with all keys that are trusted here: GPG keys as checkGpgSignatures,
 * others as the remotes' configuration names them, and the system's. Errors: as checkGpgSignatures.
 */
export async function checkAllSignatures(
  repo: Repo,
  commit: Checksum,
  keys: GpgKeysPlace & Pick<KeySources, 'dummyEnabled'>,
): Promise<SignatureVerdict[]> {
  const { remote, place, dummyEnabled } = keys;
  const remotes = (remote === undefined ? listRemotes(repo, place) : [remote]).map((name) => loadRemote(repo, name, place));
  const others = SIGN_TYPES.flatMap((type) => {
    const sources = [...remotes.map((each) => remoteKeySources(each, type)), {}];
    return bestOf(sources.map((source) => checkCommitSignatures(repo, commit, type, { ...source, dummyEnabled })));
  });
  return [...(await checkGpgSignatures(repo, commit, keys)), ...others];
}

/** Of several verdicts about the same signatures the one that knows most. */
function bestOf(lists: readonly (readonly SignatureVerdict[])[]): SignatureVerdict[] {
  const rank = ({ status }: SignatureVerdict): number => ['good', 'key-revoked'].indexOf(status) >>> 0;
  return (lists[0] ?? []).map((first, i) =>
    lists.reduce((best, { [i]: next }) => (next !== undefined && rank(next) < rank(best) ? next : best), first),
  );
}

/**
 * Makes sure that no key is asked to sign a second time. Only keyrings of the home directory tell whose a signature is, as
 * ostree has it: with a keybox alone a commit can be signed again. Errors: `usage`, `path-not-found`, `key-invalid`.
 */
export async function requireNotSigned(repo: Repo, commit: Checksum, ids: readonly string[], homedir: string): Promise<void> {
  const signatures = listSignatures(loadDetachedMetadata(repo, commit) ?? [], 'gpg');
  const keys = homeGpgKeys(homedir, { keybox: false });
  const verdicts = await checkGpg(readMetadata(repo, commit, 'commit'), signatures, {
    keys,
    nowSec: Math.floor(Date.now() / 1000),
  });
  const known = verdicts.filter(({ status }) => status !== 'key-missing');
  const twice = ids.find((id) => known.some((verdict) => isNamedBy(verdict, id)));
  if (twice === undefined) return;
  throw new HacktreeError('usage', `Commit is already signed with GPG key ${twice}`, { details: { object: `${commit}.commit` } });
}

/**
 * Deletes, for each ID, the oldest GPG signature whose key it names: fingerprint, key ID or its end, or part of the user
 * ID. Returns how many went. An ID that fits several keys deletes nothing. Errors: as checkGpgSignatures.
 */
export async function deleteGpgSignatures(place: SignaturePlace, ids: readonly string[], keys: GpgKeysPlace): Promise<number> {
  const nowSec = keys.nowSec ?? Math.floor(Date.now() / 1000);
  const context = { keys: gpgKeys(place.repo, keys), nowSec };
  let count = 0;
  await changeSignatures(place, async (bytes, detached) => {
    const signatures = listSignatures(detached, 'gpg');
    const verdicts = await Promise.all(signatures.map((signature) => checkGpg(bytes, [signature], context)));
    const gone = new Set<number>();
    for (const id of ids) {
      const fitting = [...verdicts.entries()].filter(([, of]) => of.some((verdict) => isNamedBy(verdict, id)));
      const owners = new Set(fitting.map(([, [verdict]]) => verdict?.primaryFingerprint ?? verdict?.keyId));
      const first = fitting.find(([i]) => !gone.has(i));
      if (first !== undefined && owners.size === 1) gone.add(first[0]);
    }
    count = gone.size;
    if (count === 0) return detached;
    return setSignatures(
      detached,
      'gpg',
      signatures.filter((_, i) => !gone.has(i)),
    );
  });
  return count;
}

function isNamedBy({ keyId, fingerprint, primaryFingerprint, userName, userEmail }: SignatureVerdict, id: string): boolean {
  const hex = id.replace(/^0x/i, '').toUpperCase();
  const names = [keyId, fingerprint, primaryFingerprint].filter((name) => name !== undefined && name !== '');
  if (/^[0-9A-F]{8,}$/.test(hex)) return names.some((name) => name?.endsWith(hex));
  const user = `${userName ?? ''} <${userEmail ?? ''}>`.toLowerCase();
  return user.includes(id.toLowerCase());
}

/** Deletes the signatures made with keys of a kind, given as public or secret keys; returns how many. */
export async function deleteKeySignatures(place: SignaturePlace, type: SignType, sources: KeySources): Promise<number> {
  const keys = type === 'ed25519' ? sources.keys?.map(ed25519PublicHalf) : sources.keys;
  let count = 0;
  await changeSignatures(place, (bytes, detached) => {
    const kept = listSignatures(detached, type).filter((signature) => {
      const alone = setSignatures([], type, [signature]);
      return !hasGoodSignature(checkKeySignatures(type, bytes, alone, { ...sources, keys: keys ?? [] }));
    });
    count = listSignatures(detached, type).length - kept.length;
    return count === 0 ? detached : setSignatures(detached, type, kept);
  });
  return count;
}
