/**
 * Layering trees: entries of the later tree win, directories that both have are merged. Only directories that differ
 * are read; content is never touched.
 */
import { compareUtf8, HacktreeError } from '../../core/index.ts';
import type { DirEntry, FileEntry } from '../../format/index.ts';
import type { TreeRef, TreeSink } from './tree-sink.ts';

/** Lays `upper` over `lower`. Errors: `path-not-found` kind conflicts (a file where the other has a directory). */
export function mergeTrees(sink: TreeSink, lower: TreeRef, upper: TreeRef): TreeRef {
  if (lower.tree === upper.tree) return upper;
  const below = sink.readDirtree(lower.tree);
  const above = sink.readDirtree(upper.tree);
  const files = new Map<string, FileEntry>(below.files.map((file) => [file.name, file]));
  const dirs = new Map<string, DirEntry>(below.dirs.map((dir) => [dir.name, dir]));
  for (const file of above.files) {
    if (dirs.has(file.name)) throw conflict(`Can't replace directory with file: ${file.name}`);
    files.set(file.name, file);
  }
  for (const dir of above.dirs) {
    if (files.has(dir.name)) throw conflict(`Can't replace file with directory: ${dir.name}`);
    const old = dirs.get(dir.name);
    dirs.set(dir.name, old === undefined ? dir : { name: dir.name, ...mergeTrees(sink, old, dir) });
  }
  const byName = (a: { name: string }, b: { name: string }): number => compareUtf8(a.name, b.name);
  const tree = sink.addDirtree({ files: [...files.values()].sort(byName), dirs: [...dirs.values()].sort(byName) });
  return { tree, meta: upper.meta };
}

function conflict(message: string): HacktreeError {
  return new HacktreeError('checkout-exists', message, {
    hints: ['trees given with several --tree options must agree on what is a directory'],
  });
}
