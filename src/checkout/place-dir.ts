/**
 * Checks out one directory: makes its subdirectories, places its files, then gives it its inode and time. What is below the
 * subdirectories is left to further tasks, which any thread may do in any order, parents before children.
 *
 * A directory that its owner may not enter or change gets its mode at the very end. In an existing destination a new
 * directory has its owner, xattrs and mode before it gets its name.
 *
 * Source: ostree-format 5.1, 6; ostree-cli A.1 (checkout).
 */
import { type Checksum, wrapSystemError } from '../core/index.ts';
import { type DirEntry, type FileEntry, S_IFDIR, S_IFMT } from '../format/index.ts';
import {
  closeFd,
  deviceAt,
  emptyDirectory,
  listXattrNames,
  mkdirAt,
  openDirAt,
  removeTreeAt,
  removeXattr,
  renameNoReplaceAt,
  rmdirAt,
  statAt,
  zeroMtimeAt,
} from '../sys/index.ts';
import type { PlaceContext } from './context.ts';
import { applyInode, dirInode, type Inode, isPlainInode, type PlainOwner } from './inode.ts';
import type { MetadataLoader } from './metadata.ts';
import { notADirectory, openBeneath } from './open-beneath.ts';
import { placeFile } from './place-file.ts';
import type { Spot } from './target.ts';
import { temporaryName } from './temporary-name.ts';
import { splitWhiteouts } from './whiteouts.ts';

/** A directory to check out; plain data. Its parent exists. */
export interface DirTask {
  readonly tree: Checksum;
  readonly meta: Checksum;
  /** From the root of the checkout, without a leading slash; empty for the root. */
  readonly path: string;
  /** Whether this checkout made it; one that was there keeps its inode and time. */
  readonly isNew: boolean;
}

/** Where a checkout goes; plain data, the descriptors are those of the process. */
export interface Destination {
  /** Open root directory. */
  readonly root: number;
  /** Open directory for what is not complete; undefined in a fresh destination, which is not complete as a whole. */
  readonly staging: number | undefined;
  readonly plainOwner: PlainOwner | undefined;
}

/** A mode that must wait until everything below the directory is there. */
export interface LateMode {
  readonly path: string;
  readonly mode: number;
}

const OWNER_ALL = 0o700;
const S_ISGID = 0o2000;

/** Checks out directories; keeps what they lead to. One per thread. */
export class DirPlacer {
  /** Directories found and not yet checked out, the last found last. */
  readonly tasks: DirTask[] = [];
  readonly lateModes: LateMode[] = [];
  readonly #context: PlaceContext;
  readonly #metadata: MetadataLoader;
  readonly #destination: Destination;
  readonly #skip: ReadonlySet<string> | undefined;

  constructor(context: PlaceContext, metadata: MetadataLoader, destination: Destination) {
    this.#context = context;
    this.#metadata = metadata;
    this.#destination = destination;
    this.#skip = context.settings.skip.length === 0 ? undefined : new Set(context.settings.skip);
  }

  /** Checks out one directory and adds its subdirectories to `tasks`. Errors: those of placeFile, `path-unsafe`. */
  place(task: DirTask): void | Promise<void> {
    const { files, dirs } = this.#metadata.dirtree(task.tree);
    this.#context.tally.dirs++;
    return this.#destination.staging === undefined ? this.#placeFresh(task, files, dirs) : this.#placeInto(task, files, dirs);
  }

  // ---- a fresh destination: names relative to its root, nobody else can be there ----

