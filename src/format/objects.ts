/**
 * Object types and their names: which types exist, their numbers, file extensions and names in messages.
 *
 * Source: ostree-format 2.
 */
import { type Checksum, HacktreeError, parseChecksum } from '../core/index.ts';

export type ObjectType =
  | 'file'
  | 'dirtree'
  | 'dirmeta'
  | 'commit'
  | 'tombstone-commit'
  | 'commitmeta'
  | 'payload-link'
  | 'file-xattrs'
  | 'file-xattrs-link';

/** Numbers of the types, as stored in `ostree.sizes` and static deltas. */
export const OBJECT_TYPE_NUMBER: Record<ObjectType, number> = {
  file: 1,
  dirtree: 2,
  dirmeta: 3,
  commit: 4,
  'tombstone-commit': 5,
  commitmeta: 6,
  'payload-link': 7,
  'file-xattrs': 8,
  'file-xattrs-link': 9,
};

const TYPE_BY_NUMBER = Object.keys(OBJECT_TYPE_NUMBER) as ObjectType[];

/** Most bytes a metadata object may have: 128 MiB. */
export const MAX_METADATA_BYTES = 128 * 1024 * 1024;

export interface ObjectName {
  readonly checksum: Checksum;
  readonly type: ObjectType;
}

/** Returns the type of a number, or undefined. */
export function objectTypeFromNumber(number: number): ObjectType | undefined {
  return TYPE_BY_NUMBER[number - 1];
}

/** Prints `<checksum>.<type>`, the name of an object in messages. */
export function printObjectName({ checksum, type }: ObjectName): string {
  return `${checksum}.${type}`;
}

/** Parses `<checksum>.<type>`. Errors: `format-invalid`. */
export function parseObjectName(text: string): ObjectName {
  const dot = text.indexOf('.');
  const type = text.slice(dot + 1) as ObjectType;
  if (dot < 0 || OBJECT_TYPE_NUMBER[type] === undefined) {
    throw new HacktreeError('format-invalid', `Invalid object name '${text}', expected CHECKSUM.TYPE`, {
      details: { found: text },
    });
  }
  return { checksum: parseChecksum(text.slice(0, dot)), type };
}

/** Metadata objects are GVariants, read whole; everything else is content. */
export function isMetadataType(type: ObjectType): boolean {
  return type === 'dirtree' || type === 'dirmeta' || type === 'commit' || type === 'tombstone-commit' || type === 'commitmeta';
}
