/**
 * Summaries as text: what `summary` and `remote summary` print, whole, as GVariant text, or one value of the metadata.
 *
 * Source: ostree-format 9; ostree-cli A.1 (`summary`).
 */
import { HacktreeError } from '../core/index.ts';
import {
  decodeSummary,
  decodeVariant,
  lookup,
  lookupString,
  printVariant,
  SUMMARY_TYPE,
  type Summary,
  type SummaryRef,
  summaryFacts,
  summaryRefTimestamp,
  swapVariantBytes,
} from '../format/index.ts';

/** Prints the bytes of a summary in GVariant text format. Errors: `format-invalid`. */
export function printRawSummary(bytes: Uint8Array): string {
  const variant = { type: SUMMARY_TYPE, value: decodeVariant(SUMMARY_TYPE, bytes) };
  return printVariant(swapVariantBytes(variant), true);
}

/** Lists the keys of a summary's metadata, sorted. Errors: `format-invalid`. */
export function summaryKeys(bytes: Uint8Array): string[] {
  return decodeSummary(bytes)
    .metadata.map(([key]) => key)
    .sort();
}

/** Prints one value of a summary's metadata. Errors: `format-invalid`, `metadata-missing`. */
export function printSummaryKey(bytes: Uint8Array, key: string): string {
  const value = lookup(decodeSummary(bytes).metadata, key);
  if (value === undefined)
    throw new HacktreeError('metadata-missing', `No such metadata key '${key}'`, { details: { found: key } });
  return printVariant(swapVariantBytes(value), true);
}

const time = (seconds: bigint): string => `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}+00`;

/** Prints a summary as `summary -v` and `remote summary` do. */
export function printSummary(summary: Summary): string {
  const facts = summaryFacts(summary);
  const own = summary.refs.flatMap((entry) => printRef(entry, facts.collectionId));
  const others = (facts.collectionMap ?? []).flatMap(([id, entries]) => entries.flatMap((entry) => printRef(entry, id)));
  return [...own, ...others, ...summary.metadata.flatMap(([key, value]) => printFact(key, printVariant(value, false), facts))]
    .map((line) => `${line}\n`)
    .join('');
}

function printRef(entry: SummaryRef, collection: string | undefined): string[] {
  const version = lookupString(entry.metadata, 'ostree.commit.version');
  const timestamp = summaryRefTimestamp(entry);
  return [
    collection === undefined ? `* ${entry.ref}` : `* (${collection}, ${entry.ref})`,
    `    Latest Commit (${entry.commitBytes} bytes):`,
    `      ${entry.commit}`,
    ...(version === undefined ? [] : [`    Version (ostree.commit.version): ${version}`]),
    ...(timestamp === undefined ? [] : [`    Timestamp (ostree.commit.timestamp): ${time(timestamp)}`]),
    '',
  ];
}

function printFact(key: string, text: string, facts: ReturnType<typeof summaryFacts>): string[] {
  switch (key) {
    case 'ostree.summary.mode':
      return [`Repository Mode (${key}): ${facts.mode}`];
    case 'ostree.summary.last-modified':
      return [`Last-Modified (${key}): ${time(facts.lastModifiedSec ?? 0n)}`];
    case 'ostree.summary.expires':
      return [`Expires (${key}): ${time(facts.expiresSec ?? 0n)}`];
    case 'ostree.summary.tombstone-commits':
      return [`Has Tombstone Commits (${key}): ${facts.tombstoneCommits === true ? 'Yes' : 'No'}`];
    case 'ostree.summary.collection-id':
      return [`Collection ID (${key}): ${facts.collectionId}`];
    case 'ostree.summary.collection-map':
      return [];
    case 'ostree.static-deltas':
      return [`Static Deltas (${key}): ${text}`];
    default:
      return [`${key}: ${text}`];
  }
}
