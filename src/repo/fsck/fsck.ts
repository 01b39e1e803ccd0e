/**
 * fsck: is everything that the refs and commits of a repository need there, and sound?
 *
 * Looks at refs, bindings, commits and every object they need, always at all of them, and returns what is wrong as
 * findings in an order that does not depend on threads. Changes nothing unless asked, except that commits with missing
 * objects are marked as damaged, and lose the mark when they prove whole.
 *
 * Readers are never locked out: the check takes no lock, and what is gone with its commit in the meantime (a prune) is no
 * finding. Repair and removal take the repository's lock.
 *
 * Source: ostree-format 12.
 */
import { type Checksum, HacktreeError, isHacktreeError } from '../../core/index.ts';
import { type Commit, type ObjectName, printObjectName } from '../../format/index.ts';
import { openPool } from '../../sys/index.ts';
import { readIndexStats } from '../content-index/index.ts';
import { listCommits } from '../object-list.ts';
import { hasObject } from '../object-read.ts';
import { commitsThatNeed, findUses, NO_USES, type ObjectUses } from '../object-uses.ts';
import { printRef, type RefEntry } from '../refs.ts';
import type { Repo } from '../repo.ts';
import { bindingProblem, listSoundRefs, type RefProblem, RefResolver, unloadableRef } from './check-refs.ts';
import type { FsckBatchResult } from './fsck-worker.ts';
import { type CommitState, markDamaged, readCommitState, unmarkDamaged, writeTombstone } from './marks.ts';
import { type BadObject, MetadataLoader, ObjectWalk } from './object-walk.ts';
import { deleteDamagedObjects, repairObjects } from './repair.ts';
import { type FsckFinding, type FsckOptions, type FsckReport, MAX_DETAILED } from './report.ts';
import type { Verdict } from './verify-object.ts';

/**
 * Checks a repository. Problems are findings, not errors.
 * Errors: `interrupted`, `repo-locked` (repair, removal), system errors that keep it from checking at all.
 */
export async function fsck(repo: Repo, options: FsckOptions = {}): Promise<FsckReport> {
  return new Fsck(repo, options).run();
}

class Fsck {
  readonly #repo: Repo;
  readonly #options: FsckOptions;
  readonly #loader: MetadataLoader;
  readonly #refProblems: RefProblem[] = [];
  #refs: readonly RefEntry[] = [];
  readonly #refsOf = new Map<Checksum, readonly RefEntry[]>();
  /** Commits whose objects are verified, with their mark. */
  readonly #verified = new Map<Checksum, CommitState>();
  readonly #partial: Checksum[] = [];
  readonly #tombstones = new Set<Checksum>();

  constructor(repo: Repo, options: FsckOptions) {
    this.#repo = repo;
    this.#options = options;
    this.#loader = new MetadataLoader(repo, options.repairFrom);
  }

