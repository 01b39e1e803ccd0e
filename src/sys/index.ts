/** Sys: system calls, xattrs, durable writes, locks, threads. Knows nothing of objects. */
export * from './at.ts';
export * from './copy.ts';
export * from './copy-tree.ts';
export * from './durable.ts';
export * from './lock.ts';
export * from './mounts.ts';
export * from './natives.ts';
export * from './natives-zlib.ts';
export * from './pool.ts';
export * from './pool-runs.ts';
export * from './process.ts';
export * from './read-chunks.ts';
export * from './read-dir.ts';
export * from './remove-tree.ts';
export * from './settle.ts';
export * from './stat-numbers.ts';
export * from './xz.ts';
