/** Repo: objects, refs, commits, transactions. Knows nothing of networks, deployments or boot loaders. */

/** Commands know repositories, not system calls; this one ends them. */
export { endProcess } from '../sys/index.ts';
export * from './commit/index.ts';
export * from './config.ts';
export * from './config-edit.ts';
export * from './content.ts';
export * from './content-index/index.ts';
export * from './du/index.ts';
export * from './file-sink.ts';
export * from './free-space.ts';
export * from './fsck/index.ts';
export * from './layout.ts';
export * from './lock.ts';
export type { WriterInit } from './object-files.ts';
export type { ObjectLinker } from './object-linker.ts';
export * from './object-list.ts';
export { ObjectNames } from './object-names.ts';
export * from './object-read.ts';
export * from './object-table.ts';
export * from './object-uses.ts';
export * from './object-write.ts';
export * from './prune/index.ts';
export * from './read/index.ts';
export * from './refs.ts';
export * from './repo.ts';
export * from './resolve.ts';
export type { KeyedRows } from './row-table.ts';
export * from './selinux.ts';
export * from './staging.ts';
export * from './text.ts';
export * from './transaction.ts';
export * from './tree-walk.ts';
export * from './update-refs.ts';
export * from './xattrs.ts';
