/** Which objects, commits and paths hold a content: what `index find` answers. */
import { type Checksum, type ContentDigest, createSha256, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import type { Commit, Dirtree, FileHeader } from '../../format/index.ts';
import { readChunks } from '../../sys/index.ts';
import { listCommits } from '../object-list.ts';
import { loadCommit, loadDirtree, loadFile } from '../object-read.ts';
import { findUses, type MetadataSource, NO_USES, type ObjectUses } from '../object-uses.ts';
import type { Repo } from '../repo.ts';
import { openContentIndex } from './content-index.ts';

/** A file object that holds the content, and where it is used. */
export interface ContentPlace extends ObjectUses {
  readonly object: Checksum;
  readonly header: FileHeader;
  /** Bytes of content. */
  readonly sizeBytes: number;
}

/** Hashes a file on disk. Errors: `path-not-found`, `permission`, `io`. */
export function digestOfPath(path: string): ContentDigest {
  try {
    const hash = createSha256();
    for (const chunk of readChunks(path)) hash.update(chunk);
    return hash.digest().toString('hex') as ContentDigest;
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
}

/** Lists the file objects with this content, sorted by checksum, with the commits and paths that use them. */
export async function findContent(repo: Repo, digest: ContentDigest): Promise<ContentPlace[]> {
  const index = openContentIndex(repo);
  let candidates: Checksum[];
  try {
    candidates = index.find(digest);
  } finally {
    index.close();
  }
  const objects = candidates.flatMap((checksum) => tryLoad(() => ({ checksum, file: loadFile(repo, checksum) })) ?? []);
  const uses = await findUses(
    readableMetadata(repo),
    objects.length === 0 ? [] : listCommits(repo),
    objects.map(({ checksum }) => ({ checksum, type: 'file' as const })),
  );
  return objects.map(({ checksum, file }): ContentPlace => {
    const use = uses.get(`${checksum}.file`) ?? NO_USES;
    return { object: checksum, header: file.header, sizeBytes: file.sizeBytes, ...use };
  });
}

/** What is missing or damaged is passed over: that is for fsck to say. */
function readableMetadata(repo: Repo): MetadataSource {
  return {
    commit: async (checksum): Promise<Commit | undefined> => tryLoad(() => loadCommit(repo, checksum)),
    dirtree: async (checksum): Promise<Dirtree | undefined> => tryLoad(() => loadDirtree(repo, checksum)),
  };
}

function tryLoad<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    if (isHacktreeError(error)) return undefined;
    throw error;
  }
}
