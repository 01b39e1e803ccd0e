/**
 * Bytes that the real ostree 2022.7 wrote for a repository with one static delta between two commits.
 *
 * Source: ostree-format 13.5, 13.6.
 */
import { describe, expect, it } from '@jest/globals';
import { checksumOf, parseChecksum } from '../../../src/core/index.ts';
import {
  checksumFromBase64,
  checksumToBase64,
  decodeDeltaIndex,
  decodeOperations,
  decodePayload,
  decodeSignedDelta,
  decodeSizes,
  decodeSummary,
  decodeSuperblock,
  deltaCommitmeta,
  deltaDirectory,
  deltaIndexPath,
  deltaNameFromDirectory,
  encodeCommit,
  encodeDeltaIndex,
  encodeDict,
  encodeOperations,
  encodePayload,
  encodeSignedDelta,
  encodeSizes,
  encodeSummary,
  encodeSuperblock,
  inlinePart,
  isSignedDelta,
  lookup,
  type ObjectSize,
  parseDeltaName,
  printDeltaName,
  summaryFacts,
  summaryMetadata,
  summaryRefMetadata,
  summaryRefTimestamp,
} from '../../../src/format/index.ts';
import { hex } from '../../helpers/hex.ts';

const FROM = parseChecksum('11c0b1054ad47e5fc9add81a7c4d7c83f60d6e094ec92040d2abc3a6c3a93b75');
const TO = parseChecksum('f6783ffb96cfe18d1f39456476ad2d9506da8bfe9c8ef8c2b073203071bdd7bc');
const DIRTREE = parseChecksum('906ab2400fabaecf8cbe07c2a587459b67486d74ebb0cc4c1c1a5cdcb573df83');
const FILE = parseChecksum('30b0616406265d4eeff2823d98822ba45f89e1a82699fd94ec04577d3aa2644d');
const DIRECTORY = 'deltas/Ec/CxBUrUfl_JrdgafE18g_YNbglOySBA0qvDpsOpO3U-9ng_+5bP4Y0fOUVkdq0tlQbai_6cjvjCsHMgMHG917w';

