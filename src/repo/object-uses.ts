/**
 * Which commits and paths need given objects: damaged ones, or those that hold some content. Asked of few objects, so
 * the trees are walked anew instead of remembering who needs what.
 *
 * For every directory a set of the objects in and below it is computed once (bits, for 1024 objects at a time);
 * paths are then followed only where the set is not empty. The number of paths in a hostile tree can be astronomical:
 * they are counted off against a budget.
 */
import type { Checksum } from '../core/index.ts';
import { type Commit, type Dirtree, type ObjectName, type ObjectType, printObjectName } from '../format/index.ts';
import { joinTreePath } from './tree-walk.ts';

const ROUND_OBJECTS = 1024;
/** Directory entries looked at for paths, in one round. */
const PATH_BUDGET = 1_000_000;

/** Most paths that are listed for one object. */
export const MAX_PATHS = 100;

/** Most commits that are listed for one object. */
export const MAX_COMMITS = 100;

/** Where an object is used. */
export interface ObjectUses {
  /** Sorted, at most MAX_COMMITS. */
  readonly commits: readonly Checksum[];
  readonly hasMoreCommits: boolean;
  /** In any of the commits, sorted, at most MAX_PATHS. */
  readonly paths: readonly string[];
  readonly hasMorePaths: boolean;
}

export const NO_USES: ObjectUses = { commits: [], hasMoreCommits: false, paths: [], hasMorePaths: false };

/** Gives metadata; undefined when it is missing or damaged. */
export interface MetadataSource {
  commit(checksum: Checksum): Promise<Commit | undefined>;
  dirtree(checksum: Checksum): Promise<Dirtree | undefined>;
}

/** Says for each object (by its printed name) which of the commits need it, and for which paths. */
export async function findUses(
  source: MetadataSource,
  commits: readonly Checksum[],
  objects: readonly ObjectName[],
): Promise<Map<string, ObjectUses>> {
  const uses = new Map<string, ObjectUses>();
  for (let at = 0; at < objects.length; at += ROUND_OBJECTS) {
    const round = new Round(source, objects.slice(at, at + ROUND_OBJECTS));
    for (const commit of commits) await round.visitCommit(commit);
    for (const [name, found] of round.results()) uses.set(name, found);
  }
  return uses;
}

/** Says which of the commits need any of the objects. Sorted. */
export async function commitsThatNeed(
  source: MetadataSource,
  commits: readonly Checksum[],
  objects: readonly ObjectName[],
): Promise<Checksum[]> {
  const wanted = new Set(objects.map(printObjectName));
  if (wanted.size === 0) return [];
  const below = new BottomUp(source, ({ files, dirs }, ofDir) => {
    if (files.some(({ checksum }) => wanted.has(`${checksum}.file`))) return true;
    return dirs.some(({ tree, meta }) => wanted.has(`${tree}.dirtree`) || wanted.has(`${meta}.dirmeta`) || ofDir(tree) === true);
  });
  const needing: Checksum[] = [];
  for (const checksum of commits) {
    const commit = await source.commit(checksum);
    const roots = commit === undefined ? [] : [`${commit.rootTree}.dirtree`, `${commit.rootMeta}.dirmeta`];
    const isDirect = [`${checksum}.commit`, ...roots].some((name) => wanted.has(name));
    if (isDirect || (commit !== undefined && (await below.of(commit.rootTree)))) needing.push(checksum);
  }
  return needing.sort();
}

/** Computes a value of every directory from those of its subdirectories, once, without recursion: trees may be deep. */
class BottomUp<Value> {
  readonly #source: MetadataSource;
  readonly #compute: (dirtree: Dirtree, ofDir: (tree: Checksum) => Value | undefined) => Value;
  readonly #values = new Map<Checksum, Value>();

  constructor(source: MetadataSource, compute: (dirtree: Dirtree, ofDir: (tree: Checksum) => Value | undefined) => Value) {
    this.#source = source;
    this.#compute = compute;
  }

  /** Value that was computed before. */
  known(tree: Checksum): Value | undefined {
    return this.#values.get(tree);
  }

  async of(root: Checksum): Promise<Value> {
    const stack: { tree: Checksum; dirtree: Dirtree | undefined }[] = [{ tree: root, dirtree: undefined }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (this.#values.has(top.tree)) {
        stack.pop();
      } else if (top.dirtree === undefined) {
        top.dirtree = (await this.#source.dirtree(top.tree)) ?? EMPTY_DIR;
        for (const { tree } of top.dirtree.dirs) if (!this.#values.has(tree)) stack.push({ tree, dirtree: undefined });
      } else {
        this.#values.set(
          top.tree,
          this.#compute(top.dirtree, (tree) => this.#values.get(tree)),
        );
        stack.pop();
      }
    }
    return this.#values.get(root) as Value;
  }
}

const EMPTY_DIR: Dirtree = { files: [], dirs: [] };

/** Set of object numbers. */
type Bits = Uint32Array;

class Round {
  readonly #source: MetadataSource;
  readonly #objects: readonly ObjectName[];
  readonly #numbers: Map<string, number>;
  readonly #below: BottomUp<Bits | undefined>;
  readonly #commits: Set<Checksum>[];
  readonly #paths: Set<string>[];
  readonly #hasMore: boolean[];
  #budget = PATH_BUDGET;

