/**
 * Pull: brings refs of a remote, with everything they need, into a repository.
 *
 * Order: summary, refs, commits (each checked), directories, then files; all of it goes to staging and gets its names
 * together at the end, files before commits, refs last. What an interrupted pull staged is found by the next one.
 *
 * Source: ostree-format 11, 12; ostree-cli A.1 (`pull`, `pull-local`).
 */
import * as fs from 'node:fs';
import { type Checksum, HacktreeError, monotonicMs, type ReportProgress } from '../../core/index.ts';
import type { Commit } from '../../format/index.ts';
import {
  beginTransaction,
  ContentRecords,
  importContentIndex,
  listHeads,
  partialFile,
  type RefTarget,
  type Repo,
  readRef,
  resolveRev,
  type Transaction,
} from '../../repo/index.ts';
import type { Pool } from '../../sys/index.ts';
import { openLocalAccess, openRemoteAccess, type RemoteAccess } from '../access.ts';
import { fetchTreePack, type TreePack } from '../mirror-index/tree-pack.ts';
import type { MirrorIndexReport } from '../mirror-index/write.ts';
import { fetchSummary, type RemoteSummary } from '../remote-summary.ts';
import { loadRemote, type RemoteConfig, temporaryRemote } from '../remotes.ts';
import { Trust } from '../trust.ts';
import { checkWanted, fetchCommit } from './commits.ts';
import { applyDelta } from './deltas.ts';
import { fetchFiles } from './files.ts';
import { endingWith } from './interrupt.ts';
import { checkIndexWish, copySummary, indexMirror } from './mirror.ts';
import type { PlannedDeltas, PullPlan } from './plan.ts';
import { closePools, openPools, type PullPools, poolFor } from './pools.ts';
import type { PullBatchResult, PullTask, PullWorkerInit } from './pull-worker.ts';
import { sharesFiles } from './repo-source.ts';
import { resolveTargets, type Target } from './targets.ts';
import { type PullTotals, TreeScan } from './tree-scan.ts';
import type { PullLocalOptions, PullOptions, PullReport } from './types.ts';

/** Pulls from a configured remote. Errors: `remote-*`, `network`, `server-invalid`, `signature-*`, `object-*`, `no-space`, ... */
export async function pull(repo: Repo, remoteName: string, options: PullOptions = {}): Promise<PullReport> {
  return pullFrom(repo, loadRemote(repo, remoteName, options.place), options);
}

/** Pulls from a remote that need not be configured as it is given here. Errors: as pull. */
export async function pullFrom(repo: Repo, remote: RemoteConfig, options: PullOptions): Promise<PullReport> {
  const access = await openRemoteAccess(repo, remote, options.network);
  const { refs = [], ...rest } = options;
  return withAccess(repo, remote, access, refs.length === 0 ? rest : options);
}

/** Pulls from a repository on this machine: by hard link where both have one mode. Errors: as pull. */
export async function pullLocal(repo: Repo, source: Repo, options: PullLocalOptions = {}): Promise<PullReport> {
  const { remote: name } = options;
  const flags = { 'gpg-verify': `${options.gpgVerify === true}`, 'gpg-verify-summary': `${options.gpgVerifySummary === true}` };
  const remote = temporaryRemote(name ?? 'local', `file://${source.path}`, flags);
  const all = options.refs === undefined || options.refs.length === 0;
  const refs = all ? listHeads(source).map(({ ref }) => ref) : options.refs;
  if (refs?.length === 0)
    throw new HacktreeError('ref-not-found', `${source.path} has no refs`, { details: { path: source.path } });
  return withAccess(repo, remote, openLocalAccess(source), {
    ...options,
    refs: refs ?? [],
    mirror: name === undefined,
    contentIndex: false,
  });
}

async function withAccess(repo: Repo, remote: RemoteConfig, access: RemoteAccess, options: PullOptions): Promise<PullReport> {
  return endingWith(
    options.signal,
    () => access.close(),
    () => new Pull(repo, remote, access, options).run(),
  );
}

