import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Checksum, checksumOf, checksumToBytes } from '../../../../src/core/index.ts';
import {
  type DeltaOperation,
  encodeDirtree,
  encodeInodeMeta,
  encodeOperations,
  type FileHeader,
  fileChecksum,
  type ObjectName,
  type PartPayload,
} from '../../../../src/format/index.ts';
import { executePart } from '../../../../src/remote/index.ts';
import { MemoryDeltaStore } from '../../../helpers/memory-delta-store.ts';
import { noise } from '../../../helpers/noise.ts';

const FILE: FileHeader = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [] };
const LINK: FileHeader = { ...FILE, mode: 0o120777 };
const MODES = [FILE, LINK].map(({ uid, gid, mode }) => ({ uid, gid, mode }));
const SOURCE = Buffer.from('0123456789');

const invalid = expect.objectContaining({ code: 'delta-invalid' });
const file = (checksum: Checksum): ObjectName => ({ checksum, type: 'file' });
const named = (content: string | Buffer, header = FILE): ObjectName => file(fileChecksum(header, Buffer.from(content)));

/** A part whose blob begins with the checksum of a source that the store has. */
function run(operations: DeltaOperation[], objects: ObjectName[], blob: string | Buffer = '', unpackedBytes = 1000n) {
  const store = new MemoryDeltaStore();
  const source = checksumToBytes(store.putFile(FILE, SOURCE));
  const payload: PartPayload = {
    modes: MODES,
    xattrs: [[]],
    blob: Buffer.concat([source, Buffer.from(blob)]),
    operations: encodeOperations(operations),
  };
  const attempt = () => executePart({ payload, objects, unpackedBytes }, store);
  return { store, attempt };
}

const open = (sizeBytes: number, mode = 0): DeltaOperation => ({ op: 'open', mode, xattrs: 0, sizeBytes });
const write = (length: number, offset: number): DeltaOperation => ({ op: 'write', length, offset });
const SET: DeltaOperation = { op: 'set-read-source', offset: 0 };
const UNSET: DeltaOperation = { op: 'unset-read-source' };
const CLOSE: DeltaOperation = { op: 'close' };
const splice = (length: number, offset = 32, mode = 0): DeltaOperation => ({
  op: 'splice-content',
  mode,
  xattrs: 0,
  length,
  offset,
});

