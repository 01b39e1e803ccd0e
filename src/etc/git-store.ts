/**
 * A bare git repository as a store of blobs, trees, commits and branches: the only file that knows isomorphic-git, which
 * is loaded on first use.
 *
 * Objects are written to a temporary name first; branches move only after everything written so far is on the device, so
 * that after a power cut a branch never names what is not there. The directory is for its owner alone: it holds
 * password hashes and keys.
 *
 * **Source:** gitrepository-layout(5), gitformat-loose, git-hash-object(1) for the names of objects, git-mktree(1); `shallow` as in gitrepository-layout(5).
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

/** A third of the time for a few per cent more space. */
const QUICK_LEVEL = 1;

type Git = typeof import('isomorphic-git');

const AUTHOR = 'hacktree <hacktree@localhost>';

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
    return this.#writeObject('blob', bytes);
  }

  /** Stores a directory; entries in any order. */
  writeTree(entries: readonly GitEntry[]): GitId {
    const rows = entries.map((entry) => ({ entry, key: sortKey(entry) })).sort((a, b) => Buffer.compare(a.key, b.key));
    const parts = rows.flatMap(({ entry: { mode, name, id } }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`),
      Buffer.from(id, 'hex'),
    ]);
    return this.#writeObject('tree', Buffer.concat(parts));
  }

  writeCommit({ tree, parents, message, timeSec }: Omit<GitCommit, 'id'>): GitId {
    const by = `${AUTHOR} ${timeSec} +0000`;
    const lines = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`), `author ${by}`, `committer ${by}`, '', message];
    return this.#writeObject('commit', Buffer.from(lines.join('\n')));
  }

  /** By Node's own zlib and SHA-1: a deployment stores thousands, and the library's take many times as long. */
  #writeObject(type: 'blob' | 'tree' | 'commit', bytes: Buffer): GitId {
    const whole = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes]);
    const id = createHash('sha1').update(whole).digest('hex');
    const file = this.#objectPath(id);
    if (!this.#known.has(id) && !fs.existsSync(file)) {
      ensureDir(path.dirname(file));
      writeFileDurable(file, deflateSync(whole, { level: QUICK_LEVEL }), { mode: 0o400, sync: false });
    }
    this.#known.add(id);
    return id;
  }

  #objectPath(id: GitId): string {
    return path.join(this.#gitdir, 'objects', id.slice(0, 2), id.slice(2));
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

/** What git sorts a tree's entries by: names as bytes, those of directories with a slash behind. */
function sortKey({ name, mode }: GitEntry): Buffer {
  return Buffer.from(mode === '040000' ? `${name}/` : name);
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
