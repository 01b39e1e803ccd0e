/**
 * Extended attributes `a(ayay)`: (name with trailing NUL, raw value), sorted by name, no duplicates.
 *
 * Source: ostree-format 3.
 */
import { compareBytes, HacktreeError } from '../core/index.ts';
import { encodeVariant } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';

export interface Xattr {
  /** Name without its trailing NUL. */
  readonly name: Buffer;
  readonly value: Uint8Array;
}

export type Xattrs = readonly Xattr[];

export const NO_XATTRS: Xattrs = [];

/** Sorts by name, as every writer must. */
export function sortXattrs(xattrs: Xattrs): Xattrs {
  return xattrs.length < 2 ? xattrs : [...xattrs].sort((a, b) => compareBytes(a.name, b.name));
}

/** Gives the members for encodeVariant('a(ayay)'). */
export function xattrsToValue(xattrs: Xattrs): readonly (readonly [Uint8Array, Uint8Array])[] {
  return xattrs.map(({ name, value }) => [Buffer.concat([name, Buffer.from([0])]), value]);
}

/**
 * Reads a decoded `a(ayay)`. With `anyOrder` the order is kept as it is: `.filez` files that ostree 2022.7 made from tar
 * input may be unsorted, and the checksum covers that order.
 * Errors: `format-invalid` for an empty, unterminated or duplicate name, and for unsorted ones without `anyOrder`.
 */
export function xattrsFromValue(value: unknown, options: { anyOrder?: boolean } = {}): Xattrs {
  const xattrs = (value as [Uint8Array, Uint8Array][]).map(([raw, data]) => {
    const name = Buffer.from(raw.buffer, raw.byteOffset, raw.length - 1);
    if (raw.length < 2 || raw.at(-1) !== 0 || name.includes(0)) throw bad('name is empty or not NUL-terminated');
    return { name, value: data };
  });
  const sorted = sortXattrs(xattrs);
  sorted.forEach(({ name }, i) => {
    if (i > 0 && sorted[i - 1]?.name.equals(name)) throw bad('duplicate name');
    if (options.anyOrder !== true && xattrs[i]?.name !== name) throw bad('names are not sorted');
  });
  return xattrs;
}

/** Encodes a list as the bytes of a `.file-xattrs` object. */
export function encodeXattrs(xattrs: Xattrs): Buffer {
  return encodeVariant('a(ayay)', xattrsToValue(xattrs));
}

/** Decodes the bytes of a `.file-xattrs` object. Errors: `format-invalid`. */
export function decodeXattrs(bytes: Uint8Array): Xattrs {
  return xattrsFromValue(decodeVariant('a(ayay)', bytes));
}

const bad = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid extended attributes: ${why}`);