describe('executePart', () => {
  it('makes files of pieces of the blob and of a source', () => {
    const object = named('abc345z');
    const { store, attempt } = run([open(7), write(3, 32), SET, write(3, 3), UNSET, write(1, 35), CLOSE], [object], 'abcz');
    expect(attempt()).toEqual({ metadataWritten: 0, filesWritten: 1, contentBytes: 7, skipped: 0 });
    expect(store.files.get(object.checksum)?.content.toString()).toBe('abc345z');
    expect([store.openSinks, store.openSources]).toEqual([0, 0]);
  });

  it('makes metadata, whole files and symlinks', () => {
    const dirtree = encodeDirtree({ files: [], dirs: [] });
    const objects: ObjectName[] = [
      { checksum: checksumOf(dirtree), type: 'dirtree' },
      named('ab'),
      file(fileChecksum({ ...LINK, target: 'ab' }, Buffer.alloc(0))),
    ];
    const operations: DeltaOperation[] = [
      { op: 'splice-metadata', length: dirtree.length, offset: 34 },
      splice(2),
      splice(2, 32, 1),
    ];
    const { store, attempt } = run(operations, objects, Buffer.concat([Buffer.from('ab'), dirtree]), 2n);
    expect(attempt()).toEqual({ metadataWritten: 1, filesWritten: 2, contentBytes: 2, skipped: 0 });
    expect(store.metadata.get(objects[0]?.checksum as Checksum)).toEqual(dirtree);
    expect(store.files.get(objects[2]?.checksum as Checksum)?.header.target).toBe('ab');
  });

  it('skips what is there, without opening its source', () => {
    const { store, attempt } = run([SET, open(10), write(99, 99), CLOSE, UNSET, splice(2)], [named(SOURCE), named('ab')], 'ab');
    expect(attempt()).toEqual({ metadataWritten: 0, filesWritten: 1, contentBytes: 2, skipped: 1 });
    expect(store.sourcesOpened).toBe(0);
  });

  it('keeps a source from one file to the next', () => {
    const { store, attempt } = run([SET, open(2), write(2, 0), CLOSE, open(2), write(2, 8), CLOSE], [named('01'), named('89')]);
    expect(attempt().filesWritten).toBe(2);
    expect(store.sourcesOpened).toBe(1);
    expect(store.openSources).toBe(0);
  });

  const dirtree = encodeDirtree({ files: [], dirs: [] });
  const badMeta = encodeInodeMeta({ uid: 0, gid: 0, mode: 0o100644, xattrs: [] });
  const cases: [string, DeltaOperation[], ObjectName[], (string | Buffer)?, bigint?][] = [
    ['a file that hashes to another name', [splice(2)], [named('xy')], 'ab'],
    ['a file with fewer bytes than announced', [open(3), write(2, 32), CLOSE], [named('ab')], 'ab'],
    ['a file with more bytes than announced', [open(1), write(2, 32), CLOSE], [named('ab')], 'ab'],
    ['a read beyond the end of the source', [SET, open(3), write(3, 8), CLOSE], [named('890')]],
    ['a read far beyond the end of the source', [SET, open(3), write(3, 2 ** 50), CLOSE], [named('890')]],
    ['files larger than promised', [splice(2), splice(3)], [named('ab'), named('abc')], 'abc', 4n],
    ['an announced size larger than promised', [open(2 ** 52), CLOSE], [named('ab')]],
    ['a symlink that is opened', [open(2, 1), write(2, 32), CLOSE], [named('ab', LINK)], 'ab'],
    ['a link target that is not UTF-8', [splice(2, 32, 1)], [named('')], Buffer.from([0xff, 0xfe])],
    ['a link target with a NUL', [splice(2, 32, 1)], [named('')], 'a\0'],
    [
      'metadata that hash to another name',
      [{ op: 'splice-metadata', length: 1, offset: 32 }],
      [{ checksum: checksumOf(dirtree), type: 'dirtree' }],
      'x',
    ],
    [
      'metadata of a wrong shape',
      [{ op: 'splice-metadata', length: badMeta.length, offset: 32 }],
      [{ checksum: checksumOf(badMeta), type: 'dirmeta' }],
      badMeta,
    ],
    ['a patch that is none', [open(2), SET, { op: 'bspatch', offset: 0, length: 32 }, CLOSE], [named('ab')]],
    ['a program that stops in the middle of a file', [open(2), write(2, 32)], [named('ab')], 'ab'],
  ];

  it.each(cases)('refuses %s and leaves nothing open', (_name, ...part) => {
    const { store, attempt } = run(...part);
    expect(attempt).toThrow(invalid);
    expect([store.openSinks, store.openSources]).toEqual([0, 0]);
    expect(store.metadata.size).toBe(0);
  });

  it('says which source is missing', () => {
    const { store, attempt } = run(
      [{ op: 'set-read-source', offset: 32 }, open(1), write(1, 0), CLOSE],
      [named('a')],
      Buffer.alloc(32),
    );
    expect(attempt).toThrow(expect.objectContaining({ code: 'object-missing' }));
    expect(store.openSinks).toBe(0);
  });

  it('never makes a wrong object, whatever the bytes', () => {
    const blob = Buffer.concat([Buffer.from('abcz'), noise(100, 1)]);
    const program: DeltaOperation[] = [
      open(7),
      write(3, 32),
      SET,
      write(3, 3),
      UNSET,
      write(1, 35),
      CLOSE,
      splice(100, 36),
      splice(2, 33, 1),
    ];
    const objects = [named('abc345z'), named(blob.subarray(4)), file(fileChecksum({ ...LINK, target: 'bc' }, Buffer.alloc(0)))];
    const base = encodeOperations(program);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3), (changes, cut) => {
        const operations = Buffer.from(base.subarray(0, base.length - cut));
        for (const [at, byte] of changes) operations[at % operations.length] = byte;
        const store = new MemoryDeltaStore();
        const source = checksumToBytes(store.putFile(FILE, SOURCE));
        const payload = { modes: MODES, xattrs: [[]], blob: Buffer.concat([source, blob]), operations };
        try {
          executePart({ payload, objects, unpackedBytes: 500n }, store);
          expect(objects.every((object) => store.has(object))).toBe(true);
        } catch (error) {
          expect(['delta-invalid', 'object-missing']).toContain((error as { code?: string }).code);
        }
        for (const [checksum, { header, content }] of store.files) expect(fileChecksum(header, content)).toBe(checksum);
        expect([store.openSinks, store.openSources]).toEqual([0, 0]);
      }),
      { numRuns: 2000 },
    );
  });
});
