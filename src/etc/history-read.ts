/** Reading the history of /etc: its log, its commits, what changed between two, and taking a path back from one. */
import { compareUtf8, HacktreeError } from '../core/index.ts';
import { type EtcDifference, type EtcSide, printSides } from './compare.ts';
import { type GitCommit, type GitEntry, type GitId, GitStore } from './git-store.ts';
import { deployedRoot, listAncestors } from './history.ts';
import { gitName, META_NAME, type MetaEntry, parseMeta, plainAttributes } from './history-tree.ts';
import { writeSide } from './live-write.ts';

export interface EtcLogEntry {
  readonly id: GitId;
  readonly parents: readonly GitId[];
  readonly timeSec: number;
  readonly subject: string;
  /** The message below its subject. */
  readonly body: string;
  /** Branches that end here. */
  readonly branches: readonly string[];
}

/** The history of /etc, opened for reading. */
export class EtcHistory {
  readonly #store: GitStore;

  private constructor(store: GitStore) {
    this.#store = store;
  }

  /** Errors: `path-not-found` when there is no history. */
  static async open(historyDir: string): Promise<EtcHistory> {
    return new EtcHistory(await GitStore.open(historyDir, { create: false }));
  }

  /** Lists the roots that have a branch, and `upstream`, sorted. */
  branches(): Promise<string[]> {
    return this.#store.listBranches();
  }