  async run(): Promise<FsckReport> {
    const { refs, problems } = listSoundRefs(this.#repo);
    this.#refs = refs;
    for (const entry of refs) this.#refsOf.set(entry.checksum, [...(this.#refsOf.get(entry.checksum) ?? []), entry]);
    this.#refProblems.push(...problems);
    const walk = await this.#walk();
    this.#forgetPruned();
    const bad = [...walk.bad].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    return this.#conclude(walk, await this.#describe(bad));
  }

  /** Adds who needs what; what nobody needs any more was pruned meanwhile. */
  async #describe(bad: readonly BadObject[]): Promise<Damage[]> {
    const detailed = bad.slice(0, MAX_DETAILED);
    const uses = await findUses(
      this.#loader,
      [...this.#verified.keys()],
      detailed.map(({ object }) => object),
    );
    const damage = detailed.map((entry): Damage => ({ ...entry, ...(uses.get(printObjectName(entry.object)) ?? NO_USES) }));
    const needed = damage.filter(({ commits }) => commits.length > 0);
    return [...needed, ...bad.slice(MAX_DETAILED).map((entry): Damage => ({ ...entry, ...NO_USES }))];
  }

  // ---- checking ----

  async #walk(): Promise<ObjectWalk> {
    const { threads, onProgress, signal } = this.#options;
    const module = new URL('./fsck-worker.js', import.meta.url);
    const pool = openPool<string, Uint8Array, FsckBatchResult>({ module, init: this.#repo.path, size: threads });
    let total: number | undefined;
    try {
      const walk: ObjectWalk = new ObjectWalk(this.#loader, pool, ({ objects, bytes }) => {
        checkSignal(signal);
        onProgress?.({ phase: 'Verifying objects', objectsDone: objects, objectsTotal: total, bytesDone: bytes });
      });
      const resolver = new RefResolver(this.#repo, this.#refs);
      for (const checksum of this.#commitsToCheck()) {
        checkSignal(signal);
        await this.#walkCommit(walk, checksum, resolver);
      }
      total = walk.found;
      await walk.finish();
      checkSignal(signal);
      return walk;
    } finally {
      await pool.close();
    }
  }

  /** Every commit object there is, and those that refs name and repair could fetch. */
  #commitsToCheck(): Checksum[] {
    const commits = new Set(listCommits(this.#repo));
    for (const { checksum } of this.#refs) commits.add(checksum);
    return [...commits].sort();
  }

  async #walkCommit(walk: ObjectWalk, checksum: Checksum, resolver: RefResolver): Promise<void> {
    const refs = this.#refsOf.get(checksum) ?? [];
    const badBefore = walk.bad.length;
    const commit = await walk.commit(checksum);
    const verdict = walk.bad[badBefore]?.verdict;
    if (verdict !== undefined) this.#refProblems.push(...refs.map((entry) => unloadableRef(entry, reasonOf(checksum, verdict))));
    const state = readCommitState(this.#repo, checksum);
    if (state === 'partial') this.#partial.push(checksum);
    else this.#verified.set(checksum, state);
    if (commit === undefined) return;
    this.#checkBindings(checksum, commit, refs, resolver);
    if (commit.parent !== undefined && this.#options.addTombstones === true) this.#noteParent(commit.parent);
    if (state !== 'partial') await walk.tree(commit);
  }

  #checkBindings(checksum: Checksum, commit: Commit, refs: readonly RefEntry[], resolver: RefResolver): void {
    const { verifyBindings, verifyBackRefs } = this.#options;
    if (verifyBindings === true || verifyBackRefs === true) {
      this.#refProblems.push(...refs.flatMap((entry) => bindingProblem(this.#repo, entry, commit) ?? []));
    }
    if (verifyBackRefs === true) this.#refProblems.push(...resolver.backRefProblems(checksum, commit));
  }

  #noteParent(parent: Checksum): void {
    if (!hasObject(this.#repo, parent, 'commit')) this.#tombstones.add(parent);
  }

  /** A commit that a prune removed during the check is no finding, nor is what it alone needed. */
  #forgetPruned(): void {
    for (const checksum of [...this.#verified.keys()]) {
      if (!this.#refsOf.has(checksum) && !hasObject(this.#repo, checksum, 'commit')) this.#verified.delete(checksum);
    }
  }

  // ---- acting ----

  async #conclude(walk: ObjectWalk, damage: readonly Damage[]): Promise<FsckReport> {
    const damagedNow = damage.filter(({ verdict }) => verdict.kind === 'missing' || this.#options.deleteDamaged === true);
    const marked = await this.#mark(damagedNow);
    const repaired = await this.#repair(damage);
    const left = damage.filter(({ object }) => !repaired.has(printObjectName(object)));
    const deleted = await this.#delete(left);
    const unmarked = await this.#unmark(left, marked);
    const refProblems = this.#refProblems.filter((problem) => !isSolved(problem, damage, repaired));
    const findings = [
      ...refProblems.map((problem) => this.#refFinding(problem)),
      ...damage.map((entry) => this.#objectFinding(entry, repaired)),
    ];
    const damagedBefore = [...this.#verified].filter(([, state]) => state === 'damaged').map(([checksum]) => checksum);
    const damagedCommits = damagedBefore.filter((checksum) => !unmarked.includes(checksum));
    return {
      ok: findings.every((finding) => finding.repaired) && damagedCommits.length === 0,
      findings,
      commitCount: this.#verified.size,
      partialCommits: this.#partial,
      damagedCommits,
      markedCommits: marked.filter((checksum) => !unmarked.includes(checksum)),
      unmarkedCommits: unmarked,
      tombstones: [...this.#tombstones].sort().filter((checksum) => writeTombstone(this.#repo, checksum)),
      deleted,
      repaired: damage.map(({ object }) => object).filter((object) => repaired.has(printObjectName(object))),
      contentIndex: readIndexStats(this.#repo),
      objectCount: walk.totals.objects,
      bytes: walk.totals.bytes,
    };
  }

  /** Marks the commits that lack something, where that can be written. */
  async #mark(damage: readonly Damage[]): Promise<Checksum[]> {
    const commits = await this.#commitsThatNeed(damage.filter(({ object }) => object.type !== 'commit'));
    return unlessReadOnly(() => commits.filter((commit) => markDamaged(this.#repo, commit)));
  }

  #commitsThatNeed(damage: readonly Damage[]): Promise<Checksum[]> {
    return commitsThatNeed(
      this.#loader,
      [...this.#verified.keys()],
      damage.map(({ object }) => object),
    );
  }

  async #repair(damage: readonly Damage[]): Promise<ReadonlySet<string>> {
    const { repairFrom, onProgress } = this.#options;
    if (repairFrom === undefined || damage.length === 0) return new Set();
    const objects = damage.map(({ object }) => object);
    const repaired = await repairObjects(this.#repo, repairFrom, objects, (done) => {
      checkSignal(this.#options.signal);
      onProgress?.({ phase: 'Fetching objects', objectsDone: done, objectsTotal: objects.length, bytesDone: 0 });
    });
    return new Set(repaired.map(printObjectName));
  }

  async #delete(left: readonly Damage[]): Promise<ObjectName[]> {
    const damaged = left.filter(({ verdict }) => verdict.kind !== 'missing').map(({ object }) => object);
    if (this.#options.deleteDamaged !== true || damaged.length === 0) return [];
    return deleteDamagedObjects(this.#repo, damaged);
  }

  /** Takes the mark from commits that lack nothing. */
  async #unmark(left: readonly Damage[], marked: readonly Checksum[]): Promise<Checksum[]> {
    const lacking = new Set(await this.#commitsThatNeed(left));
    const before = [...this.#verified].filter(([, state]) => state === 'damaged').map(([checksum]) => checksum);
    const whole = [...before, ...marked].filter((checksum) => !lacking.has(checksum)).sort();
    return unlessReadOnly(() => {
      for (const commit of whole) unmarkDamaged(this.#repo, commit);
      return whole;
    });
  }

  // ---- reporting ----

  #refFinding(problem: RefProblem): FsckFinding {
    return {
      ...problem,
      object: undefined,
      actual: undefined,
      paths: [],
      hasMorePaths: false,
      hasMoreCommits: false,
      repaired: false,
    };
  }

  #objectFinding({ object, verdict, ...uses }: Damage, repaired: ReadonlySet<string>): FsckFinding {
    const refs = uses.commits.flatMap((commit) => this.#refsOf.get(commit) ?? []).map(printRef);
    return {
      kind: `object-${verdict.kind}`,
      message: messageOf(object, verdict, uses),
      object,
      actual: verdict.kind === 'corrupt' ? verdict.actual : undefined,
      ...uses,
      refs: [...new Set(refs)].sort(),
      repaired: repaired.has(printObjectName(object)),
    };
  }
}

type Damage = BadObject & ObjectUses;

/** Commits first, then by checksum. */
const orderOf = ({ object: { type, checksum } }: BadObject): string => `${type === 'commit' ? 0 : 1} ${checksum}.${type}`;

function isSolved(problem: RefProblem, damage: readonly Damage[], repaired: ReadonlySet<string>): boolean {
  if (problem.kind !== 'ref-broken') return false;
  const [commit] = problem.commits;
  return damage.some(
    ({ object }) => object.checksum === commit && object.type === 'commit' && repaired.has(printObjectName(object)),
  );
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new HacktreeError('interrupted', 'fsck was interrupted');
}

/** On a read-only file system damage is reported without marks. */
function unlessReadOnly(change: () => Checksum[]): Checksum[] {
  try {
    return change();
  } catch (error) {
    if (isHacktreeError(error) && (error.code === 'read-only' || error.code === 'permission')) return [];
    throw error;
  }
}

/** Why a ref's commit cannot be loaded. */
function reasonOf(checksum: Checksum, verdict: Verdict): string {
  if (verdict.kind === 'missing') return `No such metadata object ${checksum}.commit`;
  return verdict.kind === 'corrupt' ? corruption('commit', checksum, verdict.actual) : verdict.message;
}

const corruption = (type: string, expected: Checksum, actual: Checksum): string =>
  `Corrupted ${type} object; checksum expected='${expected}' actual='${actual}'`;

/** One line in ostree's words. */
function messageOf(object: ObjectName, verdict: Verdict, { commits, hasMoreCommits }: ObjectUses): string {
  const { checksum, type } = object;
  const name = printObjectName(object);
  const list = `${commits.join(', ')}${hasMoreCommits ? ', ...' : ''}`;
  if (verdict.kind === 'missing') {
    return type === 'commit' || commits.length === 0 ? `Object missing: ${name}` : `Object missing in commits ${list}: ${name}`;
  }
  const what = verdict.kind === 'corrupt' ? corruption(type, checksum, verdict.actual) : verdict.message;
  return `${commits.length === 0 ? '' : `In commits ${list}: `}fsck ${type === 'file' ? `content object ${checksum}` : name}: ${what}`;
}
