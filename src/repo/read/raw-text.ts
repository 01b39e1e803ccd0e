/**
 * Metadata as GVariant text, for `show` and `log --raw`.
 *
 * `asStored` false reverses the bytes of every number first, since commits and dirmetas store them big-endian; a number in
 * a commit's own metadata, which is little-endian, then reads wrong. That is what ostree prints, and scripts expect it.
 *
 * Source: ostree-format 1.2 (last paragraph); ostree-cli A.1 (`show`).
 */
import * as fs from 'node:fs';
import { type Checksum, HacktreeError, wrapSystemError } from '../../core/index.ts';
import { type Dict, decodeVariant, lookup, printVariant, swapVariantBytes, type Variant } from '../../format/index.ts';
import { decodeObject, hasObject, loadCommit, loadDetachedMetadata } from '../object-read.ts';
import type { Repo } from '../repo.ts';

/** Types of the metadata objects. */
const TYPES = {
  commit: '(a{sv}aya(say)sstayay)',
  dirtree: '(a(say)a(sayay))',
  dirmeta: '(uuua(ayay))',
} as const;

export type RawType = keyof typeof TYPES;

function printed(variant: Variant, asStored: boolean): string {
  return printVariant(asStored ? variant : swapVariantBytes(variant), true);
}

/** Prints a metadata object. Errors: `object-missing`, `object-corrupt`. */
export function printObject(repo: Repo, object: { checksum: Checksum; type: RawType }, options: { asStored: boolean }): string {
  const type = TYPES[object.type];
  const value = decodeObject(repo, object.checksum, object.type, (bytes) => decodeVariant(type, bytes));
  return printed({ type, value }, options.asStored);
}

/** Prints a key of a commit's metadata. Errors: `metadata-missing`. */
export function printMetadataKey(repo: Repo, place: { commit: Checksum; key: string }, options: { asStored: boolean }): string {
  return printKey(loadCommit(repo, place.commit).metadata, place.key, options);
}

/** Prints a key of a commit's detached metadata. Errors: `metadata-missing`. */
export function printDetachedKey(repo: Repo, place: { commit: Checksum; key: string }, options: { asStored: boolean }): string {
  const dict = loadDetachedMetadata(repo, place.commit);
  if (dict === undefined) {
    throw new HacktreeError('metadata-missing', `No detached metadata for commit ${place.commit}`, {
      details: { found: place.commit },
    });
  }
  return printKey(dict, place.key, options);
}

function printKey(dict: Dict, key: string, { asStored }: { asStored: boolean }): string {
  const value = lookup(dict, key);
  if (value !== undefined) return printed(value, asStored);
  throw new HacktreeError('metadata-missing', `No such metadata key '${key}'`, {
    details: { expected: dict.map(([name]) => name).join(', '), found: key },
  });
}

/** Lists the keys of a commit's metadata, or of its detached metadata, in the order of their bytes. */
export function listMetadataKeys(repo: Repo, commit: Checksum, options: { detached: boolean }): string[] {
  const dict = options.detached ? (loadDetachedMetadata(repo, commit) ?? []) : loadCommit(repo, commit).metadata;
  return dict.map(([name]) => name);
}

/** Gives a commit's related objects as name and commit. */
export function listRelated(repo: Repo, commit: Checksum): { name: string; commit: string }[] {
  return loadCommit(repo, commit).related.map(([name, bytes]) => ({ name, commit: Buffer.from(bytes).toString('hex') }));
}

/** Prints a file of a given GVariant type, the bytes of numbers reversed. Errors: `format-invalid`, `path-not-found`, `io`. */
export function printVariantFile(path: string, type: string): string {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(path);
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
  return printed({ type, value: decodeVariant(type, bytes) }, false);
}

/** Tells which kind of object a checksum names: metadata first; whatever is none counts as a file. */
export function findRawType(repo: Repo, checksum: Checksum): RawType | 'file' {
  const types = Object.keys(TYPES) as RawType[];
  return types.find((type) => hasObject(repo, checksum, type)) ?? 'file';
}
