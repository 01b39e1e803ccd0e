/**
 * All commits, directories and files of a repository as a graph of numbered nodes, each object once, with its size.
 *
 * Reading and measuring happens once; who needs what is then asked by walking numbers, so a thousand commits cost
 * little more than one.
 */
import * as fs from 'node:fs';
import { type Checksum, isHacktreeError } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';
import { loadCommit, loadDirtree, objectPath } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import type { Usage } from './report.ts';

export type NodeId = number;

const NO_CHILDREN = new Uint32Array(0);

export class ObjectGraph {
  readonly #repo: Repo;
  /** Type -> checksum -> node. */
  readonly #ids = new Map<ObjectType, Map<Checksum, NodeId>>();
  readonly #children: Uint32Array[] = [];
  readonly #apparent: number[] = [];
  /** Bytes of allocated blocks; -1 for an object that is not here. */
  readonly #disk: number[] = [];
  #visits = new Uint32Array(0);
  #visit = 0;

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  get size(): number {
    return this.#children.length;
  }

  /** Adds a commit with all it needs; returns its node. Errors: `object-corrupt` and the like. */
  addCommit(checksum: Checksum): NodeId {
    const known = this.#idOf(checksum, 'commit');
    if (known !== undefined) return known;
    const id = this.#add(checksum, 'commit');
    const { rootTree, rootMeta } = loadCommit(this.#repo, checksum);
    const tree = this.#addOnce(rootTree, 'dirtree');
    this.#children[id] = Uint32Array.of(tree.id, this.#addOnce(rootMeta, 'dirmeta').id);
    if (tree.isNew) this.#addTree(rootTree, tree.id);
    return id;
  }

  /** Node of an object; undefined when no commit needs it. */
  find(checksum: Checksum, type: ObjectType): NodeId | undefined {
    return this.#idOf(checksum, type);
  }

  isMissing(node: NodeId): boolean {
    return this.#disk[node] === -1;
  }

  /** Calls back with every node that can be reached from the given ones, each once. */
  walk(from: Iterable<NodeId>, visit: (node: NodeId) => void): void {
    if (this.#visits.length < this.size) this.#visits = new Uint32Array(this.size);
    this.#visit++;
    const stack = [...from];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (this.#visits[node] === this.#visit) continue;
      this.#visits[node] = this.#visit;
      visit(node);
      for (const child of this.#children[node] as Uint32Array) if (this.#visits[child] !== this.#visit) stack.push(child);
    }
  }

  /** Adds a node's size to a sum. */
  count(node: NodeId, sum: UsageSum): void {
    if (!this.isMissing(node)) sum.add(this.#apparent[node] as number, this.#disk[node] as number);
  }

  #addTree(root: Checksum, rootId: NodeId): void {
    const pending = [{ checksum: root, id: rootId }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { id, checksum } = next;
      if (this.isMissing(id)) continue;
      const { files, dirs } = loadDirtree(this.#repo, checksum);
      const children = new Uint32Array(files.length + 2 * dirs.length);
      let at = 0;
      for (const file of files) children[at++] = this.#addOnce(file.checksum, 'file').id;
      for (const dir of dirs) {
        const tree = this.#addOnce(dir.tree, 'dirtree');
        if (tree.isNew) pending.push({ checksum: dir.tree, id: tree.id });
        children[at++] = tree.id;
        children[at++] = this.#addOnce(dir.meta, 'dirmeta').id;
      }
      this.#children[id] = children;
    }
  }

  #idOf(checksum: Checksum, type: ObjectType): NodeId | undefined {
    return this.#ids.get(type)?.get(checksum);
  }

  #addOnce(checksum: Checksum, type: ObjectType): { id: NodeId; isNew: boolean } {
    const known = this.#idOf(checksum, type);
    return known === undefined ? { id: this.#add(checksum, type), isNew: true } : { id: known, isNew: false };
  }

  #add(checksum: Checksum, type: ObjectType): NodeId {
    const id = this.size;
    let ids = this.#ids.get(type);
    if (ids === undefined) {
      ids = new Map();
      this.#ids.set(type, ids);
    }
    ids.set(checksum, id);
    const stat = fs.lstatSync(objectPath(this.#repo, checksum, type), { throwIfNoEntry: false });
    this.#children.push(NO_CHILDREN);
    this.#apparent.push(stat?.size ?? 0);
    this.#disk.push(stat === undefined ? -1 : stat.blocks * 512);
    return id;
  }
}

/** A sum of sizes. */
export class UsageSum implements Usage {
  objects = 0;
  apparentBytes = 0;
  diskBytes = 0;

  add(apparentBytes: number, diskBytes: number): void {
    this.objects++;
    this.apparentBytes += apparentBytes;
    this.diskBytes += diskBytes;
  }

  /** What is left of this after another is taken away, as plain data. */
  minus(other: Usage): Usage {
    return {
      objects: this.objects - other.objects,
      apparentBytes: this.apparentBytes - other.apparentBytes,
      diskBytes: this.diskBytes - other.diskBytes,
    };
  }

  toUsage(): Usage {
    return { objects: this.objects, apparentBytes: this.apparentBytes, diskBytes: this.diskBytes };
  }
}

/** Tells which commits can be read; others have no tree to measure. */
export function isReadableCommit(repo: Repo, checksum: Checksum): boolean {
  try {
    loadCommit(repo, checksum);
    return true;
  } catch (error) {
    if (isHacktreeError(error)) return false;
    throw error;
  }
}