  constructor(source: MetadataSource, objects: readonly ObjectName[]) {
    this.#source = source;
    this.#below = new BottomUp(source, (dirtree, ofDir) => this.#setOf(dirtree, ofDir));
    this.#objects = objects;
    this.#numbers = new Map(objects.map((object, i) => [printObjectName(object), i]));
    this.#commits = objects.map(() => new Set());
    this.#paths = objects.map(() => new Set());
    this.#hasMore = objects.map(() => false);
  }

  *results(): Generator<[string, ObjectUses]> {
    for (const [i, object] of this.#objects.entries()) {
      const commits = [...(this.#commits[i] as Set<Checksum>)].sort();
      const paths = [...(this.#paths[i] as Set<string>)].sort();
      const uses = {
        commits: commits.slice(0, MAX_COMMITS),
        hasMoreCommits: commits.length > MAX_COMMITS,
        paths,
        hasMorePaths: this.#hasMore[i] === true,
      };
      yield [printObjectName(object), uses];
    }
  }

  async visitCommit(checksum: Checksum): Promise<void> {
    const self = this.#number(checksum, 'commit');
    if (self !== undefined) this.#commits[self]?.add(checksum);
    const commit = await this.#source.commit(checksum);
    if (commit === undefined) return;
    const bits = this.#newBits();
    this.#set(bits, commit.rootMeta, 'dirmeta');
    this.#set(bits, commit.rootTree, 'dirtree');
    merge(bits, await this.#below.of(commit.rootTree));
    for (const i of members(bits)) this.#commits[i]?.add(checksum);
    this.#addPath(this.#number(commit.rootMeta, 'dirmeta'), '/');
    this.#addPath(this.#number(commit.rootTree, 'dirtree'), '/');
    await this.#followPaths(commit.rootTree);
  }

  #number(checksum: Checksum, type: ObjectType): number | undefined {
    return this.#numbers.get(`${checksum}.${type}`);
  }

  #newBits(): Bits {
    return new Uint32Array(Math.ceil(this.#objects.length / 32));
  }

  #set(bits: Bits, checksum: Checksum, type: ObjectType): void {
    const i = this.#number(checksum, type);
    if (i !== undefined) bits[i >>> 5] = (bits[i >>> 5] as number) | (1 << (i & 31));
  }

  /** Objects in and below a directory. */
  #setOf({ files, dirs }: Dirtree, ofDir: (tree: Checksum) => Bits | undefined): Bits | undefined {
    const bits = this.#newBits();
    for (const { checksum } of files) this.#set(bits, checksum, 'file');
    for (const { tree, meta } of dirs) {
      this.#set(bits, tree, 'dirtree');
      this.#set(bits, meta, 'dirmeta');
      merge(bits, ofDir(tree));
    }
    return bits.some((word) => word !== 0) ? bits : undefined;
  }

  async #followPaths(root: Checksum): Promise<void> {
    const stack = [{ path: '/', tree: root }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const below = this.#below.known(top.tree);
      if (below === undefined) continue;
      if (this.#budget <= 0 || members(below).every((i) => this.#isFull(i))) {
        for (const i of members(below)) this.#hasMore[i] = true;
        continue;
      }
      const { files, dirs } = (await this.#source.dirtree(top.tree)) ?? EMPTY_DIR;
      this.#budget -= files.length + dirs.length + 1;
      for (const { name, checksum } of files) this.#addPath(this.#number(checksum, 'file'), joinTreePath(top.path, name));
      for (const { name, tree, meta } of dirs) {
        const path = joinTreePath(top.path, name);
        this.#addPath(this.#number(tree, 'dirtree'), path);
        this.#addPath(this.#number(meta, 'dirmeta'), path);
        stack.push({ path, tree });
      }
    }
  }

  #isFull(i: number): boolean {
    return (this.#paths[i]?.size ?? 0) >= MAX_PATHS;
  }

  #addPath(i: number | undefined, path: string): void {
    if (i === undefined) return;
    const paths = this.#paths[i] as Set<string>;
    if (paths.has(path)) return;
    if (paths.size < MAX_PATHS) paths.add(path);
    else this.#hasMore[i] = true;
  }
}

function merge(into: Bits, from: Bits | undefined): void {
  if (from === undefined) return;
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) | (from[i] as number);
}

function members(bits: Bits): number[] {
  const list: number[] = [];
  bits.forEach((word, at) => {
    for (let bit = 0; bit < 32; bit++) if ((word & (1 << bit)) !== 0) list.push(at * 32 + bit);
  });
  return list;
}