  /**
   * Lists commits, newest first: all, or those that end in one root or commit, and of these all or only the ones that
   * changed a path. Errors: `ref-not-found`.
   */
  async log(options: { readonly from?: string; readonly path?: string; readonly limit?: number } = {}): Promise<EtcLogEntry[]> {
    const names = options.from === undefined ? await this.#store.listBranches() : [options.from];
    const tips = await Promise.all(names.map((name) => this.#store.findCommit(name)));
    const ends = await this.#branchEnds();
    const entries: EtcLogEntry[] = [];
    for (const commit of await listAncestors(this.#store, tips)) {
      if (entries.length === options.limit) break;
      if (options.path === undefined || (await this.#changes(commit, options.path))) entries.push(logEntry(commit, ends));
    }
    return entries;
  }

  /** Describes one commit and what it changed against its first parent. Errors: `ref-not-found`. */
  async show(name: string): Promise<EtcLogEntry & { readonly changes: readonly EtcDifference[] }> {
    const commit = await this.#store.readCommit(await this.#store.findCommit(name));
    const before =
      commit.parents[0] === undefined ? new Map() : await this.#list(await this.#store.readCommit(commit.parents[0]));
    return { ...logEntry(commit, await this.#branchEnds()), changes: compareTrees(before, await this.#list(commit)) };
  }

  /** Prints what a commit changed at a path against its first parent, as printEtcDifference does. Errors: `ref-not-found`. */
  async printChange(name: string, relativePath: string): Promise<string> {
    const { id, parents } = await this.#store.readCommit(await this.#store.findCommit(name));
    const before = parents[0] === undefined ? undefined : await this.read(parents[0], relativePath);
    return printSides(relativePath, before, await this.read(id, relativePath));
  }

  /** Finds the commit of a root as it was deployed last, before anything was changed. Errors: `ref-not-found`. */
  async deployed(root: string): Promise<GitId> {
    const tip = await this.#store.findCommit(root);
    const found = (await listAncestors(this.#store, [tip])).find(({ message }) => deployedRoot(message) === root);
    return found?.id ?? tip;
  }

  /** Lists what differs between two roots or commits. Errors: `ref-not-found`. */
  async compare(from: string, to: string): Promise<EtcDifference[]> {
    const [a, b] = await Promise.all([from, to].map(async (name) => this.#store.readCommit(await this.#store.findCommit(name))));
    return compareTrees(await this.#list(a as GitCommit), await this.#list(b as GitCommit));
  }

  /** Reads what a root or commit has at a path relative to /etc; undefined when nothing. Errors: `ref-not-found`. */
  async read(name: string, relativePath: string): Promise<EtcSide | undefined> {
    const commit = await this.#store.readCommit(await this.#store.findCommit(name));
    const meta = await this.#readMeta(commit);
    const entry = await this.#find(commit.tree, gitName(relativePath));
    const noted = meta.get(relativePath);
    if (entry === undefined) {
      return noted?.type === 'dir' ? { type: 'directory', content: Buffer.alloc(0), attributes: noted.attributes } : undefined;
    }
    const attributes = noted?.attributes ?? plainAttributes(entry.mode);
    if (entry.mode === '040000') return { type: 'directory', content: Buffer.alloc(0), attributes };
    return { type: entry.mode === '120000' ? 'symlink' : 'file', content: await this.#store.readBlob(entry.id), attributes };
  }

  /**
   * Puts a path of an /etc back as a root or commit had it, with owner and attributes, durably; a directory with all in
   * it, while what it did not have stays. Returns the paths written.
   * Errors: `ref-not-found`, `path-not-found` when it was not there then, `path-unsafe`.
   */
  async restore(relativePath: string, name: string, etcDir: string): Promise<string[]> {
    const version = await this.read(name, relativePath);
    if (version === undefined) {
      throw new HacktreeError('path-not-found', `${name} had no ${relativePath}`, { details: { path: relativePath } });
    }
    const commit = await this.#store.readCommit(await this.#store.findCommit(name));
    const below = version.type === 'directory' ? [...(await this.#list(commit)).keys()] : [];
    const paths = [relativePath, ...below.filter((other) => other.startsWith(`${relativePath}/`))].sort(compareUtf8);
    for (const one of paths) {
      const found = await this.read(name, one);
      if (found !== undefined) writeSide(etcDir, one, found);
    }
    return paths;
  }

  async #branchEnds(): Promise<Map<GitId, string[]>> {
    const ends = new Map<GitId, string[]>();
    for (const name of await this.#store.listBranches()) {
      const id = (await this.#store.readBranch(name)) ?? '';
      ends.set(id, [...(ends.get(id) ?? []), name]);
    }
    return ends;
  }

  /** Tells whether a commit has a path otherwise than every one of its parents. */
  async #changes(commit: GitCommit, relativePath: string): Promise<boolean> {
    const mine = await this.#fingerprint(commit, relativePath);
    if (commit.parents.length === 0) return mine !== undefined;
    for (const parent of commit.parents) {
      if ((await this.#fingerprint(await this.#store.readCommit(parent), relativePath)) === mine) return false;
    }
    return true;
  }

  /** Says content and attributes of a path in one string; undefined when nothing is there. */
  async #fingerprint(commit: GitCommit, relativePath: string): Promise<string | undefined> {
    const entry = await this.#find(commit.tree, gitName(relativePath));
    const meta = await this.#readMeta(commit);
    const noted = [...meta]
      .filter(([at]) => at === relativePath || at.startsWith(`${relativePath}/`))
      .map(([at, one]) => [at, printNoted(one)]);
    return entry === undefined && noted.length === 0 ? undefined : JSON.stringify([entry?.mode, entry?.id, noted]);
  }

  async #find(tree: GitId, name: string): Promise<GitEntry | undefined> {
    let entries = await this.#store.readTree(tree);
    const parts = name.split('/');
    for (const [depth, part] of parts.entries()) {
      const entry = entries.find((one) => one.name === part);
      if (entry === undefined || depth === parts.length - 1) return entry;
      if (entry.mode !== '040000') return undefined;
      entries = await this.#store.readTree(entry.id);
    }
    return undefined;
  }

  async #readMeta({ tree }: GitCommit): Promise<Map<string, MetaEntry>> {
    const entry = (await this.#store.readTree(tree)).find(({ name }) => name === META_NAME);
    return entry === undefined ? new Map() : parseMeta((await this.#store.readBlob(entry.id)).toString('utf8'));
  }

  /** Lists every path of a commit with what tells its content and its attributes. */
  async #list(commit: GitCommit): Promise<Map<string, PathState>> {
    const meta = await this.#readMeta(commit);
    const realNames = new Map([...meta.keys()].filter((at) => !at.isWellFormed()).map((at) => [gitName(at), at]));
    const states = new Map<string, PathState>();
    const walk = async (tree: GitId, prefix: string): Promise<void> => {
      for (const entry of await this.#store.readTree(tree)) {
        if (prefix === '' && entry.name === META_NAME) continue;
        const at = realNames.get(prefix + entry.name) ?? prefix + entry.name;
        const isDir = entry.mode === '040000';
        const attributes = meta.get(at)?.attributes ?? plainAttributes(entry.mode);
        states.set(at, {
          content: isDir ? 'directory' : `${entry.mode.slice(0, 3)} ${entry.id}`,
          attributes: printNoted({ attributes }),
        });
        if (isDir) await walk(entry.id, `${prefix}${entry.name}/`);
      }
    };
    await walk(commit.tree, '');
    for (const [at, { type, attributes }] of meta) {
      if (!states.has(at))
        states.set(at, { content: type === 'dir' ? 'directory' : type, attributes: printNoted({ attributes }) });
    }
    return states;
  }
}

interface PathState {
  readonly content: string;
  readonly attributes: string;
}

function printNoted({ attributes }: Pick<MetaEntry, 'attributes'>): string {
  const { uid, gid, mode, xattrs } = attributes;
  return JSON.stringify([uid, gid, mode, Array.from(xattrs, ([name, value]) => [name, value.toString('hex')])]);
}

function logEntry(commit: GitCommit, ends: ReadonlyMap<GitId, string[]>): EtcLogEntry {
  const [subject = '', ...body] = commit.message.split('\n');
  const { id, parents, timeSec } = commit;
  return { id, parents, timeSec, subject, body: body.join('\n').trim(), branches: ends.get(id) ?? [] };
}

function compareTrees(from: ReadonlyMap<string, PathState>, to: ReadonlyMap<string, PathState>): EtcDifference[] {
  const changes: EtcDifference[] = [];
  for (const at of [...new Set([...from.keys(), ...to.keys()])].sort(compareUtf8)) {
    const [a, b] = [from.get(at), to.get(at)];
    if (a === undefined) changes.push({ path: at, change: 'added' });
    else if (b === undefined) changes.push({ path: at, change: 'removed' });
    else if (a.content !== b.content) changes.push({ path: at, change: 'modified' });
    else if (a.attributes !== b.attributes) changes.push({ path: at, change: 'attributes' });
  }
  return changes;
}
