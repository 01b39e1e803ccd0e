/**
 * Commits trees: takes the layers, puts one tree together, writes the commit object, moves the ref.
 *
 * Order: scan and store everything, check what must be checked (unmatched paths, id drift), then publish through the
 * transaction. Nothing is visible before the last step; an error or Ctrl-C leaves staged objects for the next try.
 *
 * Source: ostree-format 5.3, 11; ostree-cli A.1 (`commit`).
 */
import * as fs from 'node:fs';
import { type Checksum, HacktreeError, parseRefspec } from '../../core/index.ts';
import { type Dict, lookup } from '../../format/index.ts';
import { addToContentIndex, ContentRecords } from '../content-index/index.ts';
import { partialFile } from '../layout.ts';
import { hasObject, loadCommit, loadDetachedMetadata } from '../object-read.ts';
import { listAllRefs, readRef } from '../refs.ts';
import type { Repo } from '../repo.ts';
import { resolveRev } from '../resolve.ts';
import { beginTransaction, type Transaction } from '../transaction.ts';
import { rootOf } from '../tree-walk.ts';
import { BatchRunner } from './batch-runner.ts';
import { buildCommit } from './commit-object.ts';
import { findIdDrift, requireNoDrift } from './id-drift.ts';
import { extractPolicy, openLabels } from './labels.ts';
import { LinkIndex } from './link-index.ts';
import { mergeTrees } from './merge-trees.ts';
import { isIdentity, type Modifiers } from './modifiers.ts';
import type { CommitOptions, CommitReport, IdDrift, TreeSource } from './options.ts';
import { rewriteTree } from './rewrite-tree.ts';
import { scanDirectory } from './scan.ts';
import { StatCache, StatCacheWriter } from './stat-cache.ts';
import { statCachePath } from './stat-cache-path.ts';
import { type LayerReport, type TreeRef, TreeSink } from './tree-sink.ts';

/** Totals of all layers. */
interface Totals {
  contentTotal: number;
  contentWritten: number;
  contentBytesWritten: number;
  contentCacheHits: number;
  readonly skippedSpecials: string[];
  readonly matched: Set<string>;
}

interface Job {
  readonly repo: Repo;
  readonly options: CommitOptions;
  readonly modifiers: Modifiers;
  readonly transaction: Transaction;
  readonly sink: TreeSink;
  readonly newContent: ContentRecords;
  readonly totals: Totals;
  readonly parent: Checksum | undefined;
  /** Writes the stat caches when the commit is done. */
  readonly afterCommit: ((commit: Checksum) => void)[];
}

/**
 * Commits. Errors: `usage` (unmatched statoverride or skip-list paths), `ref-invalid`, `ref-not-found`, `special-file`,
 * `name-invalid`, `permission`, `path-not-found`, `no-space`, `io`, `id-drift`, `metadata-missing`, `kernel-missing`,
 * `tar-invalid`, `repo-locked`, `interrupted`.
 */
export async function commit(repo: Repo, options: CommitOptions): Promise<CommitReport> {
  if (options.branch !== undefined) parseRefspec(options.branch);
  const newContent = new ContentRecords();
  const transaction = await beginTransaction(repo, {
    fsync: options.fsync,
    onLockWait: options.onLockWait,
    beforeRefs: () => addToContentIndex(repo, newContent.bytes),
  });
  try {
    const report = await withPolicy(repo, options, (policed) => runJob(openJob(repo, policed, transaction, newContent)));
    if (options.consume === true && !report.isUnchanged) consumeSources(options.trees);
    return report;
  } catch (error) {
    transaction.abort();
    throw options.signal?.aborted === true ? interrupted() : error;
  }
}

