/**
 * Counting objects: what two commits share, and what a commit's `ostree.sizes` says of a pull.
 *
 * Source: ostree-format 5.4; ostree-cli A.1 (`diff --stats`, `show --print-sizes`).
 */
import * as fs from 'node:fs';
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { type ObjectType, SIZES_KEY, sizesOf } from '../../format/index.ts';
import { findObject, hasObject, loadCommit, objectPath } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { rootOf, walkTree } from '../tree-walk.ts';

export interface SharedObjects {
  readonly fromCount: number;
  readonly toCount: number;
  readonly commonCount: number;
  /** As the common objects are stored. */
  readonly commonBytes: number;
}

/** Compares the objects that two commits consist of, the commits themselves included. */
export function countShared(repo: Repo, from: Checksum, to: Checksum): SharedObjects {
  const first = objectsOf(repo, from);
  const second = objectsOf(repo, to);
  const common = [...first].filter(([name]) => second.has(name));
  const commonBytes = common.reduce((sum, [, object]) => sum + storedBytes(repo, object), 0);
  return { fromCount: first.size, toCount: second.size, commonCount: common.length, commonBytes };
}

interface Stored {
  readonly checksum: Checksum;
  readonly type: ObjectType;
}

function objectsOf(repo: Repo, commit: Checksum): Map<string, Stored> {
  const objects = new Map<string, Stored>();
  const add = (checksum: Checksum, type: ObjectType): void => void objects.set(`${checksum}.${type}`, { checksum, type });
  add(commit, 'commit');
  for (const node of walkTree(repo, rootOf(loadCommit(repo, commit)))) {
    if (node.kind === 'file') add(node.checksum, 'file');
    else {
      add(node.tree, 'dirtree');
      add(node.meta, 'dirmeta');
    }
  }
  return objects;
}

function storedBytes(repo: Repo, { checksum, type }: Stored): number {
  const holder = findObject(repo, checksum, type);
  return holder === undefined ? 0 : fs.lstatSync(objectPath(holder, checksum, type)).size;
}

export interface PullSizes {
  readonly totalCount: number;
  readonly neededCount: number;
  readonly archivedBytes: number;
  readonly neededArchivedBytes: number;
  readonly unpackedBytes: number;
  readonly neededUnpackedBytes: number;
}

/** Adds up `ostree.sizes`: all objects, and those not in the repository. Errors: `metadata-missing`, `format-invalid`. */
export function sumSizes(repo: Repo, commit: Checksum): PullSizes {
  const sizes = sizesOf(loadCommit(repo, commit).metadata);
  if (sizes === undefined)
    throw new HacktreeError('metadata-missing', `No metadata key ${SIZES_KEY} in commit`, { details: { found: commit } });
  const needed = sizes.filter(({ checksum, type }) => !isPresent(repo, checksum, type));
  const sum = (list: typeof sizes, key: 'archivedBytes' | 'unpackedBytes'): number =>
    list.reduce((total, entry) => total + entry[key], 0);
  return {
    totalCount: sizes.length,
    neededCount: needed.length,
    archivedBytes: sum(sizes, 'archivedBytes'),
    neededArchivedBytes: sum(needed, 'archivedBytes'),
    unpackedBytes: sum(sizes, 'unpackedBytes'),
    neededUnpackedBytes: sum(needed, 'unpackedBytes'),
  };
}

/** Very old commits do not say the type: then any object of that name will do. */
function isPresent(repo: Repo, checksum: Checksum, type: ObjectType | undefined): boolean {
  if (type !== undefined) return hasObject(repo, checksum, type);
  return (['file', 'dirtree', 'dirmeta'] as const).some((each) => hasObject(repo, checksum, each));
}
