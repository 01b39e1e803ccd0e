/**
 * Everything that commits need, as a table in bounded memory.
 *
 * Trees are verified while they are read: what a damaged directory does not name would be deleted. Where something is
 * missing prune stops, unless the commit is marked as partial.
 */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import type { Commit, ObjectType } from '../../format/index.ts';
import { readCommitState } from '../fsck/marks.ts';
import { type MetadataValues, type VerifiableMetadata, verifyMetadata } from '../fsck/verify-object.ts';
import { missingObject, objectPath } from '../object-read.ts';
import { ObjectTable } from '../object-table.ts';
import type { Repo } from '../repo.ts';

/** Loads verified metadata; undefined when it is missing. Errors: `object-corrupt`. */
export function loadVerified<Type extends VerifiableMetadata>(
  repo: Repo,
  checksum: Checksum,
  type: Type,
): MetadataValues[Type] | undefined {
  const verified = verifyMetadata(repo, checksum, type);
  if (verified.verdict === undefined) return verified.value;
  const { verdict } = verified;
  if (verdict.kind === 'missing') return undefined;
  const found = verdict.kind === 'corrupt' ? `checksum expected='${checksum}' actual='${verdict.actual}'` : verdict.message;
  throw new HacktreeError('object-corrupt', `Corrupted ${type} object ${checksum}: ${found}`, {
    details: { path: objectPath(repo, checksum, type), object: `${checksum}.${type}`, expected: checksum, found },
    hints: [
      'nothing was removed: what this object names cannot be told from rubbish',
      `hacktree fsck --repair --from=REPO --repo=${repo.path} fetches it again`,
    ],
  });
}

/** Collects all objects of the commits. Errors: `object-missing`, `object-corrupt`, `interrupted`. */
export function collectReachable(
  repo: Repo,
  commits: ReadonlySet<Checksum>,
  options: { commitOnly: boolean; visited: (objects: number) => void },
): ObjectTable {
  const table = new ObjectTable();
  for (const checksum of commits) table.add(checksum, 'commit');
  if (options.commitOnly) return table;
  const states = [...commits].map((checksum) => ({ checksum, isWhole: readCommitState(repo, checksum) === 'whole' }));
  // Whole commits first: what only a partial commit lacks is never met by them.
  for (const isWhole of [true, false]) {
    for (const { checksum } of states.filter((state) => state.isWhole === isWhole)) {
      const commit = loadVerified(repo, checksum, 'commit');
      if (commit !== undefined) collectTree(repo, table, commit, !isWhole);
      options.visited(table.count);
    }
  }
  return table;
}

function collectTree(repo: Repo, table: ObjectTable, { rootTree, rootMeta }: Commit, mayLack: boolean): void {
  table.add(rootMeta, 'dirmeta');
  const pending = table.add(rootTree, 'dirtree') ? [rootTree] : [];
  for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
    const dirtree = loadVerified(repo, tree, 'dirtree');
    if (dirtree === undefined) {
      if (mayLack) continue;
      throw missing(repo, tree, 'dirtree');
    }
    for (const { checksum } of dirtree.files) table.add(checksum, 'file');
    for (const dir of dirtree.dirs) {
      table.add(dir.meta, 'dirmeta');
      if (table.add(dir.tree, 'dirtree')) pending.push(dir.tree);
    }
  }
}

function missing(repo: Repo, checksum: Checksum, type: ObjectType): HacktreeError {
  const error = missingObject(repo, checksum, type);
  return new HacktreeError('object-missing', error.message, {
    details: error.details,
    hints: ['nothing was removed: what this object named cannot be told from rubbish', ...error.hints],
  });
}
