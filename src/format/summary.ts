/**
 * The summary `(a(s(taya{sv}))a{sv})`: what a mirror offers in one file, refs with their commits and facts about the
 * repository. Beside it stand `summary.sig` (an `a{sv}` of signatures over its bytes) and the delta indexes.
 *
 * Refs are sorted by name, since clients search by halves. The commit size is in host order (little-endian); every time
 * is big-endian. The dictionaries come out of a GLib hash table, so they are written in its order.
 *
 * Source: ostree-format 9, 10.1 (index), 1.2 and 1.3 (byte order, order of keys).
 */
import {
  type Checksum,
  checksumFromBytes,
  checksumToBytes,
  compareUtf8,
  HacktreeError,
  isRefName,
  swap64,
} from '../core/index.ts';
import { decodeDict, encodeDict } from './commit.ts';
import { type DeltaName, parseDeltaName, printDeltaName } from './delta-names.ts';
import { type Dict, encodeVariant, type GValue, lookup, type Variant } from './gvariant.ts';
import { decodeVariant } from './gvariant-decode.ts';
import { inHashOrder } from './hash-order.ts';

export const SUMMARY_TYPE = '(a(s(taya{sv}))a{sv})';
const COLLECTION_MAP_TYPE = 'a{sa(s(taya{sv}))}';

export interface SummaryRef {
  readonly ref: string;
  readonly commit: Checksum;
  /** Size of the commit object. */
  readonly commitBytes: bigint;
  readonly metadata: Dict;
}

export interface Summary {
  /** Sorted by name. */
  readonly refs: readonly SummaryRef[];
  readonly metadata: Dict;
}

/** A delta and the SHA-256 of its superblock file. */
export interface SummaryDelta {
  readonly name: DeltaName;
  readonly superblock: Checksum;
}

/** The metadata that ostree gives a meaning, typed. */
export interface SummaryFacts {
  readonly staticDeltas?: readonly SummaryDelta[] | undefined;
  /** Seconds since 1970 UTC. */
  readonly lastModifiedSec?: bigint | undefined;
  /** Seconds since 1970 UTC. */
  readonly expiresSec?: bigint | undefined;
  /** Repository mode as in its config, for example `archive-z2`. */
  readonly mode?: string | undefined;
  readonly tombstoneCommits?: boolean | undefined;
  readonly indexedDeltas?: boolean | undefined;
  readonly collectionId?: string | undefined;
  /** Refs of other collections, sorted by collection ID. */
  readonly collectionMap?: readonly (readonly [string, readonly SummaryRef[]])[] | undefined;
}

type RawRef = readonly [string, readonly [bigint, Uint8Array, Dict]];

/** Encodes a summary; its metadata must be in the order wanted (see summaryMetadata). */
export function encodeSummary({ refs, metadata }: Summary): Buffer {
  return encodeVariant(SUMMARY_TYPE, [refs.map(refToValue), metadata]);
}

/** Decodes a summary. Errors: `format-invalid`, also for unsorted, duplicate or invalid ref names. */
export function decodeSummary(bytes: Uint8Array): Summary {
  const [refs, metadata] = decodeVariant(SUMMARY_TYPE, bytes) as [RawRef[], Dict];
  return { refs: refsFromValue(refs), metadata };
}

function refToValue({ ref, commit, commitBytes, metadata }: SummaryRef): GValue {
  return [ref, [commitBytes, checksumToBytes(commit), metadata]];
}

function refsFromValue(raw: readonly RawRef[]): SummaryRef[] {
  return raw.map(([ref, [commitBytes, commit, metadata]], i) => {
    if (!isRefName(ref)) throw invalid(`ref name '${ref.slice(0, 80)}'`);
    if (i > 0 && compareUtf8(raw[i - 1]?.[0] ?? '', ref) >= 0) throw invalid(`refs are not sorted or not unique at '${ref}'`);
    return { ref, commit: checksumFromBytes(commit), commitBytes, metadata };
  });
}

/** The metadata of a ref as ostree writes it: the commit's version, if any, and its time. */
export function summaryRefMetadata(version: string | undefined, timestampSec: bigint): Dict {
  const given: [string, Variant][] = [['ostree.commit.timestamp', { type: 't', value: swap64(timestampSec) }]];
  if (version !== undefined) given.unshift(['ostree.commit.version', { type: 's', value: version }]);
  return inHashOrder(given);
}

