/**
 * A bare git repository as a store of blobs, trees, commits and branches: the only file that knows isomorphic-git, which
 * is loaded on first use.
 *
 * Objects are written to a temporary name first; branches move only after everything written so far is on the device, so
 * that after a power cut a branch never names what is not there. The directory is for its owner alone: it holds
 * password hashes and keys.
 *
 * **Source:** gitrepository-layout(5), gitformat-loose; `shallow` as in gitrepository-layout(5).
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { deflateSync } from 'node:zlib';
import { HacktreeError, wrapSystemError } from '../core/index.ts';
import { ensureDir, removeFileDurable, syncFileSystem, writeFileDurable } from '../sys/index.ts';

/** SHA-1 of a git object, 40 hex characters. */
export type GitId = string;

export interface GitEntry {
  readonly name: string;
  readonly mode: '100644' | '100755' | '120000' | '040000';
  readonly id: GitId;
}

export interface GitCommit {
  readonly id: GitId;
  readonly tree: GitId;
  /** Empty where history was cut off. */
  readonly parents: readonly GitId[];
  readonly message: string;
  readonly timeSec: number;
}

type Git = typeof import('isomorphic-git');

const AUTHOR = { name: 'hacktree', email: 'hacktree@localhost', timezoneOffset: 0 };

export class GitStore {
  readonly #git: Git;
  readonly #gitdir: string;
  readonly #cache = {};
  readonly #known = new Set<GitId>();
  #shallow: ReadonlySet<GitId>;

  private constructor(git: Git, gitdir: string) {
    this.#git = git;
    this.#gitdir = gitdir;
    this.#shallow = readShallow(gitdir);
  }

  /** Opens the repository, making it when `create` is set. Errors: `path-not-found` when there is none, `permission`. */
  static async open(gitdir: string, options: { readonly create: boolean }): Promise<GitStore> {
    const git = (await import('isomorphic-git')).default as unknown as Git;
    if (!isThere(path.join(gitdir, 'HEAD'))) {
      if (!options.create) throw new HacktreeError('path-not-found', `No history at ${gitdir}`, { details: { path: gitdir } });
      fs.mkdirSync(gitdir, { recursive: true, mode: 0o700 });
      await git.init({ fs: gitFs, gitdir, bare: true, defaultBranch: 'upstream' });
    }
    if (options.create) fs.chmodSync(gitdir, 0o700);
    return new GitStore(git, gitdir);
  }

  get #repo(): { fs: typeof gitFs; gitdir: string; cache: object } {
    return { fs: gitFs, gitdir: this.#gitdir, cache: this.#cache };
  }

