/**
 * Which commits stay.
 *
 * - By default all that are there.
 * - refsOnly: what refs lead to, with `depth` parents.
 * - With onlyBranches, retainBranchDepth or keepYoungerThan: branch by branch. A branch that is not among onlyBranches and
 *   has no retained depth of its own keeps everything; another keeps its retained depth, else its tip alone with
 *   keepYoungerThan, else `depth`; and with keepYoungerThan its run of young commits besides.
 *
 * Refs mirrored from other collections are branches like all others here (ostree 2022.7 forgets them in the third case).
 *
 * Source: ostree-format 12; ostree-cli A.1 (prune).
 */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import type { Commit } from '../../format/index.ts';
import { listCommits } from '../object-list.ts';
import { listAllRefs, printRef, type RefEntry } from '../refs.ts';
import type { Repo } from '../repo.ts';
import type { PruneOptions } from './options.ts';

/** Loads a commit; undefined when it is not there. */
export type CommitLoader = (checksum: Checksum) => Commit | undefined;

const ALL = Number.POSITIVE_INFINITY;

/** Computes the commits that stay, those that are not there left out. */
export function commitsToKeep(repo: Repo, load: CommitLoader, options: PruneOptions): Set<Checksum> {
  const chain = new ParentChains(load);
  const byBranch =
    options.keepYoungerThanSec !== undefined ||
    (options.onlyBranches ?? []).length > 0 ||
    (options.retainBranchDepth?.size ?? 0) > 0;
  const depth = asDepth(options.depth ?? -1);
  if (byBranch) keepByBranch(listAllRefs(repo), chain, depth, options);
  else if (options.refsOnly === true) for (const { checksum } of listAllRefs(repo)) chain.keep(checksum, depth);
  else for (const checksum of listCommits(repo)) chain.keep(checksum, 0);
  return chain.kept;
}

const asDepth = (depth: number): number => (depth < 0 ? ALL : depth);

function keepByBranch(refs: readonly RefEntry[], chain: ParentChains, depth: number, options: PruneOptions): void {
  const { keepYoungerThanSec } = options;
  const only = new Set(options.onlyBranches);
  for (const branch of only) {
    if (!refs.some((entry) => printRef(entry) === branch)) throw noSuchBranch(branch);
  }
  for (const entry of refs) {
    const retained = options.retainBranchDepth?.get(printRef(entry));
    if (only.size > 0 && !only.has(printRef(entry)) && retained === undefined) {
      chain.keep(entry.checksum, ALL);
      continue;
    }
    const ownDepth = keepYoungerThanSec === undefined ? depth : 0;
    chain.keep(entry.checksum, retained === undefined ? ownDepth : asDepth(retained));
    if (keepYoungerThanSec !== undefined) chain.keepYounger(entry.checksum, keepYoungerThanSec);
  }
}

function noSuchBranch(branch: string): HacktreeError {
  return new HacktreeError('ref-not-found', `Refspec '${branch}' not found`, { details: { found: branch } });
}

/** Follows parents; remembers how deep, so that branches that share history cost it once. */
class ParentChains {
  readonly kept = new Set<Checksum>();
  readonly #load: CommitLoader;
  /** How many parents of a commit are kept already. */
  readonly #depths = new Map<Checksum, number>();

  constructor(load: CommitLoader) {
    this.#load = load;
  }

  keep(tip: Checksum, depth: number): void {
    let left = depth;
    for (let at: Checksum | undefined = tip; at !== undefined && left >= 0; left--) {
      if ((this.#depths.get(at) ?? -1) >= left) return;
      const commit = this.#load(at);
      if (commit === undefined) return;
      this.#depths.set(at, left);
      this.kept.add(at);
      at = commit.parent;
    }
  }

  keepYounger(tip: Checksum, oldestSec: bigint): void {
    for (let at: Checksum | undefined = tip; at !== undefined; ) {
      const commit = this.#load(at);
      if (commit === undefined || commit.timestampSec < oldestSec) return;
      this.kept.add(at);
      at = commit.parent;
    }
  }
}
