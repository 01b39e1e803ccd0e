/**
 * Static deltas as files of a repository: listing and deleting them, and the indexes that name the deltas to a commit.
 *
 * Source: ostree-format 10.1; ostree-cli A.1 (`static-delta`).
 */
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Checksum, compareUtf8, HacktreeError, isChecksum, sha256, wrapSystemError } from '../../core/index.ts';
import {
  checksumFromBase64,
  type DeltaName,
  deltaDirectory,
  deltaIndexPath,
  deltaNameFromDirectory,
  encodeDeltaIndex,
  printDeltaName,
  type SummaryDelta,
} from '../../format/index.ts';
import { lockRepo, type Repo, setConfigValue } from '../../repo/index.ts';
import { ensureDir, removeFileDurable, writeFileDurable } from '../../sys/index.ts';

const SUPERBLOCK = 'superblock';

/** Parses `[FROM-]TO` as the user writes it. Errors: `usage`. */
export function readDeltaName(text: string): DeltaName {
  const dash = text.indexOf('-');
  const from = dash < 0 ? undefined : text.slice(0, dash);
  const to = text.slice(dash + 1);
  for (const part of [from ?? to, to]) {
    if (!isChecksum(part)) {
      throw new HacktreeError('usage', `Invalid rev ${part}`, {
        details: { expected: '[FROM-]TO, whole checksums', found: text },
      });
    }
  }
  return { from: from as Checksum | undefined, to: to as Checksum };
}

/** The file of a delta's superblock. */
export const superblockPath = (repo: Repo, name: DeltaName): string => join(repo.path, deltaDirectory(name), SUPERBLOCK);

/** Tells whether the repository has a delta. */
export const hasDelta = (repo: Repo, name: DeltaName): boolean => fs.existsSync(superblockPath(repo, name));

/** Lists the static deltas in the repository, sorted by name, with the SHA-256 of their superblocks. */
export function listDeltas(repo: Repo): SummaryDelta[] {
  const base = join(repo.path, 'deltas');
  if (!fs.existsSync(base)) return [];
  const found = fs.readdirSync(base).flatMap((prefix) =>
    fs.readdirSync(join(base, prefix)).flatMap((rest): SummaryDelta[] => {
      const name = deltaNameFromDirectory(`deltas/${prefix}/${rest}`);
      if (name === undefined || !hasDelta(repo, name)) return [];
      return [{ name, superblock: sha256(fs.readFileSync(superblockPath(repo, name))).toString('hex') as Checksum }];
    }),
  );
  return found.sort((a, b) => compareUtf8(printDeltaName(a.name), printDeltaName(b.name)));
}

/** Lists the names `[FROM-]TO` of the static deltas, sorted. */
export function listDeltaNames(repo: Repo): string[] {
  return listDeltas(repo).map(({ name }) => printDeltaName(name));
}

/** Deletes a delta, its superblock first, so that no reader finds half of it. Errors: `delta-invalid` when there is none. */
export function deleteDelta(repo: Repo, name: DeltaName): void {
  const text = printDeltaName(name);
  if (!hasDelta(repo, name)) throw new HacktreeError('delta-invalid', `Can't find delta ${text}`, { details: { found: text } });
  const path = superblockPath(repo, name);
  try {
    removeFileDurable(path);
    fs.rmSync(dirname(path), { recursive: true });
  } catch (error) {
    throw wrapSystemError(error, 'Deleting', path);
  }
}

/** Lists the commits to which there is a delta index, sorted. */
export function listDeltaIndexes(repo: Repo): Checksum[] {
  return indexFiles(repo)
    .flatMap((path) => {
      const [, prefix = '', rest] = path.split('/');
      return checksumFromBase64(prefix + (rest ?? '').slice(0, -'.index'.length)) ?? [];
    })
    .sort();
}

export interface ReindexOptions {
  /** Only the index to this commit. */
  readonly to?: Checksum;
  readonly onLockWait?: () => void;
}

/** Writes the delta indexes anew, and tells clients that there are some. Errors: `repo-locked`, system errors. */
export async function reindexDeltas(repo: Repo, { to, onLockWait }: ReindexOptions = {}): Promise<void> {
  const lock = await lockRepo(repo, 'exclusive', onLockWait);
  try {
    if (!repo.config.indexedDeltas) setConfigValue(repo, { group: 'core', key: 'indexed-deltas' }, 'true');
    writeDeltaIndexes(repo, listDeltas(repo), to);
  } catch (error) {
    throw wrapSystemError(error, 'Writing the delta indexes of', repo.path);
  } finally {
    lock.release();
  }
}

/** Writes `delta-indexes/`: one file for each commit that deltas lead to; those of others go. `to` limits it to one. */
export function writeDeltaIndexes(repo: Repo, deltas: readonly SummaryDelta[], to?: Checksum): void {
  const wanted = new Map<string, SummaryDelta[]>();
  for (const delta of deltas) {
    const path = deltaIndexPath(delta.name.to);
    wanted.set(path, [...(wanted.get(path) ?? []), delta]);
  }
  const isMeant = (path: string): boolean => to === undefined || path === deltaIndexPath(to);
  for (const [path, list] of wanted) if (isMeant(path)) writeIndex(repo, path, list);
  for (const path of indexFiles(repo)) if (isMeant(path) && !wanted.has(path)) fs.rmSync(join(repo.path, path));
}

function writeIndex(repo: Repo, path: string, deltas: readonly SummaryDelta[]): void {
  const bytes = encodeDeltaIndex(deltas);
  const full = join(repo.path, path);
  if (fs.existsSync(full) && fs.readFileSync(full).equals(bytes)) return;
  ensureDir(dirname(full));
  writeFileDurable(full, bytes, { sync: repo.config.fsync });
}

/** Paths of the indexes below the repository. */
function indexFiles(repo: Repo): string[] {
  const base = join(repo.path, 'delta-indexes');
  if (!fs.existsSync(base)) return [];
  return fs
    .readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.index'))
    .map((entry) => relative(repo.path, join(entry.parentPath, entry.name)));
}
