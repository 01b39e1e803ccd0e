/**
 * The repository's own summary: writing it (`summary -u`), reading it.
 *
 * It is made from the heads, their commits and the static deltas there are, under the exclusive lock. The order on disk is
 * that of safety for mirrors: the content index first, then an old signature goes, then the summary is replaced, then
 * the new signature comes.
 *
 * Source: ostree-format 9, 10.1; ostree-cli A.1 (`summary`).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { compareUtf8, wrapSystemError } from '../core/index.ts';
import {
  type Dict,
  decodeDict,
  decodeSummary,
  encodeDict,
  encodeSummary,
  lookupString,
  type Summary,
  type SummaryDelta,
  type SummaryRef,
  summaryMetadata,
  summaryRefMetadata,
} from '../format/index.ts';
import {
  listHeads,
  listMirrorRefs,
  loadCommit,
  lockRepo,
  openRepo,
  printRepoMode,
  type RefEntry,
  type Repo,
  readMetadata,
  setConfigValue,
} from '../repo/index.ts';
import { removeFileDurable, writeFileDurable } from '../sys/index.ts';
import { listDeltas, writeDeltaIndexes } from './delta/index.ts';
import { commitMetadataRef } from './metadata-ref.ts';
import { writeMirrorIndex } from './mirror-index/write.ts';

export interface UpdateSummaryOptions {
  /** Metadata beyond the usual. */
  readonly metadata?: Dict;
  /** Signs the summary's bytes: gets the signatures so far, returns those to store. */
  readonly sign?: (bytes: Buffer, signatures: Dict) => Promise<Dict>;
  /** Seconds since 1970 UTC. Default: now. */
  readonly nowSec?: number;
  /** false: no commit to `ostree-metadata`. Default: one, where the repository is a collection. */
  readonly metadataRef?: boolean;
  /** Time of the commit to `ostree-metadata`, seconds since 1970 UTC. Default: now. */
  readonly commitTimeSec?: bigint | undefined;
  /** false: leaves the mirror's content index alone. Default: an archive repository gets one. */
  readonly contentIndex?: boolean;
  readonly onLockWait?: () => void;
}

/** Writes `summary`, and `summary.sig` when it is signed. Errors: `repo-locked`, `object-missing`, system errors. */
export async function updateSummary(given: Repo, options: UpdateSummaryOptions = {}): Promise<Buffer> {
  const repo = openRepo(given.path, given);
  const nowSec = options.nowSec ?? Math.floor(Date.now() / 1000);
  const { metadata = [], commitTimeSec = BigInt(nowSec), sign, onLockWait } = options;
  if (options.metadataRef !== false) await commitMetadataRef(repo, { metadata, timestampSec: commitTimeSec, sign, onLockWait });
  const lock = await lockRepo(repo, 'exclusive', options.onLockWait);
  try {
    if (!repo.config.indexedDeltas) setConfigValue(repo, { group: 'core', key: 'indexed-deltas' }, 'true');
    const deltas = listDeltas(repo);
    writeDeltaIndexes(repo, deltas);
    const bytes = encodeSummary(buildSummary(repo, deltas, { metadata, nowSec }));
    if (options.contentIndex !== false && repo.mode === 'archive') await writeMirrorIndex(repo);
    const signatures = await options.sign?.(bytes, []);
    const sync = repo.config.fsync;
    removeFileDurable(join(repo.path, 'summary.sig'));
    writeFileDurable(join(repo.path, 'summary'), bytes, { sync });
    if (signatures !== undefined) writeFileDurable(join(repo.path, 'summary.sig'), encodeDict(signatures), { sync });
    return bytes;
  } catch (error) {
    throw wrapSystemError(error, 'Writing the summary of', repo.path);
  } finally {
    lock.release();
  }
}

function buildSummary(
  repo: Repo,
  deltas: readonly SummaryDelta[],
  { metadata, nowSec }: { metadata: Dict; nowSec: number },
): Summary {
  const { collectionId, tombstoneCommits, noDeltasInSummary } = repo.config;
  const others = collectionMap(repo);
  return {
    refs: summaryRefs(repo, listHeads(repo)),
    metadata: summaryMetadata(
      {
        staticDeltas: deltas.length === 0 || noDeltasInSummary ? undefined : deltas,
        lastModifiedSec: BigInt(nowSec),
        mode: printRepoMode(repo.mode),
        tombstoneCommits,
        indexedDeltas: true,
        collectionId,
        collectionMap: others.length === 0 ? undefined : others,
      },
      metadata,
    ),
  };
}

function summaryRefs(repo: Repo, refs: readonly RefEntry[]): SummaryRef[] {
  return refs.map(({ ref, checksum }) => {
    const { metadata, timestampSec } = loadCommit(repo, checksum);
    return {
      ref,
      commit: checksum,
      commitBytes: BigInt(readMetadata(repo, checksum, 'commit').length),
      metadata: summaryRefMetadata(lookupString(metadata, 'version'), timestampSec),
    };
  });
}

function collectionMap(repo: Repo): [string, SummaryRef[]][] {
  const refs = listMirrorRefs(repo);
  const ids = [...new Set(refs.flatMap(({ collection }) => collection ?? []))].sort(compareUtf8);
  return ids.map((id) => [
    id,
    summaryRefs(
      repo,
      refs.filter(({ collection }) => collection === id),
    ),
  ]);
}

export interface StoredSummary {
  readonly bytes: Buffer;
  readonly summary: Summary;
  readonly signatures: Dict | undefined;
}

/** Reads the repository's own summary. Errors: `path-not-found` when there is none, `format-invalid`. */
export function readSummary(repo: Repo): StoredSummary {
  const path = join(repo.path, 'summary');
  try {
    const bytes = fs.readFileSync(path);
    const signature = `${path}.sig`;
    const signatures = fs.existsSync(signature) ? decodeDict(fs.readFileSync(signature)) : undefined;
    return { bytes, summary: decodeSummary(bytes), signatures };
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
}
