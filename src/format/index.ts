/** Format: bytes <-> values, pure. Knows nothing of where bytes are stored. */
export * from './commit.ts';
export * from './delta.ts';
export * from './delta-names.ts';
export * from './delta-part.ts';
export * from './dirmeta.ts';
export * from './dirtree.ts';
export * from './file-header.ts';
export * from './gvariant.ts';
export * from './gvariant-decode.ts';
export * from './hash-order.ts';
export * from './keyfile.ts';
export * from './objects.ts';
export * from './sizes.ts';
export * from './summary.ts';
export * from './varint.ts';
export * from './xattrs.ts';