const SUPERBLOCK = hex(`
  6f73 7472 6565 2e65 6e64 6961 6e6e 6573 7300 0000 0000 0000 6c00 7912 0000 0000 6465 6c74 6173 2f45 632f 4378 4255 7255
  666c 5f4a 7264 6761 6645 3138 675f 594e 6267 6c4f 7953 4241 3071 7644 7073 4f70 4f33 552d 396e 675f 2b35 6250 3459 3066
  4f55 566b 6471 3074 6c51 6261 695f 3663 6a76 6a43 7348 4d67 4d48 4739 3137 772f 636f 6d6d 6974 6d65 7461 0000 0000 0000
  6f73 7472 6565 2e73 6967 6e2e 6475 6d6d 7900 0000 0000 0000 4d59 4b45 5905 0061 6179 1223 0061 7b73 767d 6b1c bb00 0000
  0000 0000 6b00 4a53 11c0 b105 4ad4 7e5f c9ad d81a 7c4d 7c83 f60d 6e09 4ec9 2040 d2ab c3a6 c3a9 3b75 f678 3ffb 96cf e18d
  1f39 4564 76ad 2d95 06da 8bfe 9c8e f8c2 b073 2030 71bd d7bc 6f73 7472 6565 2e72 6566 2d62 696e 6469 6e67 0000 0000 0000
  6d61 696e 0005 0061 7313 2211 c0b1 054a d47e 5fc9 add8 1a7c 4d7c 83f6 0d6e 094e c920 40d2 abc3 a6c3 a93b 7574 776f 0000
  0000 0000 6553 f101 906a b240 0fab aecf 8cbe 07c2 a587 459b 6748 6d74 ebb0 cc4c 1c1a 5cdc b573 df83 446a 0ef1 1b7c c167
  f3b6 03e5 85c7 eeee b675 faa4 12d5 ec73 f629 88eb 0b6c 5488 7048 4743 4323 0000 0000 0000 268d ecbf 315f 8290 0ac0 e3ac
  a2c2 3da2 e3e4 e281 463b 8ea6 5a11 d21a 1139 fee7 0000 0000 b500 0000 0000 0000 2b00 0000 0000 0000 0290 6ab2 400f abae
  cf8c be07 c2a5 8745 9b67 486d 74eb b0cc 4c1c 1a5c dcb5 73df 8301 30b0 6164 0626 5d4e eff2 823d 9882 2ba4 5f89 e1a8 2699
  fd94 ec04 577d 3aa2 644d 247b 0000 0000 1c02 9e01 9e01 0801 e800 bd00
`);
const PAYLOAD = hex(`
  0000 0000 0000 0000 0000 81a4 0061 0030 b061 6406 265d 4eef f282 3d98 822b a45f 89e1 a826 99fd 94ec 0457 7d3a a264 4d02
  2324 44f7 78e5 9f0a 4748 d6b0 c90a 4734 7212 a231 c4ad 1e8f 7ea5 c5df fc77 4915 3a6b 0000 0000 0000 0000 0600 0000 0000
  0000 0500 0000 0000 0000 776f 726c 640a 5325 0072 256f 0000 0642 451e 6352 700d 0c
`);
const SUMMARY = hex(`
  6d61 696e 0000 0000 9600 0000 0000 0000 f678 3ffb 96cf e18d 1f39 4564 76ad 2d95 06da 8bfe 9c8e f8c2 b073 2030 71bd d7bc
  6f73 7472 6565 2e63 6f6d 6d69 742e 7469 6d65 7374 616d 7000 0000 0000 6553 f101 0074 1823 2805 5600 6f73 7472 6565 2e73
  756d 6d61 7279 2e6d 6f64 6500 0000 0000 6172 6368 6976 652d 7a32 0000 7314 0000 6f73 7472 6565 2e73 756d 6d61 7279 2e6c
  6173 742d 6d6f 6469 6669 6564 0000 0000 0000 0000 6b00 4a53 0074 1d00 0000 0000 6f73 7472 6565 2e73 756d 6d61 7279 2e74
  6f6d 6273 746f 6e65 2d63 6f6d 6d69 7473 0000 0000 0000 0000 0000 6221 0000 0000 6f73 7472 6565 2e73 7461 7469 632d 6465
  6c74 6173 0000 0000 3131 6330 6231 3035 3461 6434 3765 3566 6339 6164 6438 3161 3763 3464 3763 3833 6636 3064 3665 3039
  3465 6339 3230 3430 6432 6162 6333 6136 6333 6139 3362 3735 2d66 3637 3833 6666 6239 3663 6665 3138 6431 6633 3934 3536
  3437 3661 6432 6439 3530 3664 6138 6266 6539 6338 6566 3863 3262 3037 3332 3033 3037 3162 6464 3762 6300 0000 0000 0000
  ce5c 8318 f80e 4f73 7f4b a923 a414 944f 2abf c09a 56fa bf8e ae50 4d69 8a84 6162 0061 7982 ac00 617b 7376 7d15 0000 0000
  6f73 7472 6565 2e73 756d 6d61 7279 2e69 6e64 6578 6564 2d64 656c 7461 7300 0000 0100 621e 2600 5300 8400 5401 7c01 5700
`);

