/**
 * The ref `ostree-metadata` of a collection: an empty commit whose metadata are what the summary says beyond the usual.
 *
 * Clients that find refs by collection get these facts with signature and history, where a summary has neither.
 *
 * Source: ostree-format 7 (`ostree-metadata`), 9.
 */
import { type Dict, encodeCommit, encodeDirtree, encodeInodeMeta, inHashOrder, type Variant } from '../format/index.ts';
import { beginTransaction, type Repo, readRef } from '../repo/index.ts';

const METADATA_REF = 'ostree-metadata';
const ROOT = { uid: 0, gid: 0, mode: 0o40755, xattrs: [] };

export interface MetadataRefOptions {
  readonly metadata: Dict;
  /** Seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  readonly sign?: ((bytes: Buffer, signatures: Dict) => Promise<Dict>) | undefined;
  readonly onLockWait?: (() => void) | undefined;
}

/** Writes the next commit of the ref, where the repository is a collection. Errors: `repo-locked`, `no-space`, system errors. */
export async function commitMetadataRef(repo: Repo, options: MetadataRefOptions): Promise<void> {
  const { collectionId } = repo.config;
  if (collectionId === undefined) return;
  const { onLockWait } = options;
  const transaction = await beginTransaction(repo, onLockWait === undefined ? {} : { onLockWait });
  try {
    const { writer } = transaction;
    const bindings: [string, Variant][] = [
      ['ostree.ref-binding', { type: 'as', value: [METADATA_REF] }],
      ['ostree.collection-binding', { type: 's', value: collectionId }],
    ];
    const bytes = encodeCommit({
      metadata: inHashOrder([...options.metadata, ...bindings]),
      parent: readRef(repo, { ref: METADATA_REF }),
      related: [],
      subject: '',
      body: '',
      timestampSec: options.timestampSec,
      rootTree: writer.writeMetadata('dirtree', encodeDirtree({ files: [], dirs: [] })),
      rootMeta: writer.writeMetadata('dirmeta', encodeInodeMeta(ROOT)),
    });
    const commit = writer.writeMetadata('commit', bytes);
    const signatures = await options.sign?.(bytes, []);
    if (signatures !== undefined) writer.writeDetached(commit, signatures);
    transaction.setRef({ ref: METADATA_REF }, commit);
    await transaction.commit();
  } catch (error) {
    transaction.abort();
    throw error;
  }
}