  /** Stores bytes as a loose object, unless they are there. */
  writeBlob(bytes: Buffer): GitId {
    const wrapped = Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]);
    const id = createHash('sha1').update(wrapped).digest('hex');
    const file = this.#objectPath(id);
    if (!this.#known.has(id) && !fs.existsSync(file)) {
      ensureDir(path.dirname(file));
      writeFileDurable(file, deflateSync(wrapped), { mode: 0o400, sync: false });
    }
    this.#known.add(id);
    return id;
  }

  #objectPath(id: GitId): string {
    return path.join(this.#gitdir, 'objects', id.slice(0, 2), id.slice(2));
  }

  async writeTree(entries: readonly GitEntry[]): Promise<GitId> {
    const tree = entries.map(({ name, mode, id }) => {
      const type: 'tree' | 'blob' = mode === '040000' ? 'tree' : 'blob';
      return { path: name, mode, oid: id, type };
    });
    return this.#git.writeTree({ ...this.#repo, tree });
  }

  async writeCommit(commit: Omit<GitCommit, 'id'>): Promise<GitId> {
    const author = { ...AUTHOR, timestamp: commit.timeSec };
    const { tree, message } = commit;
    return this.#git.writeCommit({
      ...this.#repo,
      commit: { tree, parent: [...commit.parents], author, committer: author, message },
    });
  }

  async readCommit(id: GitId): Promise<GitCommit> {
    const { commit } = await this.#git.readCommit({ ...this.#repo, oid: id });
    const parents = this.#shallow.has(id) ? [] : commit.parent;
    return { id, tree: commit.tree, parents, message: commit.message, timeSec: commit.committer.timestamp };
  }

  async readTree(id: GitId): Promise<GitEntry[]> {
    const { tree } = await this.#git.readTree({ ...this.#repo, oid: id });
    return tree.map((entry) => ({ name: entry.path, mode: entry.mode.padStart(6, '0') as GitEntry['mode'], id: entry.oid }));
  }

  async readBlob(id: GitId): Promise<Buffer> {
    return Buffer.from((await this.#git.readBlob({ ...this.#repo, oid: id })).blob);
  }

  /** Finds what a branch names; undefined when there is no such branch. */
  async readBranch(name: string): Promise<GitId | undefined> {
    const branches = await this.listBranches();
    return branches.includes(name) ? this.#git.resolveRef({ ...this.#repo, ref: `refs/heads/${name}` }) : undefined;
  }

  /** Lists branch names, sorted. */
  async listBranches(): Promise<string[]> {
    return (await this.#git.listBranches(this.#repo)).sort();
  }

  /** Makes all objects written so far durable, then points branches at commits. */
  writeBranches(branches: Readonly<Record<string, GitId>>): void {
    syncFileSystem(this.#gitdir);
    for (const [name, id] of Object.entries(branches)) {
      const file = path.join(this.#gitdir, 'refs/heads', name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      writeFileDurable(file, Buffer.from(`${id}\n`), { mode: 0o600 });
    }
  }

  async deleteBranch(name: string): Promise<void> {
    await this.#git.deleteRef({ ...this.#repo, ref: `refs/heads/${name}` });
  }

  /** Finds a commit by branch name or by the beginning of its id. Errors: `ref-not-found`. */
  async findCommit(name: string): Promise<GitId> {
    const branch = await this.readBranch(name);
    if (branch !== undefined) return branch;
    try {
      if (/^[0-9a-f]{4,40}$/.test(name)) {
        const id = await this.#git.expandOid({ ...this.#repo, oid: name });
        await this.#git.readCommit({ ...this.#repo, oid: id });
        return id;
      }
    } catch (cause) {
      throw notFound(name, cause);
    }
    throw notFound(name, undefined);
  }

  /** Cuts history off below these commits: they have no parents from now on, here and for git. */
  writeShallow(ids: ReadonlySet<GitId>): void {
    const file = path.join(this.#gitdir, 'shallow');
    if (ids.size === 0) removeFileDurable(file);
    else
      writeFileDurable(
        file,
        Buffer.from(
          [...ids]
            .sort()
            .map((id) => `${id}\n`)
            .join(''),
        ),
        { mode: 0o600 },
      );
    this.#shallow = ids;
  }

  /** Deletes all loose objects but these. Packs, which only git itself makes, stay. Returns the number and bytes deleted. */
  deleteObjectsExcept(kept: ReadonlySet<GitId>): { objects: number; bytes: number } {
    const deleted = { objects: 0, bytes: 0 };
    const objects = path.join(this.#gitdir, 'objects');
    for (const prefix of fs.readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
      for (const rest of fs.readdirSync(path.join(objects, prefix))) {
        if (kept.has(prefix + rest)) continue;
        const file = path.join(objects, prefix, rest);
        deleted.bytes += fs.statSync(file).size;
        deleted.objects++;
        fs.unlinkSync(file);
      }
    }
    return deleted;
  }
}

/** Errors: `permission` for a caller who may not look. */
function isThere(file: string): boolean {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw wrapSystemError(error, 'Reading the history of /etc', path.dirname(file));
  }
}

function notFound(name: string, cause: unknown): HacktreeError {
  return new HacktreeError('ref-not-found', `The history of /etc has no root or commit '${name}'`, {
    details: { found: name },
    cause,
  });
}

function readShallow(gitdir: string): Set<GitId> {
  const file = path.join(gitdir, 'shallow');
  if (!fs.existsSync(file)) return new Set();
  return new Set(
    fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  );
}

/** What isomorphic-git needs of a file system, with writes that are whole or not there. */
const gitFs = {
  promises: {
    ...fs.promises,
    async writeFile(file: string, bytes: Uint8Array | string): Promise<void> {
      writeFileDurable(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { mode: 0o600, sync: false });
    },
  },
};
