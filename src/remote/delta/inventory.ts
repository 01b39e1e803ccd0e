/**
 * What two commits of a repository differ in, in the terms of the planner.
 *
 * Directories are read whole on both sides; headers of files only where they are needed: for the new ones, and for old
 * ones whose name resembles that of a new one.
 */
import type { Checksum } from '../../core/index.ts';
import type { ObjectName } from '../../format/index.ts';
import { loadCommit, loadFile, type Repo, rootOf, walkTree } from '../../repo/index.ts';
import type { CommitDifference, InventoryFile } from './plan.ts';
import { nameStem } from './similar.ts';

interface Names {
  readonly metadata: Map<Checksum, ObjectName>;
  /** Paths of each file object. */
  readonly files: Map<Checksum, string[]>;
}

/** Compares two commits; without `from` everything is new. Errors: `object-missing`, `object-corrupt`. */
export function compareCommits(repo: Repo, from: Checksum | undefined, to: Checksum): CommitDifference {
  const before: Names = from === undefined ? { metadata: new Map(), files: new Map() } : takeNames(repo, from);
  const after = takeNames(repo, to);
  const newFiles = [...after.files].filter(([checksum]) => !before.files.has(checksum));
  const stems = new Set(newFiles.flatMap(([, paths]) => paths.map(nameStem)));
  const oldFiles = [...before.files].filter(([, paths]) => paths.some((path) => stems.has(nameStem(path))));
  return {
    newMetadata: [...after.metadata.values()].filter(({ checksum }) => !before.metadata.has(checksum)),
    newFiles: newFiles.map((entry) => describe(repo, entry)),
    oldFiles: oldFiles.map((entry) => describe(repo, entry)),
  };
}

function takeNames(repo: Repo, commit: Checksum): Names {
  const metadata = new Map<Checksum, ObjectName>();
  const files = new Map<Checksum, string[]>();
  for (const node of walkTree(repo, rootOf(loadCommit(repo, commit)))) {
    if (node.kind === 'dir') {
      metadata.set(node.tree, { checksum: node.tree, type: 'dirtree' });
      metadata.set(node.meta, { checksum: node.meta, type: 'dirmeta' });
    } else {
      const paths = files.get(node.checksum);
      if (paths === undefined) files.set(node.checksum, [node.path]);
      else paths.push(node.path);
    }
  }
  return { metadata, files };
}

function describe(repo: Repo, [checksum, paths]: [Checksum, string[]]): InventoryFile {
  const { header, sizeBytes, diskBytes } = loadFile(repo, checksum);
  return { checksum, paths, sizeBytes, mode: header.mode, archivedBytes: diskBytes };
}
