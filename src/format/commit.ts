/**
 * Commit `(a{sv}aya(say)sstayay)`: metadata, parent, related objects (always empty), subject, body, time (seconds
 * since 1970 UTC, big-endian), root dirtree, root dirmeta.
 *
 * Source: ostree-format 5.3, 5.5 (detached metadata).
 */
import { type Checksum, checksumFromBytes, checksumToBytes, EMPTY_BYTES, HacktreeError, sha256, swap64 } from '../core/index.ts';
import { type Dict, encodeVariant, type GValue, lookup } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';

export const COMMIT_TYPE = '(a{sv}aya(say)sstayay)';

export interface Commit {
  readonly metadata: Dict;
  readonly parent: Checksum | undefined;
  /** Always empty in practice; kept so that decode(encode(x)) = x. */
  readonly related: readonly (readonly [string, Uint8Array])[];
  readonly subject: string;
  readonly body: string;
  /** Seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  readonly rootTree: Checksum;
  readonly rootMeta: Checksum;
}

type RawCommit = [Dict, Uint8Array, [string, Uint8Array][], string, string, bigint, Uint8Array, Uint8Array];

export function encodeCommit(commit: Commit): Buffer {
  return encodeVariant(COMMIT_TYPE, commitToValue(commit));
}

/** Decodes a commit. Errors: `format-invalid`. */
export function decodeCommit(bytes: Uint8Array): Commit {
  return commitFromValue(decodeVariant(COMMIT_TYPE, bytes));
}

/** Gives a commit as the value of COMMIT_TYPE, for static deltas, which contain one. */
export function commitToValue(commit: Commit): GValue {
  return [
    commit.metadata,
    commit.parent === undefined ? EMPTY_BYTES : checksumToBytes(commit.parent),
    commit.related,
    commit.subject,
    commit.body,
    swap64(commit.timestampSec),
    checksumToBytes(commit.rootTree),
    checksumToBytes(commit.rootMeta),
  ];
}

/** Reads a decoded value of COMMIT_TYPE. Errors: `format-invalid`. */
export function commitFromValue(value: GValue): Commit {
  const [metadata, parent, related, subject, body, timestamp, rootTree, rootMeta] = value as RawCommit;
  return {
    metadata,
    parent: parent.length === 0 ? undefined : checksumFromBytes(parent),
    related,
    subject,
    body,
    timestampSec: swap64(timestamp),
    rootTree: checksumFromBytes(rootTree),
    rootMeta: checksumFromBytes(rootMeta),
  };
}

/** Encodes an `a{sv}`: detached metadata, tombstones, summary signatures. */
export function encodeDict(dict: Dict): Buffer {
  return encodeVariant('a{sv}', dict);
}

/** Decodes an `a{sv}`. Errors: `format-invalid`. */
export function decodeDict(bytes: Uint8Array): Dict {
  return decodeVariant('a{sv}', bytes) as Dict;
}

/** Returns a string value of a dictionary; undefined when missing. Errors: `format-invalid` when of another type. */
export function lookupString(dict: Dict, key: string): string | undefined {
  const variant = lookup(dict, key);
  if (variant === undefined) return undefined;
  if (variant.type === 's') return variant.value as string;
  throw new HacktreeError('format-invalid', `Metadata key '${key}' has type ${variant.type}, expected s`, {
    details: { expected: 's', found: variant.type },
  });
}

/** The ContentChecksum of `show` and `log`: SHA-256(dirtree checksum ++ dirmeta checksum), both raw. */
export function contentChecksum(commit: Commit): Checksum {
  const both = Buffer.concat([checksumToBytes(commit.rootTree), checksumToBytes(commit.rootMeta)]);
  return sha256(both).toString('hex') as Checksum;
}

/** The tombstone of a deleted commit: its own name as 64 hex digits and a NUL. */
export function encodeTombstone(commit: Checksum): Buffer {
  return encodeDict([['commit', { type: 'ay', value: Buffer.from(`${commit}\0`, 'latin1') }]]);
}