  #placeFresh(task: DirTask, all: readonly FileEntry[], dirs: readonly DirEntry[]): void | Promise<void> {
    const prefix = task.path === '' ? '' : `${task.path}/`;
    const spot = { dir: this.#destination.root, staging: undefined };
    for (const { name, tree, meta } of dirs) {
      const path = prefix + name;
      if (this.#skip?.has(`/${path}/`) === true) continue;
      this.#makeFresh(path, meta);
      this.tasks.push({ tree, meta, path, isNew: true });
    }
    const placing = this.#placeFiles(spot, prefix, prefix, this.#withoutWhiteouts(all, task.path).files);
    if (placing === undefined) return this.#finishFresh(task);
    return placing.then(() => this.#finishFresh(task));
  }

  #makeFresh(path: string, meta: Checksum): void {
    const inode = this.#inode(path, meta);
    try {
      mkdirAt(this.#destination.root, path, this.#isPlain(inode) ? inode.mode : OWNER_ALL);
    } catch (error) {
      throw wrapSystemError(error, 'Making directory', path);
    }
  }

  #finishFresh({ path, meta }: DirTask): void {
    if (path === '') return; // the caller's, when all is complete
    const { root } = this.#destination;
    const inode = this.#inode(path, meta);
    try {
      if (!this.#isPlain(inode)) this.#withDir(root, path, (fd) => this.#finish(fd, path, inode));
      if (!this.#context.settings.forceCopy) zeroMtimeAt(root, path);
    } catch (error) {
      throw wrapSystemError(error, 'Finishing directory', path);
    }
  }

  /** Tells whether mkdir alone makes a directory look so. */
  #isPlain(inode: Inode): boolean {
    return (inode.mode & OWNER_ALL) === OWNER_ALL && isPlainInode(inode, this.#destination.plainOwner);
  }

  // ---- an existing destination: each directory is opened without following anything ----

  async #placeInto(task: DirTask, all: readonly FileEntry[], dirs: readonly DirEntry[]): Promise<void> {
    const { root, staging } = this.#destination;
    const prefix = task.path === '' ? '' : `${task.path}/`;
    const dir = openBeneath(root, task.path);
    try {
      const spot = { dir, staging: this.#canStage(dir) ? staging : dir };
      const whiteouts = this.#withoutWhiteouts(all, task.path);
      if (whiteouts.isOpaque && !task.isNew) this.#clear(dir);
      for (const name of whiteouts.removed) removeTreeAt(dir, name);
      for (const { name, tree, meta } of dirs) {
        const path = prefix + name;
        if (this.#skip?.has(`/${path}/`) === true) continue;
        const isNew = this.#ensureDir(spot, name, path, meta);
        this.tasks.push({ tree, meta, path, isNew });
      }
      await this.#placeFiles(spot, '', prefix, whiteouts.files);
      if (task.isNew || whiteouts.isOpaque) this.#finishInto(dir, task);
    } catch (error) {
      throw wrapSystemError(error, 'Checking out directory', `/${task.path}`);
    } finally {
      closeFd(dir);
    }
  }

  /** Not where a rename cannot reach, nor where the directory's group is to be inherited. */
  #canStage(dir: number): boolean {
    const inherits = this.#context.settings.userMode && ((statAt(dir, '')?.mode ?? 0) & S_ISGID) !== 0;
    return !inherits && deviceAt(dir, '') === deviceAt(this.#destination.root, '');
  }

  /** Makes a directory complete with its inode, unless there is one; returns whether it did. */
  #ensureDir(spot: Spot, name: string, path: string, meta: Checksum): boolean {
    const existing = statAt(spot.dir, name);
    if (existing !== undefined) {
      if ((existing.mode & S_IFMT) !== S_IFDIR) throw notADirectory(spot.dir, name, path);
      return false;
    }
    const staging = spot.staging ?? spot.dir;
    const temporary = temporaryName();
    mkdirAt(staging, temporary, OWNER_ALL);
    try {
      this.#withDir(staging, temporary, (fd) => this.#begin(fd, this.#inode(path, meta)));
      if (renameNoReplaceAt(staging, temporary, spot.dir, name)) return true;
    } catch (error) {
      rmdirAt(staging, temporary);
      throw error;
    }
    rmdirAt(staging, temporary);
    return this.#ensureDir(spot, name, path, meta); // somebody else made it meanwhile
  }

  /** An opaque directory is as one just made. */
  #clear(dir: number): void {
    emptyDirectory(dir);
    for (const name of listXattrNames(dir)) removeXattr(`/proc/self/fd/${dir}/.`, name.toString());
  }

  #finishInto(dir: number, { path, meta }: DirTask): void {
    this.#finish(dir, path, this.#inode(path, meta));
    if (!this.#context.settings.forceCopy) zeroMtimeAt(dir, '.');
  }

  // ---- both ----

  /** Places files without a promise for each as long as none has to wait. */
  #placeFiles(spot: Spot, namePrefix: string, pathPrefix: string, files: readonly FileEntry[]): void | Promise<void> {
    const rest = files.values();
    const placeNext = ({ name, checksum }: FileEntry): void | Promise<void> => {
      const path = pathPrefix + name;
      if (this.#skip?.has(`/${path}`) === true) return;
      return placeFile(this.#context, spot, namePrefix + name, path, checksum);
    };
    const placeRest = async (first: Promise<void>): Promise<void> => {
      await first;
      for (const file of rest) await placeNext(file);
    };
    for (const file of rest) {
      const placing = placeNext(file);
      if (placing !== undefined) return placeRest(placing);
    }
  }

  #withoutWhiteouts(files: readonly FileEntry[], path: string): ReturnType<typeof splitWhiteouts> {
    if (!this.#context.settings.whiteouts) return { removed: [], isOpaque: false, files };
    const prefix = path === '' ? '/' : `/${path}/`;
    return splitWhiteouts(files, path, (name) => this.#skip?.has(prefix + name) === true);
  }

  #inode(path: string, meta: Checksum): Inode {
    const dirmeta = this.#metadata.dirmeta(meta);
    return dirInode(dirmeta, this.#context.settings, this.#context.labelFor?.(path, dirmeta.mode));
  }

  /** In user mode an inherited set-group-id bit stays until the end, for what is made below; a chmod might drop it. */
  #begin(fd: number, inode: Inode): void {
    const inherits = inode.owner === undefined && ((statAt(fd, '')?.mode ?? 0) & S_ISGID) !== 0;
    if (!inherits) applyInode(fd, usable(inode));
  }

  #finish(fd: number, path: string, inode: Inode): void {
    const now = usable(inode);
    applyInode(fd, now);
    if (now.mode !== inode.mode) this.lateModes.push({ path, mode: inode.mode });
  }

  #withDir(dir: number, name: string, use: (fd: number) => void): void {
    const fd = openDirAt(dir, name);
    if (fd === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
    try {
      use(fd);
    } finally {
      closeFd(fd);
    }
  }
}

/** The inode of a directory as long as things are put below it. */
function usable(inode: Inode): Inode {
  return (inode.mode & OWNER_ALL) === OWNER_ALL ? inode : { ...inode, mode: inode.mode | OWNER_ALL };
}