describe('delta names', () => {
  it('are hex for people and base64 in paths', () => {
    expect(checksumToBase64(FROM)).toBe('EcCxBUrUfl_JrdgafE18g_YNbglOySBA0qvDpsOpO3U');
    expect(checksumFromBase64('EcCxBUrUfl_JrdgafE18g_YNbglOySBA0qvDpsOpO3U')).toBe(FROM);
    expect(deltaDirectory({ from: FROM, to: TO })).toBe(DIRECTORY);
    expect(deltaDirectory({ from: undefined, to: TO })).toBe('deltas/9n/g_+5bP4Y0fOUVkdq0tlQbai_6cjvjCsHMgMHG917w');
    expect(deltaIndexPath(TO)).toBe('delta-indexes/9n/g_+5bP4Y0fOUVkdq0tlQbai_6cjvjCsHMgMHG917w.index');
    for (const name of [
      { from: FROM, to: TO },
      { from: undefined, to: TO },
    ]) {
      expect(deltaNameFromDirectory(deltaDirectory(name))).toEqual(name);
      expect(parseDeltaName(printDeltaName(name))).toEqual(name);
    }
  });

  it.each(['', 'x', `${FROM}-`, `-${TO}`, `${FROM}-${TO}-${TO}`, `${FROM}-../../x`, FROM.toUpperCase()])('are not %p', (text) => {
    expect(() => parseDeltaName(text)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('are not read from other paths', () => {
    const wrong = [DIRECTORY.replace('deltas', 'delta'), `${DIRECTORY}/0`, DIRECTORY.slice(0, -1), DIRECTORY.replace('-9', '-.')];
    // The last character of 43 carries four bits; others would be a second spelling.
    wrong.push(`${DIRECTORY.slice(0, -1)}x`);
    expect(wrong.map(deltaNameFromDirectory)).toEqual(wrong.map(() => undefined));
  });
});

describe('superblock', () => {
  const block = decodeSuperblock(SUPERBLOCK);

  it('is read', () => {
    expect(block.from).toBe(FROM);
    expect(block.to).toBe(TO);
    expect(block.byteOrder).toBe('little');
    expect(checksumOf(encodeCommit(block.commit))).toBe(TO);
    expect(block.commit).toMatchObject({ parent: FROM, subject: 'two', body: '', timestampSec: 1700000001n });
    expect(block.timestampSec).toBe(0x6b004a53n);
    expect(block.fallbacks).toEqual([]);
    expect(block.parts).toEqual([
      {
        version: 0,
        checksum: '268decbf315f82900ac0e3aca2c23da2e3e4e281463b8ea65a11d21a1139fee7',
        sizeBytes: 181n,
        unpackedBytes: 43n,
        objects: [
          { type: 'dirtree', checksum: DIRTREE },
          { type: 'file', checksum: FILE },
        ],
      },
    ]);
    expect(inlinePart(block, 0)).toBeUndefined();
    expect(deltaCommitmeta(block)).toEqual([['ostree.sign.dummy', { type: 'aay', value: [Buffer.from('MYKEY')] }]]);
  });

  it('is written back byte for byte', () => {
    expect(encodeSuperblock(block).equals(SUPERBLOCK)).toBe(true);
  });

  it('has its name in the summary', () => {
    expect(checksumOf(SUPERBLOCK)).toBe('ce5c8318f80e4f737f4ba923a414944f2abfc09a56fabf8eae504d698a846162');
  });

  it('may be wrapped with signatures', () => {
    const signatures = [['ostree.sign.dummy', { type: 'aay', value: [Buffer.from('MYKEY')] }]] as const;
    const signed = encodeSignedDelta({ superblock: SUPERBLOCK, signatures });
    expect(signed.subarray(0, 8).toString()).toBe('OSTSGNDT');
    expect(signed.subarray(8, 8 + SUPERBLOCK.length).equals(SUPERBLOCK)).toBe(true);
    expect(isSignedDelta(signed)).toBe(true);
    expect(isSignedDelta(SUPERBLOCK)).toBe(false);
    expect(decodeSignedDelta(signed)).toEqual({ superblock: SUPERBLOCK, signatures });
    expect(() => decodeSignedDelta(SUPERBLOCK)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});

describe('part payload', () => {
  const payload = decodePayload(PAYLOAD);

  it('is read', () => {
    expect(payload.modes).toEqual([{ uid: 0, gid: 0, mode: 0o100644 }]);
    expect(payload.xattrs).toEqual([[]]);
    expect(payload.blob.length).toBe(0x70 - 0x0d);
    expect(checksumOf(payload.blob.subarray(0, 37))).toBe(DIRTREE);
    const { objects } = decodeSuperblock(SUPERBLOCK).parts[0] ?? { objects: [] };
    expect(decodeOperations(payload, objects)).toEqual([
      { op: 'splice-metadata', length: 37, offset: 0 },
      { op: 'set-read-source', offset: 37 },
      { op: 'open', mode: 0, xattrs: 0, sizeBytes: 6 },
      { op: 'bspatch', offset: 69, length: 30 },
      { op: 'close' },
      { op: 'unset-read-source' },
    ]);
    expect(encodeOperations(decodeOperations(payload, objects))).toEqual(payload.operations);
  });

  it('is written back byte for byte', () => {
    expect(encodePayload(payload).equals(PAYLOAD)).toBe(true);
  });
});

describe('summary', () => {
  const summary = decodeSummary(SUMMARY);
  const delta = { name: { from: FROM, to: TO }, superblock: checksumOf(SUPERBLOCK) };

  it('is read', () => {
    expect(summary.refs).toEqual([
      { ref: 'main', commit: TO, commitBytes: 0x96n, metadata: summaryRefMetadata(undefined, 1700000001n) },
    ]);
    expect(summary.refs.map(summaryRefTimestamp)).toEqual([1700000001n]);
    expect(summaryFacts(summary)).toEqual({
      staticDeltas: [delta],
      lastModifiedSec: 0x6b004a53n,
      expiresSec: undefined,
      mode: 'archive-z2',
      tombstoneCommits: false,
      indexedDeltas: true,
      collectionId: undefined,
      collectionMap: undefined,
    });
  });

  it('is written back byte for byte, from its facts too', () => {
    expect(encodeSummary(summary).equals(SUMMARY)).toBe(true);
    const metadata = summaryMetadata(summaryFacts(summary));
    expect(encodeSummary({ refs: summary.refs, metadata }).equals(SUMMARY)).toBe(true);
  });

  it('lists deltas as the index file does', () => {
    const value = lookup(summary.metadata, 'ostree.static-deltas');
    expect(value).toBeDefined();
    const index = encodeDict(value === undefined ? [] : [['ostree.static-deltas', value]]);
    expect(encodeDeltaIndex([delta])).toEqual(index);
    expect(decodeDeltaIndex(index)).toEqual([delta]);
    expect(decodeDeltaIndex(encodeDict([]))).toEqual([]);
  });

  it.each([
    ['unsorted refs', ['b', 'a']],
    ['a ref twice', ['a', 'a']],
    ['a ref that leads outside', ['../x']],
    ['a ref with an empty component', ['a//b']],
  ])('with %s is refused', (_, names) => {
    const refs = names.map((ref) => ({ ref, commit: TO, commitBytes: 1n, metadata: [] }));
    expect(() => decodeSummary(encodeSummary({ refs, metadata: [] }))).toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    );
  });

  it('with a fact of a wrong type is refused when asked for it', () => {
    const wrong = { refs: [], metadata: [['ostree.summary.mode', { type: 'u', value: 1 }]] as const };
    expect(() => summaryFacts(wrong)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});

describe('ostree.sizes', () => {
  const META = parseChecksum('446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488');
  const sizes: ObjectSize[] = [
    { checksum: FILE, type: 'file', archivedBytes: 42, unpackedBytes: 6 },
    { checksum: META, type: 'dirmeta', archivedBytes: 12, unpackedBytes: 12 },
    { checksum: DIRTREE, type: 'dirtree', archivedBytes: 37, unpackedBytes: 37 },
  ];

  it('has the entries of the vector', () => {
    const value = [`${FILE} 2a 06 01`, `${META} 0c 0c 03`, `${DIRTREE} 25 25 02`].map(hex);
    expect(encodeSizes(sizes)).toEqual({ type: 'aay', value });
    expect(decodeSizes({ type: 'aay', value })).toEqual(sizes);
  });

  it('reads entries without type', () => {
    const old = { checksum: FILE, type: undefined, archivedBytes: 300, unpackedBytes: 70000 };
    expect(decodeSizes(encodeSizes([old]))).toEqual([old]);
  });

  it.each([
    ['cut', FILE.slice(2)],
    ['without sizes', FILE],
    ['with one size', `${FILE}2a`],
    ['of an unknown type', `${FILE}2a060a`],
    ['with more bytes', `${FILE}2a060101`],
  ])('refuses an entry %s', (_, entry) => {
    expect(() => decodeSizes({ type: 'aay', value: [hex(entry)] })).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('refuses another type', () => {
    expect(() => decodeSizes({ type: 'as', value: [] })).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });
});
