/**
 * A commit as a tar stream, from which the same objects come out again.
 *
 * Members are in the order of the tree, with the commit's time. The same content is written each time it appears; there
 * are no hard links.
 *
 * Source: ostree-cli A.1 (`export`).
 */
import type { Checksum } from '../../core/index.ts';
import { contentChunks } from '../content.ts';
import { loadCommit, loadFile } from '../object-read.ts';
import type { Repo } from '../repo.ts';
import { TAR_END, tarHeader, tarPadding } from '../tar/tar-write.ts';
import { lookupPath, type TreeNode, walkTree } from '../tree-walk.ts';
import { describeNode } from './tree-entry.ts';

export interface ExportOptions {
  readonly noXattrs?: boolean;
  /** Directory of the tree that becomes the root, or a single file. */
  readonly subpath?: string | undefined;
  /** Put before every name as it is. */
  readonly prefix?: string | undefined;
}

/** Yields the stream. Errors: `path-not-found`, `object-missing`, `object-corrupt`, `io`. */
export async function* exportTar(repo: Repo, commit: Checksum, options: ExportOptions = {}): AsyncGenerator<Uint8Array> {
  const loaded = loadCommit(repo, commit);
  const start = lookupPath(repo, loaded, options.subpath ?? '/');
  const mtimeSec = Number(loaded.timestampSec);
  for (const node of start.kind === 'dir' ? walkTree(repo, start) : [start]) {
    const entry = describeNode(repo, node);
    const name = memberName(node, start, options.prefix ?? '');
    yield tarHeader({ ...entry, name, mtimeSec, xattrs: options.noXattrs === true ? [] : entry.xattrs });
    if (node.kind === 'dir' || entry.type !== 'file') continue;
    yield* contentChunks(loadFile(repo, node.checksum));
    yield tarPadding(entry.sizeBytes);
  }
  yield TAR_END;
}

/** A directory's name ends in a slash; the root's is `./` when there is no prefix. */
function memberName(node: TreeNode, start: TreeNode, prefix: string): string {
  const base = start.kind === 'file' || start.path === '/' ? '' : start.path;
  const below = start.kind === 'file' ? start.name : node.path.slice(base.length + 1);
  const name = `${prefix}${below}` || '.';
  return node.kind === 'dir' && !name.endsWith('/') ? `${name}/` : name;
}