/** Commit time of a ref in seconds since 1970 UTC; undefined when the summary does not say. Errors: `format-invalid`. */
export function summaryRefTimestamp({ metadata }: SummaryRef): bigint | undefined {
  return readTime(metadata, 'ostree.commit.timestamp');
}

/** Builds the summary's metadata: `given` keys and facts, in the order that ostree's hash table gives them. */
export function summaryMetadata(facts: SummaryFacts, given: Dict = []): Dict {
  const pairs: [string, Variant][] = given.map(([key, value]) => [key, value]);
  const add = (key: string, type: string, value: GValue) => {
    if (value !== undefined) pairs.push([key, { type, value }]);
  };
  add('ostree.static-deltas', 'a{sv}', facts.staticDeltas && deltasToDict(facts.staticDeltas));
  add('ostree.summary.last-modified', 't', facts.lastModifiedSec === undefined ? undefined : swap64(facts.lastModifiedSec));
  add('ostree.summary.mode', 's', facts.mode);
  add('ostree.summary.tombstone-commits', 'b', facts.tombstoneCommits);
  add('ostree.summary.indexed-deltas', 'b', facts.indexedDeltas);
  add('ostree.summary.collection-id', 's', facts.collectionId);
  add(
    'ostree.summary.collection-map',
    COLLECTION_MAP_TYPE,
    facts.collectionMap?.map(([id, refs]) => [id, refs.map(refToValue)]),
  );
  add('ostree.summary.expires', 't', facts.expiresSec === undefined ? undefined : swap64(facts.expiresSec));
  return inHashOrder(pairs);
}

/** Reads the facts of a summary's metadata; what is missing is undefined. Errors: `format-invalid`. */
export function summaryFacts({ metadata }: Summary): SummaryFacts {
  const deltas = read(metadata, 'ostree.static-deltas', 'a{sv}') as Dict | undefined;
  const map = read(metadata, 'ostree.summary.collection-map', COLLECTION_MAP_TYPE) as [string, RawRef[]][] | undefined;
  return {
    staticDeltas: deltas && deltasFromDict(deltas),
    lastModifiedSec: readTime(metadata, 'ostree.summary.last-modified'),
    expiresSec: readTime(metadata, 'ostree.summary.expires'),
    mode: read(metadata, 'ostree.summary.mode', 's') as string | undefined,
    tombstoneCommits: read(metadata, 'ostree.summary.tombstone-commits', 'b') as boolean | undefined,
    indexedDeltas: read(metadata, 'ostree.summary.indexed-deltas', 'b') as boolean | undefined,
    collectionId: read(metadata, 'ostree.summary.collection-id', 's') as string | undefined,
    collectionMap: map?.map(([id, refs]) => [id, refsFromValue(refs)] as const),
  };
}

/** Encodes the index of all deltas to one commit, `a{sv}` { `ostree.static-deltas` }. */
export function encodeDeltaIndex(deltas: readonly SummaryDelta[]): Buffer {
  return encodeDict([['ostree.static-deltas', { type: 'a{sv}', value: deltasToDict(deltas) }]]);
}

/** Decodes a delta index; an index without deltas is empty. Errors: `format-invalid`. */
export function decodeDeltaIndex(bytes: Uint8Array): SummaryDelta[] {
  const deltas = read(decodeDict(bytes), 'ostree.static-deltas', 'a{sv}') as Dict | undefined;
  return deltas === undefined ? [] : deltasFromDict(deltas);
}

function deltasToDict(deltas: readonly SummaryDelta[]): Dict {
  const pairs = deltas.map(
    ({ name, superblock }) => [printDeltaName(name), { type: 'ay', value: checksumToBytes(superblock) }] as const,
  );
  return inHashOrder<Variant>(pairs);
}

function deltasFromDict(dict: Dict): SummaryDelta[] {
  return dict.map(([name, { type, value }]) => {
    if (type !== 'ay') throw invalid(`delta '${name.slice(0, 140)}' has type ${type}, expected ay`);
    return { name: parseDeltaName(name), superblock: checksumFromBytes(value as Uint8Array) };
  });
}

function read(dict: Dict, key: string, type: string): GValue {
  const variant = lookup(dict, key);
  if (variant !== undefined && variant.type !== type) throw invalid(`'${key}' has type ${variant.type}, expected ${type}`);
  return variant?.value;
}

function readTime(dict: Dict, key: string): bigint | undefined {
  const value = read(dict, key, 't') as bigint | undefined;
  return value === undefined ? undefined : swap64(value);
}

const invalid = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid summary: ${why}`);
