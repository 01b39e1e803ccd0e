/**
 * The commit object: metadata in the order that its checksum depends on, parent, texts, time, root.
 *
 * Order: strings, typed values, kept keys, ref binding, collection binding, sizes; a bootable commit's metadata goes
 * through a hash table, in that table's order.
 *
 * Source: ostree-format 1.3, 5.3, 5.4.
 */
import * as fs from 'node:fs';
import { type Checksum, compareUtf8, HacktreeError } from '../../core/index.ts';
import {
  type Dict,
  encodeCommit,
  encodeSizes,
  inHashOrder,
  lookup,
  type ObjectSize,
  SIZES_KEY,
  type Variant,
} from '../../format/index.ts';
import { loadCommit, loadFile, objectPath } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { type TreeDir, walkTree } from '../tree-walk.ts';
import { bootableMetadata } from './bootable.ts';
import type { CommitOptions } from './options.ts';
import type { TreeRef } from './tree-sink.ts';

/** Builds the bytes of the commit object. `view` must show the tree that is committed. */
export function buildCommit(view: Repo, root: TreeRef, parent: Checksum | undefined, options: CommitOptions): Buffer {
  const rootDir: TreeDir = { kind: 'dir', path: '/', name: '', ...root };
  const metadata: (readonly [string, Variant])[] = [
    ...(options.metadataStrings ?? []).map(([key, value]) => [key, { type: 's', value }] as const),
    ...(options.metadata ?? []),
    ...keptMetadata(view, parent, options.keepMetadata ?? []),
    ...bindings(view, options),
  ];
  const ordered = options.bootable === true ? inHashOrder([...metadata, ...bootableMetadata(view, rootDir)]) : metadata;
  const sizes =
    options.generateSizes === true && view.mode === 'archive'
      ? [[SIZES_KEY, encodeSizes(objectSizes(view, rootDir))] as const]
      : [];
  return encodeCommit({
    metadata: [...ordered, ...sizes],
    parent,
    related: [],
    subject: options.subject ?? '',
    body: options.body ?? '',
    timestampSec: options.timestampSec ?? BigInt(Math.floor(Date.now() / 1000)),
    rootTree: root.tree,
    rootMeta: root.meta,
  });
}

function keptMetadata(view: Repo, parent: Checksum | undefined, keys: readonly string[]): Dict {
  if (keys.length === 0) return [];
  if (parent === undefined) {
    throw new HacktreeError('metadata-missing', 'Either --branch or --parent must be specified when using --keep-metadata', {
      details: { expected: 'a parent commit', found: 'none' },
    });
  }
  const { metadata } = loadCommit(view, parent);
  return keys.map((key) => {
    const value = lookup(metadata, key);
    if (value !== undefined) return [key, value] as const;
    throw new HacktreeError('metadata-missing', `Missing metadata key '${key}' from commit '${parent}'`, {
      details: { found: key },
    });
  });
}

function bindings(view: Repo, options: CommitOptions): [string, Variant][] {
  if (options.bindings === false) return [];
  const refs = [...(options.branch === undefined ? [] : [options.branch]), ...(options.bindRefs ?? [])].sort(compareUtf8);
  const result: [string, Variant][] = [['ostree.ref-binding', { type: 'as', value: refs }]];
  const { collectionId } = view.config;
  if (collectionId !== undefined) result.push(['ostree.collection-binding', { type: 's', value: collectionId }]);
  return result;
}

/** Sizes of everything below a directory, itself included, one entry per object, sorted by checksum. */
function objectSizes(view: Repo, root: TreeDir): ObjectSize[] {
  const sizes = new Map<string, ObjectSize>();
  const addMetadata = (checksum: Checksum, type: 'dirtree' | 'dirmeta'): void => {
    if (sizes.has(checksum)) return;
    const { size } = statObject(view, checksum, type);
    sizes.set(checksum, { checksum, archivedBytes: size, unpackedBytes: size, type });
  };
  for (const node of walkTree(view, root)) {
    if (node.kind === 'dir') {
      addMetadata(node.tree, 'dirtree');
      addMetadata(node.meta, 'dirmeta');
    } else if (!sizes.has(node.checksum)) {
      const { diskBytes, sizeBytes, header } = loadFile(view, node.checksum);
      // ostree counts a symlink's target as its content here.
      const unpackedBytes = sizeBytes + Buffer.byteLength(header.target);
      sizes.set(node.checksum, { checksum: node.checksum, archivedBytes: diskBytes, unpackedBytes, type: 'file' });
    }
  }
  return [...sizes.values()].sort((a, b) => (a.checksum < b.checksum ? -1 : 1));
}

function statObject(view: Repo, checksum: Checksum, type: 'dirtree' | 'dirmeta'): fs.Stats {
  for (let at: Repo | undefined = view; at !== undefined; at = at.parent) {
    const stat = fs.lstatSync(objectPath(at, checksum, type), { throwIfNoEntry: false });
    if (stat !== undefined) return stat;
  }
  throw new HacktreeError('object-missing', `No such metadata object ${checksum}.${type}`);
}
