/**
 * Which old file a new one was probably made from: by name first, then by size.
 *
 * Old files are looked up by the same path, by the same name elsewhere, and by the same name but for its digits
 * (`libfoo.so.1.2.3`, `vmlinuz-6.1.0`). Among those within 30 % of the size, the path that shares most of its
 * directories wins, then the nearest size.
 *
 * **Source:** ostree-format 10.4.
 */
import type { Checksum } from '../../core/index.ts';

/** A regular file object with the paths under which a tree has it. */
export interface NamedFile {
  readonly checksum: Checksum;
  readonly sizeBytes: number;
  readonly paths: readonly string[];
}

/** Sizes may differ by this part of the new one. */
const SIZE_TOLERANCE = 0.3;
/** Candidates of one name that are looked at; `__init__.py` has thousands. */
const MAX_CANDIDATES = 64;

/** For each new file that has one, the old file to compare it with. */
export function pairSimilar(newFiles: readonly NamedFile[], oldFiles: readonly NamedFile[]): Map<Checksum, NamedFile> {
  const names = new Index(oldFiles, baseName);
  const stems = new Index(oldFiles, nameStem);
  const pairs = new Map<Checksum, NamedFile>();
  for (const file of newFiles) {
    const best = bestOf(file, names.find(file)) ?? bestOf(file, stems.find(file));
    if (best !== undefined) pairs.set(file.checksum, best);
  }
  return pairs;
}

interface Candidate {
  readonly file: NamedFile;
  readonly path: string;
}

/** Old files by a key of their paths, each list sorted by size. */
class Index {
  readonly #keyOf: (path: string) => string;
  readonly #lists = new Map<string, Candidate[]>();

  constructor(files: readonly NamedFile[], keyOf: (path: string) => string) {
    this.#keyOf = keyOf;
    for (const file of files) {
      for (const path of file.paths) {
        const list = this.#lists.get(keyOf(path));
        if (list === undefined) this.#lists.set(keyOf(path), [{ file, path }]);
        else list.push({ file, path });
      }
    }
    for (const list of this.#lists.values()) list.sort((a, b) => a.file.sizeBytes - b.file.sizeBytes);
  }

  /** Candidates for a new file, those of the nearest size, each with the path that asked for it. */
  find(file: NamedFile): { candidate: Candidate; wanted: string }[] {
    return file.paths.slice(0, MAX_CANDIDATES).flatMap((wanted) => {
      const list = this.#lists.get(this.#keyOf(wanted)) ?? [];
      return nearest(list, file.sizeBytes).map((candidate) => ({ candidate, wanted }));
    });
  }
}

/** Cuts the part of a sorted list around a size. */
function nearest(list: readonly Candidate[], sizeBytes: number): readonly Candidate[] {
  if (list.length <= MAX_CANDIDATES) return list;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.file.sizeBytes ?? 0) < sizeBytes) low = middle + 1;
    else high = middle;
  }
  const start = Math.max(0, Math.min(low - MAX_CANDIDATES / 2, list.length - MAX_CANDIDATES));
  return list.slice(start, start + MAX_CANDIDATES);
}

function bestOf(file: NamedFile, found: readonly { candidate: Candidate; wanted: string }[]): NamedFile | undefined {
  let best: NamedFile | undefined;
  let bestShared = -1;
  let bestDistance = 0;
  for (const { candidate, wanted } of found) {
    const distance = Math.abs(candidate.file.sizeBytes - file.sizeBytes);
    if (distance > file.sizeBytes * SIZE_TOLERANCE) continue;
    const shared = sharedEnds(candidate.path, wanted);
    if (shared < bestShared || (shared === bestShared && distance >= bestDistance)) continue;
    best = candidate.file;
    bestShared = shared;
    bestDistance = distance;
  }
  return best;
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A file's name without what changes from version to version. */
export const nameStem = (path: string): string => baseName(path).replace(/\d+/g, '#');

/** Counts the path components that agree at the beginning and at the end. */
function sharedEnds(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  const most = Math.min(left.length, right.length);
  let head = 0;
  while (head < most && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < most - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  return head + tail;
}
