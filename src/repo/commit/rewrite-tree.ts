/**
 * Applies modifiers to the tree of a commit (`--tree=ref=` together with owners, modes, skips). Directories and files
 * whose metadata stays the same are taken over unread; for the others the content is stored again under its new header.
 */
import { type Checksum, compareBytes } from '../../core/index.ts';
import type { DirEntry, FileEntry } from '../../format/index.ts';
import { contentChunks, readContent, WHOLE_BUFFER_BYTES } from '../content.ts';
import { type FileObject, loadFile } from '../object-read.ts';
import type { Transaction } from '../transaction.ts';
import { joinTreePath } from '../tree-walk.ts';
import { openLabels } from './labels.ts';
import { type InodeFields, type Modifiers, modifyInode } from './modifiers.ts';
import type { TreeRef, TreeSink } from './tree-sink.ts';

export async function rewriteTree(
  transaction: Transaction,
  sink: TreeSink,
  root: TreeRef,
  modifiers: Modifiers,
  matched: Set<string>,
): Promise<TreeRef> {
  const labelFor = openLabels(modifiers.selinuxPolicy);
  const overrideOf = (path: string): ReturnType<Modifiers['overrides']['get']> => {
    const override = modifiers.overrides.get(path);
    if (override !== undefined) matched.add(path);
    return override;
  };
  const skipped = (path: string): boolean => {
    const skip = modifiers.skip.has(path);
    if (skip) matched.add(path);
    return skip;
  };
  const rewriteFile = async (checksum: Checksum, path: string): Promise<Checksum> => {
    const file = loadFile(transaction.view, checksum);
    const header = modifyInode(file.header, modifiers, { override: overrideOf(path), label: labelFor?.(path, file.header.mode) });
    return isSame(header, file.header) ? checksum : store(transaction, file, header);
  };
  const rewriteDir = async (dir: TreeRef, path: string): Promise<TreeRef> => {
    const dirtree = sink.readDirtree(dir.tree);
    const files: FileEntry[] = [];
    for (const { name, checksum } of dirtree.files) {
      const filePath = joinTreePath(path, name);
      if (!skipped(filePath)) files.push({ name, checksum: await rewriteFile(checksum, filePath) });
    }
    const dirs: DirEntry[] = [];
    for (const { name, tree, meta } of dirtree.dirs) {
      const dirPath = joinTreePath(path, name);
      if (!skipped(dirPath)) dirs.push({ name, ...(await rewriteDir({ tree, meta }, dirPath)) });
    }
    const old = sink.readDirmeta(dir.meta);
    const meta = sink.addDirmeta(modifyInode(old, modifiers, { override: overrideOf(path), label: labelFor?.(path, old.mode) }));
    return { tree: sink.addDirtree({ files, dirs }), meta };
  };
  return rewriteDir(root, '/');
}

function isSame(a: InodeFields, b: InodeFields): boolean {
  if (a.uid !== b.uid || a.gid !== b.gid || a.mode !== b.mode || a.xattrs.length !== b.xattrs.length) return false;
  return a.xattrs.every(({ name, value }, i) => {
    const other = b.xattrs[i];
    return other !== undefined && compareBytes(name, other.name) === 0 && compareBytes(value, other.value) === 0;
  });
}

async function store(transaction: Transaction, file: FileObject, header: FileObject['header']): Promise<Checksum> {
  if (file.sizeBytes <= WHOLE_BUFFER_BYTES) return transaction.writer.writeBuffer(header, readContent(file)).checksum;
  return (await transaction.writer.startFile(header, file.sizeBytes).writeAll(contentChunks(file))).checksum;
}
