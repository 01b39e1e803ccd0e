/** Summaries and static deltas: random values come back, damaged bytes end in one kind of error. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareUtf8, HacktreeError } from '../../../src/core/index.ts';
import {
  type DeltaOperation,
  decodeDeltaIndex,
  decodeOperations,
  decodePartFile,
  decodePayload,
  decodeSignedDelta,
  decodeSizes,
  decodeSummary,
  decodeSuperblock,
  decodeVariant,
  encodeDeltaIndex,
  encodeOperations,
  encodePartFile,
  encodePayload,
  encodeSignedDelta,
  encodeSizes,
  encodeSummary,
  encodeSuperblock,
  encodeVariant,
  endiannessEntry,
  inlinePart,
  inlinePartKey,
  type ObjectName,
  type ObjectSize,
  type ObjectType,
  type PartPayload,
  type Superblock,
  type Variant,
} from '../../../src/format/index.ts';
import { bytes, checksum, commit, dict, xattrs } from '../../helpers/arbitraries.ts';
import { type Codec, codec, describeCodec } from '../../helpers/codec-suite.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const object = fc.record({ type: fc.constantFrom('file', 'dirtree', 'dirmeta', 'commit'), checksum }) as fc.Arbitrary<ObjectName>;
const deltaName = fc.record({ from: fc.option(checksum, { nil: undefined }), to: checksum });

const superblock: fc.Arbitrary<Superblock> = fc
  .record({
    metadata: dict,
    timestampSec: uint64,
    name: deltaName,
    commit,
    parts: fc.array(
      fc.record({
        version: uint32,
        checksum,
        sizeBytes: uint64,
        unpackedBytes: uint64,
        objects: fc.array(object, { maxLength: 4 }),
      }),
      { maxLength: 3 },
    ),
    fallbacks: fc.array(fc.record({ object, compressedBytes: uint64, unpackedBytes: uint64 }), { maxLength: 3 }),
    byteOrder: fc.constantFrom('little' as const, 'big' as const),
  })
  .map(({ name, ...rest }) => ({ ...rest, ...name, metadata: [endiannessEntry(rest.byteOrder), ...rest.metadata] }));

const summaryRef = fc.record({
  ref: fc.stringMatching(/^[a-z]{1,6}(\/[a-zé0-9]{1,4}){0,2}$/),
  commit: checksum,
  commitBytes: uint64,
  metadata: dict,
});
const refs = fc
  .uniqueArray(summaryRef, { selector: ({ ref }) => ref, maxLength: 5 })
  .map((list) => list.sort((a, b) => compareUtf8(a.ref, b.ref)));

const payload: fc.Arbitrary<PartPayload> = fc.record({
  modes: fc.array(fc.record({ uid: uint32, gid: uint32, mode: uint32 }), { maxLength: 3 }),
  xattrs: fc.array(xattrs, { maxLength: 3 }),
  blob: bytes,
  operations: bytes,
});

const size: fc.Arbitrary<ObjectSize> = fc.record({
  checksum,
  type: fc.constantFrom<(ObjectType | undefined)[]>('file', 'dirtree', 'dirmeta', 'commit', undefined),
  archivedBytes: fc.maxSafeNat(),
  unpackedBytes: fc.maxSafeNat(),
});

const CODECS: Codec[] = [
  codec('superblock', superblock, encodeSuperblock, decodeSuperblock),
  codec('signed delta', fc.record({ superblock: bytes, signatures: dict }), encodeSignedDelta, decodeSignedDelta),
  codec('part payload', payload, encodePayload, decodePayload),
  codec(
    'part file',
    fc.record({ compression: fc.constantFrom('none' as const, 'xz' as const), bytes }),
    encodePartFile,
    decodePartFile,
  ),
  codec('summary', fc.record({ refs, metadata: dict }), encodeSummary, decodeSummary),
  codec(
    'sizes',
    fc.array(size, { maxLength: 5 }),
    (sizes) => encodeVariant('v', encodeSizes(sizes)),
    (raw) => decodeSizes(decodeVariant('v', raw) as Variant),
  ),
];

describeCodec(CODECS);

describe('delta index', () => {
  it('comes back, whatever the order', () => {
    const deltas = fc.uniqueArray(fc.record({ name: deltaName, superblock: checksum }), { selector: ({ name }) => name.to });
    fc.assert(
      fc.property(deltas, (list) => {
        const back = decodeDeltaIndex(encodeDeltaIndex(list));
        expect(new Set(back.map((each) => JSON.stringify(each)))).toEqual(new Set(list.map((each) => JSON.stringify(each))));
        expect(encodeDeltaIndex(back).length).toBe(encodeDeltaIndex(list).length);
      }),
    );
  });
});

describe('superblock', () => {
  const plain = fc.sample(superblock, { numRuns: 1, seed: 5 })[0] as Superblock;
  const withParts = (sizeBytes: bigint, unpackedBytes: bigint, byteOrder: 'little' | 'big'): Buffer => {
    const objects: ObjectName[] = [{ type: 'file', checksum: plain.to }];
    const parts = [{ version: 0, checksum: plain.to, sizeBytes, unpackedBytes, objects }];
    return encodeSuperblock({ ...plain, metadata: [], parts, fallbacks: [], byteOrder });
  };

  it.each([
    [100n, 1000n],
    [120n, 100n],
    [70_000n, 90_000_000n],
  ])('without byte order is guessed: %d of %d bytes', (sizeBytes, unpackedBytes) => {
    for (const byteOrder of ['little', 'big'] as const) {
      const block = decodeSuperblock(withParts(sizeBytes, unpackedBytes, byteOrder));
      expect(block.byteOrder).toBe(byteOrder);
      expect(block.parts[0]).toMatchObject({ sizeBytes, unpackedBytes });
    }
  });

  it.each<[string, Variant]>([
    ['an unknown byte order', { type: 'y', value: 0x78 }],
    ['a byte order of a wrong type', { type: 's', value: 'l' }],
  ])('with %s is refused', (_, variant) => {
    const raw = encodeSuperblock({ ...plain, metadata: [['ostree.endianness', variant]] });
    expect(() => decodeSuperblock(raw)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
  });

  it('may carry parts itself', () => {
    const part: Variant = { type: '(yay)', value: [0x78, Buffer.from('xz')] };
    const wrong: Variant = { type: 'ay', value: Buffer.from('xz') };
    const block = {
      ...plain,
      metadata: [
        [inlinePartKey(plain, 0), part],
        [inlinePartKey(plain, 1), wrong],
      ] as const,
    };
    expect(inlinePart(block, 0)).toEqual({ compression: 'xz', bytes: Buffer.from('xz') });
    expect(() => inlinePart(block, 1)).toThrow(expect.objectContaining({ code: 'format-invalid' }));
    expect(inlinePart(block, 2)).toBeUndefined();
  });
});

describe('operations', () => {
  const BLOB = 1000;
  const inBlob = fc.tuple(fc.nat(BLOB - 32), fc.nat(32)).map(([offset, length]) => ({ offset, length }));
  const owner = fc.record({ mode: fc.nat(2), xattrs: fc.nat(1) });
  const write = inBlob.map((range): DeltaOperation => ({ op: 'write', ...range }));
  const patch = inBlob.map((range): DeltaOperation => ({ op: 'bspatch', ...range }));
  const opened = (body: DeltaOperation[], ids: { mode: number; xattrs: number }, sizeBytes: number): DeltaOperation[] => [
    { op: 'open', ...ids, sizeBytes },
    ...body,
    { op: 'close' },
  ];

  /** The operations that make one object, and its type. */
  const piece = fc.oneof(
    inBlob.map((range) => ({ type: 'dirtree', ops: [{ op: 'splice-metadata', ...range }] as DeltaOperation[] })),
    fc
      .tuple(owner, inBlob)
      .map(([ids, range]) => ({ type: 'file', ops: [{ op: 'splice-content', ...ids, ...range }] as DeltaOperation[] })),
    fc
      .tuple(owner, fc.array(write, { maxLength: 3 }), fc.maxSafeNat())
      .map(([ids, body, sizeBytes]) => ({ type: 'file', ops: opened(body, ids, sizeBytes) })),
    fc.tuple(owner, fc.array(fc.oneof(write, patch), { maxLength: 3 }), fc.nat(BLOB - 32)).map(([ids, body, offset]) => ({
      type: 'file',
      ops: [{ op: 'set-read-source', offset }, ...opened(body, ids, 5), { op: 'unset-read-source' }] as DeltaOperation[],
    })),
  );
  const program = fc.array(piece, { maxLength: 6 }).map((pieces) => ({
    operations: pieces.flatMap(({ ops }) => ops),
    objects: pieces.map(({ type }) => ({ type, checksum: 'a'.repeat(64) })) as ObjectName[],
  }));
  const tables = {
    modes: [1, 2, 3].map((uid) => ({ uid, gid: 0, mode: 0o100644 })),
    xattrs: [[], []],
    blob: Buffer.alloc(BLOB),
  };

  it('come back', () => {
    fc.assert(
      fc.property(program, ({ operations, objects }) => {
        const encoded = encodeOperations(operations);
        expect(decodeOperations({ ...tables, operations: encoded }, objects)).toEqual(operations);
      }),
    );
  });

  it('that are damaged are refused, or are others with one spelling', () => {
    fc.assert(
      fc.property(program, fc.nat(), fc.nat(255), fc.boolean(), ({ operations, objects }, at, value, cut) => {
        const raw = encodeOperations(operations);
        if (raw.length === 0) return;
        const damaged = cut ? raw.subarray(0, at % raw.length) : raw;
        if (!cut) damaged[at % raw.length] = value;
        let decoded: DeltaOperation[];
        try {
          decoded = decodeOperations({ ...tables, operations: damaged }, objects);
        } catch (error) {
          expect(error).toBeInstanceOf(HacktreeError);
          expect((error as HacktreeError).code).toBe('format-invalid');
          return;
        }
        expect(encodeOperations(decoded).equals(damaged)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const file = [{ type: 'file', checksum: 'a'.repeat(64) }] as ObjectName[];
  const tree = [{ type: 'dirtree', checksum: 'a'.repeat(64) }] as ObjectName[];
  const open: DeltaOperation = { op: 'open', mode: 0, xattrs: 0, sizeBytes: 1 };
  const close: DeltaOperation = { op: 'close' };
  const source: DeltaOperation = { op: 'set-read-source', offset: 0 };
  it.each<[string, ObjectName[], DeltaOperation[]]>([
    ['a blob range beyond the end', tree, [{ op: 'splice-metadata', length: 2, offset: BLOB - 1 }]],
    ['a huge length', tree, [{ op: 'splice-metadata', length: 2 ** 52, offset: 0 }]],
    ['a mode beyond the table', file, [{ op: 'splice-content', mode: 3, xattrs: 0, length: 1, offset: 0 }]],
    ['xattrs beyond the table', file, [{ op: 'splice-content', mode: 0, xattrs: 2, length: 1, offset: 0 }]],
    ['too few objects', file, []],
    ['too many objects', [], [open, close]],
    ['an object that stays open', file, [open]],
    ['an object opened within another', [...file, ...file], [open, open, close, close]],
    ['metadata opened as a file', tree, [open, close]],
    ['a close without open', file, [close]],
    ['a write without open', file, [{ op: 'write', length: 1, offset: 0 }]],
    ['a write outside the blob', file, [open, { op: 'write', length: 1, offset: BLOB }, close]],
    ['a bspatch without source', file, [open, { op: 'bspatch', length: 1, offset: 0 }, close]],
    ['a bspatch outside the blob', file, [source, open, { op: 'bspatch', length: 9, offset: BLOB }, close]],
    ['a source whose checksum is cut', file, [{ op: 'set-read-source', offset: BLOB - 31 }, open, close]],
    ['an unset without source', file, [open, close, { op: 'unset-read-source' }]],
  ])('with %s are refused', (_, objects, operations) => {
    const encoded = encodeOperations(operations);
    expect(() => decodeOperations({ ...tables, operations: encoded }, objects)).toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    );
  });

  it('of an unknown code are refused', () => {
    expect(() => decodeOperations({ ...tables, operations: Buffer.from('Z') }, [])).toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    );
  });
});
