/** Every codec gives back what it was given, and takes hostile bytes with one kind of error and no second spelling. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HacktreeError } from '../../../src/core/index.ts';
import {
  decodeCommit,
  decodeDict,
  decodeDirmeta,
  decodeDirtree,
  decodeFileHeader,
  decodeFilemeta,
  decodeFilezHeader,
  decodeHeaderPrefix,
  decodeSubdirs,
  decodeVarint,
  decodeXattrs,
  encodeCommit,
  encodeDict,
  encodeDirtree,
  encodeFileHeader,
  encodeFilezHeader,
  encodeInodeMeta,
  encodeVarint,
  encodeXattrs,
  type FileHeader,
  HEADER_PREFIX_BYTES,
  inHashOrder,
  MAX_HEADER_BYTES,
} from '../../../src/format/index.ts';
import { commit, dict, dirtree, text, xattrs } from '../../helpers/arbitraries.ts';
import { type Codec, codec, describeCodec } from '../../helpers/codec-suite.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const permissions = fc.integer({ min: 0, max: 0o7777 });

const fileHeader: fc.Arbitrary<FileHeader> = fc
  .record({ uid: uint32, gid: uint32, bits: permissions, target: fc.option(text, { nil: undefined }), xattrs })
  .map(({ bits, target, ...rest }) => ({
    ...rest,
    mode: (target === undefined ? 0o100000 : 0o120000) | bits,
    target: target ?? '',
  }));

const inodeMeta = (type: number) => fc.record({ uid: uint32, gid: uint32, mode: permissions.map((bits) => type | bits), xattrs });

const CODECS: Codec[] = [
  codec('dirtree', dirtree, encodeDirtree, decodeDirtree),
  codec('dirmeta', inodeMeta(0o040000), encodeInodeMeta, decodeDirmeta),
  codec('file header', fileHeader, encodeFileHeader, decodeFileHeader),
  codec(
    'filez header',
    fc.tuple(fileHeader, fc.maxSafeNat()).map(([header, size]) => ({ ...header, sizeBytes: header.mode & 0o20000 ? 0 : size })),
    encodeFilezHeader,
    (raw) => {
      const length = decodeHeaderPrefix(raw);
      if (raw.length !== HEADER_PREFIX_BYTES + length) throw new HacktreeError('format-invalid', 'length');
      return decodeFilezHeader(raw.subarray(HEADER_PREFIX_BYTES));
    },
  ),
  codec('commit', commit, encodeCommit, decodeCommit),
  codec('dictionary', dict, encodeDict, decodeDict),
  codec('xattrs', xattrs, encodeXattrs, decodeXattrs),
  codec('varint', fc.maxSafeNat(), encodeVarint, (raw) => {
    const { value, end } = decodeVarint(raw, 0);
    if (end !== raw.length) throw new HacktreeError('format-invalid', 'more bytes');
    return value;
  }),
];

describeCodec(CODECS);

describe('filemeta', () => {
  it('is a dirmeta with the mode of a file', () => {
    fc.assert(
      fc.property(inodeMeta(0o100000), (meta) => {
        expect(decodeFilemeta(encodeInodeMeta(meta))).toEqual(meta);
        expect(() => decodeDirmeta(encodeInodeMeta(meta))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
      }),
    );
  });

  it('is read in any order and handed out sorted', () => {
    fc.assert(
      fc.property(inodeMeta(0o120000), (meta) => {
        const reversed = { ...meta, xattrs: [...meta.xattrs].reverse() };
        expect(decodeFilemeta(encodeInodeMeta(reversed))).toEqual(meta);
      }),
    );
  });
});

describe('dirtree', () => {
  const entry = (name: string) => ({ name, checksum: 'a'.repeat(64) as never });
  const dir = (name: string) => ({ name, tree: 'b'.repeat(64) as never, meta: 'c'.repeat(64) as never });

  it.each(['..', '.', '', 'a/b', '/', '../../etc/passwd'])('refuses the name %p', (name) => {
    expect(() => decodeDirtree(encodeDirtree({ files: [entry(name)], dirs: [] }))).toThrow(
      expect.objectContaining({ code: 'path-unsafe' }),
    );
    expect(() => decodeDirtree(encodeDirtree({ files: [], dirs: [dir(name)] }))).toThrow(
      expect.objectContaining({ code: 'path-unsafe' }),
    );
  });

  it.each([
    ['unsorted files', { files: [entry('b'), entry('a')], dirs: [] }],
    ['a file twice', { files: [entry('a'), entry('a')], dirs: [] }],
    ['unsorted directories', { files: [], dirs: [dir('b'), dir('a')] }],
    ['a name that is file and directory', { files: [entry('a')], dirs: [dir('a')] }],
    ['names sorted as UTF-16, not as bytes', { files: [entry('\u{1f600}'), entry('\uffee')], dirs: [] }],
    ['an inner NUL', { files: [entry('a\0b')], dirs: [] }],
  ])('refuses %s', (_, tree) => {
    expect(() => decodeDirtree(encodeDirtree(tree))).toThrow(HacktreeError);
  });

  it('reads the subdirectories alone, whatever the files', () => {
    const raw = encodeDirtree({ files: [entry('c'), entry('b')], dirs: [dir('d'), dir('e')] });
    expect(decodeSubdirs(raw)).toEqual([dir('d'), dir('e')].map(({ name, tree }) => ({ name, tree })));
    expect(decodeSubdirs(encodeDirtree({ files: [entry('a')], dirs: [] }))).toEqual([]);
    const unsorted = encodeDirtree({ files: [], dirs: [dir('b'), dir('a')] });
    expect(() => decodeSubdirs(unsorted)).toThrow(HacktreeError);
    expect(() => decodeSubdirs(raw.subarray(1))).toThrow(HacktreeError);
  });

  it('reads a directory of 100,000 files', () => {
    const files = Array.from({ length: 100_000 }, (_, i) => entry(`file-${String(i).padStart(6, '0')}`));
    const raw = encodeDirtree({ files, dirs: [] });
    const back = decodeDirtree(raw);
    expect(back.files.length).toBe(files.length);
    expect(back.files[99_999]?.name).toBe('file-099999');
    expect(encodeDirtree(back).equals(raw)).toBe(true);
  });
});

describe('xattrs', () => {
  const attr = (name: string) => ({ name: Buffer.from(name), value: Buffer.from('v') });
  it.each([
    ['unsorted', [attr('user.b'), attr('user.a')]],
    ['duplicate', [attr('user.a'), attr('user.a')]],
    ['empty', [attr('')]],
    ['with NUL', [attr('a\0b')]],
  ])('refuses %s names', (_, list) => {
    expect(() => decodeXattrs(encodeXattrs(list))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('are kept as they are in a .filez header', () => {
    const header = { uid: 0, gid: 0, mode: 0o100644, target: '', sizeBytes: 1, xattrs: [attr('user.b'), attr('user.a')] };
    expect(decodeFilezHeader(encodeFilezHeader(header).subarray(HEADER_PREFIX_BYTES))).toEqual(header);
  });
});

describe('file headers', () => {
  const base = { uid: 0, gid: 0, target: '', xattrs: [] };
  it.each([
    ['a directory', { ...base, mode: 0o040755 }],
    ['a device', { ...base, mode: 0o060644 }],
    ['a mode with other bits', { ...base, mode: 0o100644 | 0x10000 }],
    ['a regular file with a target', { ...base, mode: 0o100644, target: 'x' }],
  ])('refuse %s', (_, header) => {
    expect(() => decodeFileHeader(encodeFileHeader(header))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('refuse a symlink with content and a size beyond 2^53', () => {
    const link = encodeFilezHeader({ ...base, mode: 0o120777, target: 'x', sizeBytes: 5 });
    expect(() => decodeFilezHeader(link.subarray(8))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
    const file = encodeFilezHeader({ ...base, mode: 0o100644, sizeBytes: 5 });
    file[8] = 0x80;
    expect(() => decodeFilezHeader(file.subarray(8))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('bound the length that a prefix may announce', () => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(MAX_HEADER_BYTES + 1);
    expect(() => decodeHeaderPrefix(prefix)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
    expect(() => decodeHeaderPrefix(Buffer.alloc(4))).toThrow(expect.objectContaining({ code: 'format-invalid' }));
    expect(() => decodeHeaderPrefix(Buffer.from([0, 0, 0, 1, 0, 0, 0, 1]))).toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    );
  });

  it('are the same with and without the short way', () => {
    const xattr = { name: Buffer.from('a'), value: Buffer.alloc(0) };
    for (const length of [0, 1, 5, 200, 219, 220, 228, 229, 230, 237, 238, 239, 240, 300]) {
      const target = 't'.repeat(length);
      const header = { ...base, mode: length === 0 ? 0o100644 : 0o120777, target };
      expect(decodeFileHeader(encodeFileHeader(header))).toEqual(header);
      // The long way is taken as soon as there is an xattr; up to it the fields are the same.
      const long = encodeFileHeader({ ...header, xattrs: [xattr] });
      expect(encodeFileHeader(header).subarray(8, 24 + length)).toEqual(long.subarray(8, 24 + length));
    }
  });
});

describe('varint', () => {
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [2 ** 53 - 1, 'ffffffffffffff0f'],
  ])('%d', (value, dump) => {
    expect(encodeVarint(value).toString('hex')).toBe(dump);
    expect(decodeVarint(Buffer.from(`ff${dump}`, 'hex'), 1)).toEqual({ value, end: 1 + dump.length / 2 });
  });

  it.each(['', '80', '8000', 'ffffffffffffff1f', 'ffffffffffffffffffffffff01'])('refuses %p', (dump) => {
    expect(() => decodeVarint(Buffer.from(dump, 'hex'), 0)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});

describe('inHashOrder', () => {
  it('keeps every key, once, with its last value', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.nat()), { maxLength: 200 }), (pairs) => {
        const ordered = inHashOrder(pairs);
        expect(new Map(ordered)).toEqual(new Map(pairs));
        expect(ordered.length).toBe(new Map(pairs).size);
      }),
    );
  });
});
