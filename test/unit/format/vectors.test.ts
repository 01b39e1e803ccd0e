/**
 * Bytes that the real ostree 2022.7 wrote: one small tree, in bare and archive mode.
 *
 * Source: ostree-format 13, 13.1 - 13.4, 13.6 - 13.8.
 */
import { describe, expect, it } from '@jest/globals';
import { type Checksum, checksumOf, parseChecksum } from '../../../src/core/index.ts';
import {
  type Commit,
  contentChecksum,
  type Dict,
  type Dirtree,
  decodeCommit,
  decodeDict,
  decodeDirmeta,
  decodeDirtree,
  decodeFileHeader,
  decodeFilemeta,
  decodeFilezHeader,
  decodeHeaderPrefix,
  encodeCommit,
  encodeDict,
  encodeDirtree,
  encodeFileHeader,
  encodeFilezHeader,
  encodeInodeMeta,
  encodeTombstone,
  type FileHeader,
  fileChecksum,
  HEADER_PREFIX_BYTES,
  inHashOrder,
  NO_XATTRS,
} from '../../../src/format/index.ts';
import { hex } from '../../helpers/hex.ts';

const xattr = (name: string, value: string) => ({ name: Buffer.from(name), value: Buffer.from(value) });
const sum = (text: string): Checksum => parseChecksum(text);

const HELLO: FileHeader = {
  uid: 1000,
  gid: 100,
  mode: 0o100640,
  target: '',
  xattrs: [xattr('user.alpha', '1'), xattr('user.beta', 'two')],
};
const LINK: FileHeader = { uid: 0, gid: 0, mode: 0o120777, target: 'hello.txt', xattrs: NO_XATTRS };
const TOOL: FileHeader = { uid: 0, gid: 0, mode: 0o100755, target: '', xattrs: NO_XATTRS };
const ZERO: FileHeader = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: NO_XATTRS };
const ROOT_META = { uid: 0, gid: 0, mode: 0o040755, xattrs: NO_XATTRS };
const USR_META = { ...ROOT_META, xattrs: [xattr('user.dirattr', 'xyz')] };

