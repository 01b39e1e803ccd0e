/** Core: errors, checksums, byte order, name rules, sizes as text. Knows nothing of files or processes. */
export * from './bytes.ts';
export * from './checksum.ts';
export * from './errors.ts';
export * from './hash.ts';
export * from './late-builtins.ts';
export * from './names.ts';
export * from './print-size.ts';
export * from './progress.ts';
export type { TestError } from './test-errors.ts';
export * from './version.ts';
