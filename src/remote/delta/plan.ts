/**
 * Plans a static delta: what a client with one commit lacks of another, and how each object is best sent.
 *
 * Pure: it gets what two commits differ in and returns who is sent how. Large new files become fallbacks, which clients fetch as ordinary
 * objects (whole, but resumable and shared with other pulls); files that resemble an old one are compared with it; the
 * rest goes as it is.
 *
 * **Source:** ostree-format 10.2, 10.4.
 */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { isRegularMode, type ObjectName } from '../../format/index.ts';
import { type NamedFile, pairSimilar } from './similar.ts';

export interface InventoryFile extends NamedFile {
  /** With file type bits. */
  readonly mode: number;
  /** Size of the loose object in an archive. */
  readonly archivedBytes: number;
}

/** What two commits differ in. */
export interface CommitDifference {
  /** Metadata objects of the new commit that the old one lacks, the commit object aside. */
  readonly newMetadata: readonly ObjectName[];
  readonly newFiles: readonly InventoryFile[];
  /** Files of the old commit that new ones may have been made from. */
  readonly oldFiles: readonly InventoryFile[];
}

export interface DeltaLimits {
  /** New files of at least this size become fallbacks; 0: none but those that are too large to handle. */
  readonly minFallbackBytes: number;
  /** Files are compared by bsdiff when old and new together have at most this size; 0: never. */
  readonly maxBsdiffBytes: number;
  /** Size of a part's data. */
  readonly maxChunkBytes: number;
}

export const DEFAULT_LIMITS: DeltaLimits = {
  minFallbackBytes: 4_000_000,
  maxBsdiffBytes: 128_000_000,
  maxChunkBytes: 32_000_000,
};

export interface DeltaPlan {
  /** Sorted by type and checksum. */
  readonly metadata: readonly ObjectName[];
  /** New files and the old ones to compare them with. */
  readonly pairs: readonly { readonly file: InventoryFile; readonly source: InventoryFile }[];
  readonly plain: readonly InventoryFile[];
  readonly symlinks: readonly InventoryFile[];
  readonly fallbacks: readonly InventoryFile[];
}

/** Smaller files gain nothing from a comparison: naming the source alone takes 32 bytes that cannot be compressed. */
const MIN_PAIR_BYTES = 256;
/** Larger files cannot be handled in one piece. */
const MAX_PLAIN_BYTES = 2 ** 30;
const OTHERS_MAY_READ = 0o004;

/** Plans the delta. The order of all lists depends on names alone. */
export function planDelta({ newMetadata, newFiles, oldFiles }: CommitDifference, limits: DeltaLimits): DeltaPlan {
  const metadata = [...newMetadata].sort((a, b) => compare(a.type, b.type) || compare(a.checksum, b.checksum));
  const files = [...newFiles].sort(byPlace);
  const regular = files.filter(({ mode }) => isRegularMode(mode));
  const isFallback = ({ sizeBytes }: InventoryFile): boolean =>
    sizeBytes > MAX_PLAIN_BYTES || (limits.minFallbackBytes > 0 && sizeBytes >= limits.minFallbackBytes);
  const sources = readableSources(oldFiles);
  const similar = pairSimilar(regular, [...sources.values()]);
  const pairs: { file: InventoryFile; source: InventoryFile }[] = [];
  const plain: InventoryFile[] = [];
  const fallbacks: InventoryFile[] = [];
  for (const file of regular) {
    const source = sources.get(similar.get(file.checksum)?.checksum as Checksum);
    if (isFallback(file)) fallbacks.push(file);
    else if (source !== undefined && file.sizeBytes >= MIN_PAIR_BYTES) pairs.push({ file, source });
    else plain.push(file);
  }
  return { metadata, pairs, plain, symlinks: files.filter(({ mode }) => !isRegularMode(mode)), fallbacks };
}

/** Old files that every client can read, also one that pulls as a user into a repository of root's. */
function readableSources(files: readonly InventoryFile[]): Map<Checksum, InventoryFile> {
  const readable = files.filter(
    ({ mode, sizeBytes }) =>
      isRegularMode(mode) && (mode & OTHERS_MAY_READ) !== 0 && sizeBytes > 0 && sizeBytes <= MAX_PLAIN_BYTES,
  );
  return new Map(readable.sort((a, b) => compare(a.checksum, b.checksum)).map((file) => [file.checksum, file]));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Files of one directory and kind lie together, which helps compression. */
function byPlace(a: InventoryFile, b: InventoryFile): number {
  return compare(suffixOf(a), suffixOf(b)) || compare(a.paths[0] ?? '', b.paths[0] ?? '') || compare(a.checksum, b.checksum);
}

function suffixOf({ paths: [path = ''] }: InventoryFile): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
}

/** Errors: `usage` for limits that make no sense. */
export function checkLimits(limits: DeltaLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 0) throw new HacktreeError('usage', `Invalid ${name} ${value}`);
  }
  if (limits.maxChunkBytes === 0) throw new HacktreeError('usage', 'Parts of a delta need a size above 0');
}
