/**
 * Members of a tar stream as bytes: a plain header, before it PAX records for what a plain header cannot hold (xattrs,
 * long or non-ASCII names, large numbers). Values of records are bytes, since xattrs are binary.
 *
 * Source: POSIX.1-2008 pax, "ustar Interchange Format" and "pax Header Block"; star's `SCHILY.xattr.NAME`.
 */
import type { Xattrs } from '../../format/index.ts';

export interface TarFields {
  /** A directory's ends in a slash. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSec: number;
  readonly target: string | undefined;
  readonly xattrs: Xattrs;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** Largest number of seven and of eleven octal digits. */
const MAX_SMALL = 0o7777777;
const MAX_LARGE = 0o77777777777;

const TYPE_FLAGS = { file: '0', symlink: '2', directory: '5', pax: 'x' } as const;

/** Ends a stream: two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/** Builds what stands before a member's content. */
export function tarHeader(fields: TarFields): Buffer {
  const records = paxRecords(fields);
  const plain = headerBlock({ ...fields, flag: TYPE_FLAGS[fields.type] });
  if (records.length === 0) return plain;
  const pax = { name: 'PaxHeader', mode: 0o644, uid: 0, gid: 0, mtimeSec: fields.mtimeSec, target: undefined };
  const block = headerBlock({ ...pax, sizeBytes: records.length, flag: TYPE_FLAGS.pax });
  return Buffer.concat([block, records, tarPadding(records.length), plain]);
}

/** Fills a member's content up to whole blocks. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

type BlockFields = Omit<TarFields, 'xattrs' | 'type'> & { readonly flag: string };

function headerBlock({ name, mode, uid, gid, sizeBytes, mtimeSec, flag, target }: BlockFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number): void => {
    const max = 8 ** digits - 1;
    block.write(Math.min(value, max).toString(8).padStart(digits, '0'), at, 'latin1');
  };
  block.write(plainText(name), 0, 'latin1');
  octal(mode & 0o7777, 100, 7);
  octal(uid, 108, 7);
  octal(gid, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(mtimeSec, 136, 11);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(flag, 156, 'latin1');
  block.write(plainText(target ?? ''), 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function paxRecords({ name, uid, gid, sizeBytes, mtimeSec, target, xattrs }: TarFields): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array): void => void records.push(paxRecord(key, value));
  if (plainText(name) !== name) add('path', name);
  if (target !== undefined && plainText(target) !== target) add('linkpath', target);
  if (uid > MAX_SMALL) add('uid', String(uid));
  if (gid > MAX_SMALL) add('gid', String(gid));
  if (sizeBytes > MAX_LARGE) add('size', String(sizeBytes));
  if (mtimeSec > MAX_LARGE) add('mtime', String(mtimeSec));
  for (const { name: key, value } of xattrs) add(`SCHILY.xattr.${key.toString('utf8')}`, value);
  return Buffer.concat(records);
}

/** Builds `LENGTH KEY=VALUE\n`, whose length counts itself. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'utf8'), bytes, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** The text as a plain header holds it: ASCII, cut to its field. Equal to the text when nothing is lost. */
function plainText(text: string): string {
  const ascii = text.replace(/[^\x20-\x7e]/gu, '_');
  if (ascii.length <= NAME_BYTES) return ascii;
  return text.endsWith('/') ? `${ascii.slice(0, NAME_BYTES - 1)}/` : ascii.slice(0, NAME_BYTES);
}