/** Takes the policy out of the base commit when that is where it shall come from. */
async function withPolicy<T>(repo: Repo, options: CommitOptions, run: (options: CommitOptions) => Promise<T>): Promise<T> {
  if (options.selinuxPolicyFromBase !== true) return run(options);
  const base = options.base ?? options.trees.find((tree) => tree.kind === 'ref')?.rev;
  if (base === undefined) throw new HacktreeError('usage', '--selinux-policy-from-base needs --base or --tree=ref=');
  const dir = extractPolicy(repo, rootOf(loadCommit(repo, resolveRev(repo, base))));
  try {
    return await run({ ...options, selinuxPolicy: dir });
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function interrupted(): HacktreeError {
  return new HacktreeError('interrupted', 'Interrupted; what was stored is kept for the next commit, refs are unchanged');
}

function openJob(repo: Repo, options: CommitOptions, transaction: Transaction, newContent: ContentRecords): Job {
  const { ownerUid, ownerGid, canonicalPermissions, readOnlyExecutables, noXattrs, idMap } = options;
  const modifiers: Modifiers = {
    ...(ownerUid === undefined ? {} : { ownerUid }),
    ...(ownerGid === undefined ? {} : { ownerGid }),
    ...(idMap === undefined ? {} : { idMap }),
    ...(canonicalPermissions === true ? { canonicalPermissions } : {}),
    ...(readOnlyExecutables === true ? { readOnlyExecutables } : {}),
    ...(noXattrs === true ? { noXattrs } : {}),
    ...(options.selinuxPolicy === undefined ? {} : { selinuxPolicy: options.selinuxPolicy }),
    overrides: options.statOverrides ?? new Map(),
    skip: options.skipList ?? new Set(),
  };
  const layered = options.trees.length > 1 || options.base !== undefined;
  return {
    repo,
    options,
    modifiers,
    transaction,
    sink: new TreeSink(transaction, { layered }),
    newContent,
    totals: {
      contentTotal: 0,
      contentWritten: 0,
      contentBytesWritten: 0,
      contentCacheHits: 0,
      skippedSpecials: [],
      matched: new Set(),
    },
    parent: options.parent === 'none' ? undefined : (options.parent ?? branchTip(repo, options)),
    afterCommit: [],
  };
}

function branchTip(repo: Repo, { branch }: CommitOptions): Checksum | undefined {
  return branch === undefined ? undefined : readRef(repo, parseRefspec(branch));
}

async function runJob(job: Job): Promise<CommitReport> {
  const { repo, options, transaction, sink, parent } = job;
  const root = await buildTree(job);
  sink.writePending(root.tree);
  checkMatched(job);
  const view = transaction.view;
  if (options.skipIfUnchanged === true && parent !== undefined && hasRoot(repo, parent, root)) {
    transaction.abort();
    return report(job, parent, true, []);
  }
  const drift = parent === undefined || !hasObject(view, parent, 'commit') ? [] : findIdDrift(view, root, parent);
  if (options.strictIds === true) requireNoDrift(drift);
  const bytes = buildCommit(view, root, parent, options);
  const checksum = transaction.writer.writeMetadata('commit', bytes);
  await writeDetached(job, checksum, bytes);
  if (options.branch !== undefined) transaction.setRef(parseRefspec(options.branch), checksum);
  transaction.setPartial(checksum, false);
  await transaction.commit();
  for (const save of job.afterCommit) save(checksum);
  return report(job, checksum, false, drift);
}

function report(
  { totals, parent, sink }: Job,
  checksum: Checksum,
  isUnchanged: boolean,
  idDrift: readonly IdDrift[],
): CommitReport {
  const { matched: _, ...contentCounts } = totals;
  const { metadataTotal, metadataWritten } = sink.counts();
  const counts = { ...contentCounts, metadataTotal: metadataTotal + (isUnchanged ? 0 : 1), metadataWritten };
  return { commit: checksum, parent, isUnchanged, ...counts, idDrift };
}

function hasRoot(repo: Repo, commitChecksum: Checksum, root: TreeRef): boolean {
  const { rootTree, rootMeta } = loadCommit(repo, commitChecksum);
  return rootTree === root.tree && rootMeta === root.meta;
}

async function buildTree(job: Job): Promise<TreeRef> {
  const { repo, options, sink } = job;
  let tree: TreeRef | undefined = options.base === undefined ? undefined : rootRef(repo, resolveRev(repo, options.base));
  for (const source of options.trees) {
    const layer = await readLayer(job, source);
    tree = tree === undefined ? layer : mergeTrees(sink, tree, layer);
  }
  if (tree === undefined) throw new HacktreeError('usage', 'Nothing to commit: no tree given');
  return tree;
}

function rootRef(repo: Repo, checksum: Checksum): TreeRef {
  const { rootTree, rootMeta } = loadCommit(repo, checksum);
  return { tree: rootTree, meta: rootMeta };
}

function readLayer(job: Job, source: TreeSource): Promise<TreeRef> | TreeRef {
  if (source.kind === 'dir') return readDirectory(job, source.path);
  if (source.kind === 'ref') return readRevision(job, source.rev);
  return readTar(job, source.path);
}

function readRevision(job: Job, rev: string): Promise<TreeRef> | TreeRef {
  const root = rootRef(job.repo, resolveRev(job.repo, rev));
  return isIdentity(job.modifiers) ? root : rewriteTree(job.transaction, job.sink, root, job.modifiers, job.totals.matched);
}

async function readTar(job: Job, path: string): Promise<TreeRef> {
  const { options, modifiers, transaction, sink, newContent } = job;
  const { importTar } = await import('./tar-import.ts');
  const result = await importTar(path, {
    writer: transaction.writer,
    sink,
    modifiers,
    autocreateParents: options.tarAutocreateParents === true,
    pathnameFilter: options.tarPathnameFilter,
    skipSpecial: options.skipSpecial === true,
    signal: options.signal,
    onProgress: options.onProgress,
    onNewContent: ({ checksum, contentDigest, isNew }) => {
      if (isNew && contentDigest !== undefined) newContent.add(contentDigest, checksum);
    },
  });
  addTotals(job.totals, result);
  return result;
}

async function readDirectory(job: Job, path: string): Promise<TreeRef> {
  const { repo, options, modifiers, transaction, sink } = job;
  const wantsXattrs = !modifiers.noXattrs && !repo.config.disableXattrs && repo.mode !== 'bare-user-only';
  const runner = new BatchRunner(
    { writer: transaction.writerInit, modifiers: fileModifiers(modifiers), link: options.link === true },
    options.threads,
  );
  try {
    const scanned = await scanDirectory(path, {
      repo,
      sink,
      runner,
      modifiers,
      wantsXattrs,
      labelFor: openLabels(modifiers.selinuxPolicy),
      skipSpecial: options.skipSpecial === true,
      cache: openStatCache(job, path),
      links: wantsLinks(job) ? new LinkIndex(repo) : undefined,
      signal: options.signal,
      onProgress: options.onProgress,
      onNewContent: (row) => job.newContent.addRows(row),
    });
    addTotals(job.totals, scanned);
    return scanned;
  } finally {
    await runner.close();
  }
}

function fileModifiers({ overrides: _, skip: __, ...rest }: Modifiers): Omit<Modifiers, 'overrides' | 'skip'> {
  return rest;
}

/** Links are taken as they are with -I; without it only where modifiers would change nothing. */
function wantsLinks({ options, modifiers }: Job): boolean {
  return options.devinoCanonical === true || (options.linkCheckoutSpeedup === true && isIdentity(modifiers));
}

function openStatCache(
  job: Job,
  source: string,
): { old: StatCache | undefined; isTrusted: boolean; next: StatCacheWriter } | undefined {
  const { repo, options, modifiers } = job;
  if (options.statCache === false || options.consume === true || options.link === true || wantsLinks(job)) return undefined;
  if (modifiers.selinuxPolicy !== undefined) return undefined;
  const path = statCachePath(repo, source, modifiers);
  const next = new StatCacheWriter(Date.now());
  job.afterCommit.push((checksum) => next.save(path, checksum));
  const old = StatCache.load(path);
  return { old, isTrusted: old !== undefined && vouches(repo, old.commit, job.parent), next };
}

/** A commit that a ref holds, and that is not partial, has all its objects. */
function vouches(repo: Repo, checksum: Checksum, parent: Checksum | undefined): boolean {
  if (!hasObject(repo, checksum, 'commit') || fs.existsSync(partialFile(repo.path, checksum))) return false;
  return checksum === parent || listAllRefs(repo).some((ref) => ref.checksum === checksum);
}

function addTotals(totals: Totals, layer: LayerReport): void {
  totals.contentTotal += layer.total;
  totals.contentWritten += layer.filesWritten;
  totals.contentBytesWritten += layer.bytesWritten;
  totals.contentCacheHits += layer.cacheHits;
  totals.skippedSpecials.push(...layer.skippedSpecials);
  for (const path of layer.matched) totals.matched.add(path);
}

/** A path in a skip list or of a `+` line of a statoverride file that matches nothing is a mistake. */
function checkMatched({ modifiers, totals }: Job): void {
  const check = (what: string, paths: Iterable<string>): void => {
    const unmatched = [...paths].filter((path) => !totals.matched.has(path));
    if (unmatched.length === 0) return;
    throw new HacktreeError('usage', `Unmatched ${what} paths`, {
      details: { found: unmatched.join(', '), unmatched },
      hints: unmatched.map((path) => `Unmatched ${what} path: ${path}`),
    });
  };
  const added = [...modifiers.overrides].filter(([, { kind }]) => kind === 'add').map(([path]) => path);
  check('statoverride', added);
  check('skip-list', modifiers.skip);
}

async function writeDetached(job: Job, checksum: Checksum, bytes: Buffer): Promise<void> {
  const { options, transaction, repo } = job;
  const strings = options.detachedStrings ?? [];
  if (strings.length === 0 && options.sign === undefined) return;
  const present = loadDetachedMetadata(repo, checksum) ?? [];
  const given: Dict = strings.map(([key, value]) => [key, { type: 's', value }] as const);
  let detached: Dict = [...present.filter(([key]) => lookup(given, key) === undefined), ...given];
  if (options.sign !== undefined) detached = await options.sign(bytes, detached);
  transaction.writer.writeDetached(checksum, detached);
}

/** Removes the committed directories; what cannot be removed stays. */
function consumeSources(trees: readonly TreeSource[]): void {
  for (const tree of trees) if (tree.kind === 'dir') fs.rmSync(tree.path, { recursive: true, force: true });
}