const HELLO_SUM = sum('425f6976318c61a09eb1dd1aab2e9658cb828dcdca0269ffd5ce9efce8da9c44');
const LINK_SUM = sum('f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35');
const TOOL_SUM = sum('89b350d278ff59ba4780bc377b8ebfee8ade6b55c99fab1ec84e133bc6ea52c5');
const ZERO_SUM = sum('cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e');
const META_SUM = sum('446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488');
const USR_META_SUM = sum('c484df3cce320cf59547cb3f053e76af64a0b44b39fcee033a5395e00fc92572');
const EMPTY_SUM = sum('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
const BIN_SUM = sum('bc9fcc3584978389a96b885fb7714d4d3c8ce04b5c279db7f86d86041f3599f6');
const USR_SUM = sum('176357400b2bd7bda83f01f9aad37f3569dab493d0dd2f8e9ebd2a185014eae4');
const ROOT_SUM = sum('58a038d309226c79e39cc5abd5f41cd38be29ba7332ebd82781049ab36a8dddd');
const COMMIT_SUM = sum('234e6f49923c15733fe2ab1de34661c3c931f7674c9f8e6435caa141db1eca19');

describe('file objects', () => {
  it.each([
    ['hello.txt', HELLO, 'hello\n', HELLO_SUM],
    ['link', LINK, '', LINK_SUM],
    ['usr/bin/tool', TOOL, '#!/bin/sh\necho hi\n', TOOL_SUM],
    ['zero', ZERO, '', ZERO_SUM],
  ])('%s has its checksum', (_, header, content, checksum) => {
    expect(fileChecksum(header, Buffer.from(content))).toBe(checksum);
    expect(decodeFileHeader(encodeFileHeader(header))).toEqual(header);
  });

  it('bare-user-only: the canonical header gives the other checksum', () => {
    expect(fileChecksum({ ...HELLO, uid: 0, gid: 0, mode: 0o100640 & 0o100755, xattrs: NO_XATTRS }, Buffer.from('hello\n'))).toBe(
      'de02c3a60ac5e77b5a76f31783d5d5ed76edb9041fa7cd62178cd361c4c95260',
    );
  });
});

describe('.filez', () => {
  it.each([
    [
      'hello.txt',
      { ...HELLO, sizeBytes: 6 },
      `0000 0037 0000 0000 0000 0000 0000 0006 0000 03e8 0000 0064 0000 81a0 0000 0000
       0075 7365 722e 616c 7068 6100 310b 7573 6572 2e62 6574 6100 7477 6f0a 0d1b 19`,
    ],
    [
      'link',
      { ...LINK, sizeBytes: 0 },
      '0000 0023 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 a1ff 0000 0000 6865 6c6c 6f2e 7478 7400 22',
    ],
    ['zero', { ...ZERO, sizeBytes: 0 }, '0000 001a 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 81a4 0000 0000 0019'],
  ])('%s has its header', (_, header, dump) => {
    const bytes = hex(dump);
    expect(encodeFilezHeader(header)).toEqual(bytes);
    expect(decodeHeaderPrefix(bytes)).toBe(bytes.length - HEADER_PREFIX_BYTES);
    expect(decodeFilezHeader(bytes.subarray(HEADER_PREFIX_BYTES))).toEqual(header);
  });
});

describe('user.ostreemeta', () => {
  it('is that of hello.txt', () => {
    const bytes = hex('000003e8 00000064 000081a0 757365722e616c706861 00 31 0b 757365722e62657461 00 74776f 0a 0d 1b');
    const { uid, gid, mode, xattrs } = HELLO;
    expect(encodeInodeMeta({ uid, gid, mode, xattrs })).toEqual(bytes);
    expect(decodeFilemeta(bytes)).toEqual({ uid, gid, mode, xattrs });
  });
});

describe('dirmeta', () => {
  it.each([
    ['0:0 040755', ROOT_META, '0000 0000 0000 0000 0000 41ed', META_SUM],
    ['with an xattr', USR_META, '0000 0000 0000 0000 0000 41ed 7573 6572 2e64 6972 6174 7472 0078 797a 0d11', USR_META_SUM],
  ])('%s', (_, meta, dump, checksum) => {
    const bytes = hex(dump);
    expect(encodeInodeMeta(meta)).toEqual(bytes);
    expect(decodeDirmeta(bytes)).toEqual(meta);
    expect(checksumOf(bytes)).toBe(checksum);
  });
});

describe('dirtree', () => {
  const vectors: [string, Dirtree, string, Checksum][] = [
    ['empty', { files: [], dirs: [] }, '00', EMPTY_SUM],
    [
      'usr/bin',
      { files: [{ name: 'tool', checksum: TOOL_SUM }], dirs: [] },
      '746f 6f6c 0089 b350 d278 ff59 ba47 80bc 377b 8ebf ee8a de6b 55c9 9fab 1ec8 4e13 3bc6 ea52 c505 2627',
      BIN_SUM,
    ],
    [
      'usr',
      { files: [], dirs: [{ name: 'bin', tree: BIN_SUM, meta: META_SUM }] },
      `6269 6e00 bc9f cc35 8497 8389 a96b 885f b771 4d4d 3c8c e04b 5c27 9db7 f86d 8604 1f35 99f6 446a 0ef1 1b7c c167
       f3b6 03e5 85c7 eeee b675 faa4 12d5 ec73 f629 88eb 0b6c 5488 2404 4600`,
      USR_SUM,
    ],
    [
      '/',
      {
        files: [
          { name: 'hello.txt', checksum: HELLO_SUM },
          { name: 'link', checksum: LINK_SUM },
          { name: 'zero', checksum: ZERO_SUM },
        ],
        dirs: [
          { name: 'empty', tree: EMPTY_SUM, meta: META_SUM },
          { name: 'usr', tree: USR_SUM, meta: USR_META_SUM },
        ],
      },
      `6865 6c6c 6f2e 7478 7400 425f 6976 318c 61a0 9eb1 dd1a ab2e 9658 cb82 8dcd ca02 69ff d5ce 9efc e8da 9c44 0a6c
       696e 6b00 f66e fa49 6a72 3794 13c4 4593 de51 0dc3 44be b045 294f 1a54 3da8 7b2b 6118 db35 057a 6572 6f00 cc70
       0d46 f407 c6c5 ab2d 5dde 4743 66a9 28b7 3982 77e6 1162 e7f8 ec06 f469 f07e 052b 5177 656d 7074 7900 6e34 0b9c
       ffb3 7a98 9ca5 44e6 bb78 0a2c 7890 1d3f b337 3876 8511 a306 17af a01d 446a 0ef1 1b7c c167 f3b6 03e5 85c7 eeee
       b675 faa4 12d5 ec73 f629 88eb 0b6c 5488 2606 7573 7200 1763 5740 0b2b d7bd a83f 01f9 aad3 7f35 69da b493 d0dd
       2f8e 9ebd 2a18 5014 eae4 c484 df3c ce32 0cf5 9547 cb3f 053e 76af 64a0 b44b 39fc ee03 3a53 95e0 0fc9 2572 2404
       488e 7a00`,
      ROOT_SUM,
    ],
  ];
  it.each(vectors)('%s', (_, tree, dump, checksum) => {
    const bytes = hex(dump);
    expect(encodeDirtree(tree)).toEqual(bytes);
    expect(decodeDirtree(bytes)).toEqual(tree);
    expect(checksumOf(bytes)).toBe(checksum);
  });
});

describe('commit', () => {
  const commit: Commit = {
    metadata: [
      ['version', { type: 's', value: '1.0' }],
      ['ostree.ref-binding', { type: 'as', value: ['main'] }],
    ],
    parent: undefined,
    related: [],
    subject: 'Subject line',
    body: 'Body text',
    timestampSec: 1700000000n,
    rootTree: ROOT_SUM,
    rootMeta: META_SUM,
  };

  it('has the bytes and the checksum', () => {
    const bytes = hex(
      `7665 7273 696f 6e00 312e 3000 0073 0800 6f73 7472 6565 2e72 6566 2d62 696e 6469 6e67 0000 0000 0000 6d61 696e
       0005 0061 7313 0f32 5375 626a 6563 7420 6c69 6e65 0042 6f64 7920 7465 7874 0000 0000 0000 0000 0000 6553 f100
       58a0 38d3 0922 6c79 e39c c5ab d5f4 1cd3 8be2 9ba7 332e bd82 7810 49ab 36a8 dddd 446a 0ef1 1b7c c167 f3b6 03e5
       85c7 eeee b675 faa4 12d5 ec73 f629 88eb 0b6c 5488 784b 4134 3434`,
    );
    expect(encodeCommit(commit)).toEqual(bytes);
    expect(decodeCommit(bytes)).toEqual(commit);
    expect(checksumOf(bytes)).toBe(COMMIT_SUM);
  });

  it('hashes both root checksums for the content checksum', () => {
    expect(contentChecksum(commit)).toBe(checksumOf(hex(ROOT_SUM + META_SUM)));
  });

  it('--bootable passes the metadata through a hash table', () => {
    const given: Dict = [
      ['version', { type: 's', value: '1' }],
      ['ostree.ref-binding', { type: 'as', value: ['main'] }],
      ['ostree.linux', { type: 's', value: '5.1' }],
      ['ostree.bootable', { type: 'b', value: true }],
    ];
    const metadata = inHashOrder(given);
    expect(metadata.map(([key]) => key)).toEqual(['ostree.linux', 'version', 'ostree.bootable', 'ostree.ref-binding']);
    const file = fileChecksum(ZERO, Buffer.from('k\n'));
    const names = ['5.1', 'modules', 'lib', 'usr'];
    const kernelDir = checksumOf(encodeDirtree({ files: [{ name: 'vmlinuz', checksum: file }], dirs: [] }));
    const rootTree = names.reduce<Checksum>(
      (tree, name) => checksumOf(encodeDirtree({ files: [], dirs: [{ name, tree, meta: META_SUM }] })),
      kernelDir,
    );
    const bytes = encodeCommit({ ...commit, metadata, subject: 'x', body: '', rootTree });
    expect(checksumOf(bytes)).toBe('c678d1c04125bcba8a705327711ff99419af033763978e93dfe798db8ec0fbef');
  });

  it('bare-user-only has the other commit', () => {
    const file = (header: FileHeader, content: string) =>
      fileChecksum({ ...header, uid: 0, gid: 0, xattrs: NO_XATTRS }, Buffer.from(content));
    const usr = USR_SUM;
    const rootTree = checksumOf(
      encodeDirtree({
        files: [
          { name: 'hello.txt', checksum: file(HELLO, 'hello\n') },
          { name: 'link', checksum: LINK_SUM },
          { name: 'zero', checksum: ZERO_SUM },
        ],
        dirs: [
          { name: 'empty', tree: EMPTY_SUM, meta: META_SUM },
          { name: 'usr', tree: usr, meta: META_SUM },
        ],
      }),
    );
    expect(checksumOf(encodeCommit({ ...commit, rootTree }))).toBe(
      'fd5de25f508f2297e6c79302a82e8b2d0263a31dab28b0905d8cc56c2ee068d4',
    );
  });
});

describe('dictionaries', () => {
  it('commitmeta with a dummy signature', () => {
    const dict: Dict = [['ostree.sign.dummy', { type: 'aay', value: [Buffer.from('MYKEY')] }]];
    const bytes = hex('6f73 7472 6565 2e73 6967 6e2e 6475 6d6d 7900 0000 0000 0000 4d59 4b45 5905 0061 6179 1223');
    expect(encodeDict(dict)).toEqual(bytes);
    expect(decodeDict(bytes)).toEqual(dict);
  });

  it('tombstone', () => {
    const digits = Buffer.from(COMMIT_SUM).toString('hex');
    expect(encodeTombstone(COMMIT_SUM)).toEqual(hex(`63 6f 6d 6d 69 74 00 00 ${digits} 00 00 61 79 07 4d`));
  });
});