class Pull {
  readonly #repo: Repo;
  readonly #remote: RemoteConfig;
  readonly #access: RemoteAccess;
  readonly #options: PullOptions;
  readonly #trust: Trust;
  readonly #startMs = monotonicMs();
  readonly #totals: PullTotals = {
    metadata: 0,
    content: 0,
    contentBytes: 0,
    transferredBytes: 0,
    savedByIndex: 0,
    savedByDeltas: 0,
  };
  readonly #report: ReportProgress;
  #deltas: PlannedDeltas = { parts: 0, downloadBytes: 0, unpackedBytes: 0 };
  #pool: Pool<PullTask, PullBatchResult> | undefined;
  #summary: RemoteSummary | undefined;
  /** For the content index. */
  #records = new ContentRecords();
  #linked: readonly Checksum[] = [];
  #overheadBytes = 0;
  #reusedObjects = 0;
  #mirrorIndex: MirrorIndexReport | undefined;

  constructor(repo: Repo, remote: RemoteConfig, access: RemoteAccess, options: PullOptions) {
    this.#repo = repo;
    this.#remote = remote;
    this.#access = access;
    this.#options = options;
    this.#trust = new Trust(repo, remote, options.trust);
    const { onProgress } = options;
    this.#report = (progress) => {
      const { savedByIndex: byIndex, savedByDeltas: byDeltas } = this.#totals;
      onProgress?.({ ...progress, savedBytes: { byIndex, byDeltas } });
    };
  }

  async run(): Promise<PullReport> {
    checkIndexWish(this.#repo, this.#options);
    this.#checkDeltasPossible();
    const isSummaryUseful = this.#access.local === undefined || this.#trust.needsSignedSummary || this.#wantsAllRefs();
    const summary = isSummaryUseful ? await this.#fetchSummary() : undefined;
    this.#summary = summary;
    const { refs, mirror = false } = this.#options;
    const targets = await resolveTargets(this.#access, this.#remote, { refs, mirror, summary });
    this.#overheadBytes = this.#access.transferredBytes;
    const { onLockWait, disableFsync, perObjectFsync } = this.#options;
    let indexing: Promise<void> | undefined;
    const transaction = await beginTransaction(this.#repo, {
      ...(onLockWait === undefined ? {} : { onLockWait }),
      ...(disableFsync === true ? { fsync: false } : {}),
      ...(perObjectFsync === true ? { perObjectFsync } : {}),
      beforeRefs: () => indexing,
    });
    const pools = this.#openPools(transaction);
    const { signal, dryRun = false } = this.#options;
    const work = async (): Promise<PullReport> => {
      const plan = await this.#transfer(transaction, pools, targets);
      const previous = targets.map(({ ref }) => (ref === undefined ? undefined : readRef(this.#repo, this.#refTarget(ref))));
      if (!dryRun) {
        indexing = this.#indexContents(pools);
        indexing.catch(() => {}); // told when it is waited for
        await this.#publish(transaction, targets, summary);
      }
      return this.#result(targets, previous, plan);
    };
    try {
      return await endingWith(signal, () => closePools(pools), work);
    } finally {
      transaction.abort();
    }
  }

  #checkDeltasPossible(): void {
    if (this.#repo.mode === 'archive' && this.#options.requireStaticDeltas === true)
      throw new HacktreeError('repo-mode', "Can't use static deltas in an archive repo");
  }

  #wantsAllRefs(): boolean {
    return this.#options.mirror === true && (this.#options.refs ?? []).length === 0;
  }

  #fetchSummary(): Promise<RemoteSummary | undefined> {
    return fetchSummary(this.#repo, this.#remote.name, this.#access, this.#trust, {
      cacheDir: this.#options.cacheDir,
      refuseOlder: this.#options.timestampCheck === true,
    });
  }

  /** Where a ref goes. */
  #refTarget(ref: string): RefTarget {
    if (this.#options.mirror !== true) return { ref, remote: this.#remote.name };
    return { ref, collection: this.#remote.collectionId };
  }

  // ---- transfer ----

  async #transfer(transaction: Transaction, pools: PullPools, targets: readonly Target[]): Promise<PullPlan> {
    this.#pool = pools.pool;
    const options = { totals: this.#totals, report: this.#report, signal: this.#options.signal };
    const scan = new TreeScan(transaction, pools, options);
    const commits = await this.#fetchCommits(transaction, targets, scan);
    return this.#fetchFiles(transaction, pools, { scan, commits });
  }

  #openPools({ writerInit }: Transaction): PullPools {
    const { untrusted = false, localCacheRepos = [], bareUserOnlyFiles = false, network, threads } = this.#options;
    const init: PullWorkerInit = {
      writer: writerInit,
      source: this.#access.source(!untrusted),
      caches: localCacheRepos.map((path) => ({ kind: 'repo', path, isTrusted: false })),
      bareUserOnlyFiles,
      concurrency: this.#access.local === undefined ? (network?.connections ?? 4) : 1,
    };
    return openPools(init, this.#onlyLinks() ? 0 : threads);
  }

  /** Linking takes less time than starting threads for it. */
  #onlyLinks(): boolean {
    const { local } = this.#access;
    const { untrusted = false, bareUserOnlyFiles = false } = this.#options;
    return (
      local !== undefined && local.parent === undefined && !untrusted && !bareUserOnlyFiles && sharesFiles(local, this.#repo)
    );
  }

  /** Does what ostree would not: its bytes are not among those that the last line tells. */
  async #asOverhead<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#access.transferredBytes;
    const result = await work();
    this.#overheadBytes += this.#access.transferredBytes - before;
    return result;
  }

  async #fetchFiles(
    transaction: Transaction,
    pools: PullPools,
    { scan, commits }: { scan: TreeScan; commits: readonly Commit[] },
  ): Promise<PullPlan> {
    const onlyLinks = this.#onlyLinks();
    const { signal, dryRun: isDryRun = false, localCacheRepos = [] } = this.#options;
    const job = {
      transaction,
      pools,
      access: this.#access,
      totals: this.#totals,
      report: this.#report,
      signal,
      asOverhead: <T>(work: () => Promise<T>) => this.#asOverhead(work),
      // What is linked is not read, and caches on this machine are asked for each object.
      usesPacks: !onlyLinks && localCacheRepos.length === 0,
      trusted: onlyLinks || this.#options.untrusted === true ? undefined : this.#access.local,
      isDryRun,
    };
    const result = await fetchFiles(job, scan.missingFiles(), commits);
    await scan.settle();
    this.#records = result.records;
    this.#reusedObjects = result.madeCount;
    if (onlyLinks) this.#linked = result.fetched;
    return { ...result.plan, deltas: this.#deltas };
  }

  /**
   * Makes the contents of new objects known. What was linked was not read: the source's own index tells of it. The index is a hint, so
   * that another thread may write it before all objects have their names.
   */
  async #indexContents(pools: PullPools): Promise<void> {
    const sync = this.#options.disableFsync !== true && this.#repo.config.fsync;
    const { local } = this.#access;
    if (local !== undefined) importContentIndex(this.#repo, local, this.#linked, { sync });
    const { count, bytes } = this.#records;
    if (count > 0) await poolFor(pools, count, bytes.length).run({ kind: 'contents', records: bytes, sync });
  }

  /** Fetches commits, parents as far as asked for, and the directories of each. */
  async #fetchCommits(transaction: Transaction, targets: readonly Target[], scan: TreeScan): Promise<Commit[]> {
    const commits: Commit[] = [];
    const done = new Map<Checksum, Commit>();
    for (const target of targets) {
      let checksum: Checksum | undefined = target.checksum;
      let depth = this.#options.depth ?? 0;
      for (let isParent = false; checksum !== undefined; isParent = true) {
        const commit: Commit | undefined = await this.#fetchOne(transaction, { ...target, checksum }, isParent, scan, done);
        if (commit === undefined) break;
        commits.push(commit);
        if (depth === 0) break;
        depth--;
        checksum = commit.parent;
      }
    }
    return commits;
  }

  async #fetchOne(
    transaction: Transaction,
    { ref, checksum }: Target,
    isParent: boolean,
    scan: TreeScan,
    done: Map<Checksum, Commit>,
  ): Promise<Commit | undefined> {
    const checks = {
      remote: this.#remote,
      trust: this.#trust,
      verifyBindings: this.#options.disableVerifyBindings !== true,
    };
    const wanted = isParent
      ? { checksum, ref: undefined, notOlderThan: [] }
      : { checksum, ref, notOlderThan: this.#notOlderThan(ref) };
    const known = done.get(checksum);
    if (known !== undefined) {
      checkWanted(transaction, known, checks, wanted);
      return known;
    }
    const fetched = await fetchCommit(transaction, this.#access, checks, wanted);
    if (fetched === undefined) {
      if (isParent) return undefined;
      throw new HacktreeError('object-missing', `The remote has no commit ${checksum}`, {
        details: { object: `${checksum}.commit`, path: this.#access.where },
      });
    }
    done.set(checksum, fetched.commit);
    if (!fetched.wasHere) this.#totals.metadata++;
    // As ostree counts: asking a server for detached metadata, whether there are any or not.
    if (this.#access.local === undefined) this.#totals.metadata++;
    await this.#fetchTree(transaction, { ref, checksum }, fetched, scan);
    return fetched.commit;
  }

  async #fetchTree(
    transaction: Transaction,
    { ref, checksum }: Target,
    { commit, wasHere }: { commit: Commit; wasHere: boolean },
    scan: TreeScan,
  ): Promise<void> {
    const isComplete = wasHere && !fs.existsSync(partialFile(this.#repo.path, checksum));
    if (isComplete) return;
    const { subpaths = [], commitMetadataOnly = false } = this.#options;
    const isPartial = commitMetadataOnly || subpaths.length > 0;
    transaction.setPartial(checksum, isPartial);
    if (commitMetadataOnly) return;
    const root = { tree: commit.rootTree, meta: commit.rootMeta };
    if (!isPartial) await this.#applyDelta(checksum, ref);
    // What a delta would bring is known without looking at the tree.
    if (this.#options.dryRun === true && this.#deltas.parts > 0) return;
    for (const path of subpaths) await scan.scanPath(root, path, { mayBeMissing: this.#options.allowMissingSubpaths === true });
    if (subpaths.length > 0) return;
    const askForPack = (): Promise<TreePack | undefined> => this.#asOverhead(() => fetchTreePack(this.#access, checksum));
    const packedBefore = scan.packedBytes;
    await scan.scan(root.tree, root.meta, this.#access.local === undefined ? askForPack : undefined);
    this.#overheadBytes -= scan.packedBytes - packedBefore;
  }

  /** Trusted local repositories are linked from, and archives keep loose objects: neither uses deltas. */
  async #applyDelta(to: Checksum, ref: string | undefined): Promise<void> {
    const { disableStaticDeltas, requireStaticDeltas = false } = this.#options;
    if (this.#pool === undefined || this.#repo.mode === 'archive') return;
    if (disableStaticDeltas === true || (this.#access.local !== undefined && !requireStaticDeltas)) return;
    const current = ref === undefined ? undefined : readRef(this.#repo, this.#refTarget(ref));
    const isDryRun = this.#options.dryRun === true;
    const used = await applyDelta(this.#repo, this.#access, this.#summary, this.#pool, {
      request: { to, current, ref, isRequired: requireStaticDeltas, isDryRun, trust: this.#trust },
      totals: this.#totals,
      report: this.#report,
    });
    this.#deltas = {
      parts: this.#deltas.parts + used.parts,
      downloadBytes: this.#deltas.downloadBytes + used.downloadBytes,
      unpackedBytes: this.#deltas.unpackedBytes + used.unpackedBytes,
    };
  }

  #notOlderThan(ref: string | undefined): Checksum[] {
    const from = this.#options.timestampCheckFromRev;
    const fixed = from === undefined ? [] : [resolveRev(this.#repo, from)];
    if (this.#options.timestampCheck !== true || ref === undefined) return fixed;
    const current = readRef(this.#repo, this.#refTarget(ref));
    return current === undefined ? fixed : [...fixed, current];
  }

  // ---- publication ----

  async #publish(transaction: Transaction, targets: readonly Target[], summary: RemoteSummary | undefined): Promise<void> {
    for (const { ref, checksum } of targets) if (ref !== undefined) transaction.setRef(this.#refTarget(ref), checksum);
    await transaction.commit();
    this.#mirrorIndex = await this.#asOverhead(() => indexMirror(this.#repo, this.#access, this.#options));
    const sync = this.#options.disableFsync !== true && this.#repo.config.fsync;
    if (summary !== undefined && this.#wantsAllRefs()) copySummary(this.#repo, summary, sync);
  }

  #result(targets: readonly Target[], previous: readonly (Checksum | undefined)[], planned: PullPlan): PullReport {
    return {
      refs: targets.flatMap(({ ref, checksum }, i) =>
        ref === undefined ? [] : [{ ref, commit: checksum, previous: previous[i] }],
      ),
      isLocal: this.#access.local !== undefined,
      metadataFetched: this.#totals.metadata,
      contentFetched: this.#totals.content,
      deltaParts: this.#deltas.parts,
      bytesTransferred: this.#totals.transferredBytes + this.#access.transferredBytes,
      overheadBytes: this.#overheadBytes,
      contentBytesWritten: this.#totals.contentBytes,
      contentReused: this.#reusedObjects,
      bytesSaved: this.#totals.savedByIndex,
      deltaBytesSaved: this.#totals.savedByDeltas,
      elapsedSec: Math.floor((monotonicMs() - this.#startMs) / 1000),
      planned,
      ...(this.#mirrorIndex === undefined ? {} : { mirrorIndex: this.#mirrorIndex }),
    };
  }
}
