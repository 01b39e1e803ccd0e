/**
 * Finding who has refs of collections: the configured remotes, and repositories on mounted disks; and pulling from them.
 *
 * A remote is asked for its summary. What a mounted repository has is trusted no more than a web server: a commit is taken
 * only with a good GPG signature by a key of the remote that is configured for its collection (the keyring).
 *
 * Source: ostree-cli A.1 (`find-remotes`); ostree-format 8 (`collection-id`), 9.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Checksum, type HacktreeError, isHacktreeError } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import { listMountPoints } from '../sys/index.ts';
import { openRemoteAccess } from './access.ts';
import { type CollectionRef, refInSummary } from './collection-refs.ts';
import { pullFrom } from './pull/pull.ts';
import type { PullOptions } from './pull/types.ts';
import { fetchSummary } from './remote-summary.ts';
import { listRemotes, loadRemote, type RemoteConfig } from './remotes.ts';
import { Trust } from './trust.ts';

export const FINDERS = ['config', 'mount'] as const;
export type Finder = (typeof FINDERS)[number];

export interface FindOptions extends Pick<PullOptions, 'network' | 'trust' | 'place' | 'cacheDir'> {
  readonly finders: readonly Finder[];
  /** Directories where disks are mounted. Default: mounts below /media, /run/media and /mnt. */
  readonly mounts?: readonly string[] | undefined;
}

export interface FoundRemote {
  readonly url: string;
  readonly finder: Finder;
  /** The configured remote whose keys vouch for what is pulled. */
  readonly keyring: string;
  /** The lower, the better. */
  readonly priority: number;
  /** Seconds since 1970 UTC. */
  readonly lastModifiedSec: bigint | undefined;
  /** The refs that were asked for, in that order; commit undefined: not there. */
  readonly refs: readonly (CollectionRef & { readonly commit: Checksum | undefined })[];
  readonly remote: RemoteConfig;
}

const PRIORITY: Record<Finder, number> = { mount: 50, config: 100 };

/** Lists who has at least one of the refs, best first. A remote that cannot be asked is passed over. */
export async function findRemotes(repo: Repo, wanted: readonly CollectionRef[], options: FindOptions): Promise<FoundRemote[]> {
  const remotes = listRemotes(repo, options.place).map((name) => loadRemote(repo, name, options.place));
  const ids = new Set(wanted.map(({ collection }) => collection));
  const trusted = remotes.filter(({ collectionId }) => collectionId !== undefined && ids.has(collectionId));
  const found: FoundRemote[] = [];
  for (const finder of options.finders) {
    const candidates = finder === 'config' ? trusted : mountedRemotes(trusted, options.mounts ?? listMounts());
    for (const remote of candidates) {
      const refs = wanted.filter(({ collection }) => collection === remote.collectionId);
      const result = await askRemote(repo, remote, { finder, refs, options });
      if (result !== undefined) found.push(result);
    }
  }
  const age = ({ lastModifiedSec }: FoundRemote): bigint => lastModifiedSec ?? 0n;
  return found.sort((a, b) => a.priority - b.priority || Number(age(b) - age(a)));
}

async function askRemote(
  repo: Repo,
  remote: RemoteConfig,
  { finder, refs, options }: { finder: Finder; refs: readonly CollectionRef[]; options: FindOptions },
): Promise<FoundRemote | undefined> {
  try {
    const access = await openRemoteAccess(repo, remote, options.network);
    try {
      const trust = new Trust(repo, remote, options.trust);
      const summary = await fetchSummary(repo, remote.name, access, trust, { cacheDir: options.cacheDir });
      if (summary === undefined) return undefined;
      const resolved = refs.map((ref) => ({ ...ref, commit: refInSummary(summary, ref) }));
      if (resolved.every(({ commit }) => commit === undefined)) return undefined;
      const { lastModifiedSec } = summary.facts;
      const url = remote.url ?? '';
      return { url, finder, keyring: remote.name, priority: PRIORITY[finder], lastModifiedSec, refs: resolved, remote };
    } finally {
      await access.close();
    }
  } catch (error) {
    if (isHacktreeError(error) && error.code !== 'internal') return undefined;
    throw error;
  }
}

/** Each repository of each mount, once for each remote that could vouch for it. */
function mountedRemotes(trusted: readonly RemoteConfig[], mounts: readonly string[]): RemoteConfig[] {
  const repos = mounts.flatMap(repositoriesOf).map((path) => pathToFileURL(path).href);
  return trusted.flatMap((remote) => repos.map((url) => ({ ...remote, url, metalink: undefined, contentUrl: undefined })));
}

function repositoriesOf(mount: string): string[] {
  const links = join(mount, '.ostree/repos.d');
  const linked = fs.existsSync(links) ? fs.readdirSync(links).sort() : [];
  const places = [join(mount, '.ostree/repo'), ...linked.map((name) => join(links, name))];
  const found = places.filter((path) => fs.existsSync(join(path, 'config'))).map((path) => fs.realpathSync(path));
  return [...new Set(found)];
}

/** Where the kernel says that disks are mounted, among the places for removable ones. */
function listMounts(): string[] {
  return listMountPoints().filter((point) => /^\/(run\/media|media|mnt)\//.test(point) || point === '/mnt');
}

export interface PulledFromRemotes {
  readonly pulled: readonly CollectionRef[];
  readonly failed: readonly (CollectionRef & { readonly reason: HacktreeError | undefined })[];
}

/**
 * Pulls each ref from the best of those who have it, and from the next one when that fails. Refs go to refs/remotes of the
 * keyring's remote, with mirror to refs/mirrors. Signatures are demanded whatever the remote's configuration says.
 */
export async function pullFromRemotes(
  repo: Repo,
  wanted: readonly CollectionRef[],
  found: readonly FoundRemote[],
  options: PullOptions,
): Promise<PulledFromRemotes> {
  const pulled: CollectionRef[] = [];
  const failed: (CollectionRef & { reason: HacktreeError | undefined })[] = [];
  for (const { collection, ref } of wanted) {
    let reason: HacktreeError | undefined;
    let isThere = false;
    for (const { remote, refs } of found) {
      const commit = refs.find((entry) => entry.collection === collection && entry.ref === ref)?.commit;
      if (commit === undefined || isThere) continue;
      try {
        const demanding = { ...remote, gpgVerify: true, gpgVerifySummary: false };
        await pullFrom(repo, demanding, { ...options, refs: [`${ref}@${commit}`] });
        isThere = true;
      } catch (error) {
        if (!isHacktreeError(error) || error.code === 'interrupted') throw error;
        reason = error;
      }
    }
    if (isThere) pulled.push({ collection, ref });
    else failed.push({ collection, ref, reason });
  }
  return { pulled, failed };
}
