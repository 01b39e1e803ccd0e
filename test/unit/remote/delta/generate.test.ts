/** The pure steps of generation: pairing, planning, assembling. Whole deltas are in test/oracle/static-delta. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Checksum } from '../../../../src/core/index.ts';
import { checksumOf } from '../../../../src/core/index.ts';
import { type FileHeader, fileChecksum } from '../../../../src/format/index.ts';
import { copySteps, type DeltaEntry, PartAssembler, type RawPart } from '../../../../src/remote/delta/assemble.ts';
import { compareContent } from '../../../../src/remote/delta/compare.ts';
import { DEFAULT_LIMITS, type InventoryFile, planDelta } from '../../../../src/remote/delta/plan.ts';
import { pairSimilar } from '../../../../src/remote/delta/similar.ts';
import {
  executePart,
  maxPayloadBytes,
  packPart,
  readPartFile,
  unpackPart,
  unpackPartSync,
} from '../../../../src/remote/index.ts';
import { MemoryDeltaStore } from '../../../helpers/memory-delta-store.ts';
import { noise } from '../../../helpers/noise.ts';

const nameOf = (text: string): Checksum => checksumOf(Buffer.from(text));
const file = (path: string, sizeBytes: number, mode = 0o100644): InventoryFile => ({
  checksum: nameOf(`${path} ${sizeBytes}`),
  paths: [path],
  sizeBytes,
  mode,
  archivedBytes: sizeBytes,
});

describe('pairSimilar', () => {
  const pairOf = (path: string, sizeBytes: number, old: InventoryFile[]): string | undefined =>
    pairSimilar([file(path, sizeBytes)], old)
      .values()
      .next().value?.paths[0];

  it('prefers the same path, then the nearest place, then the nearest size', () => {
    const old = [file('/a/x', 1000), file('/b/x', 1001), file('/b/c/x', 1100), file('/b/c/y', 1000)];
    expect(pairOf('/a/x', 1001, old)).toBe('/a/x');
    expect(pairOf('/b/c/x', 1000, old)).toBe('/b/c/x');
    expect(pairOf('/d/x', 1002, old)).toBe('/b/x');
  });

  it('knows a new version by its name without digits', () => {
    const old = [file('/usr/lib/libfoo.so.1.2.3', 1000), file('/usr/lib/libbar.so.1.2.3', 1000)];
    expect(pairOf('/usr/lib/libfoo.so.1.2.10', 1100, old)).toBe('/usr/lib/libfoo.so.1.2.3');
    expect(pairOf('/usr/lib/libbaz.so.1.2.3', 1000, old)).toBeUndefined();
  });

  it('leaves files alone whose size differs by more than 30 %', () => {
    expect(pairOf('/x', 1000, [file('/x', 701)])).toBe('/x');
    expect(pairOf('/x', 1000, [file('/x', 699)])).toBeUndefined();
    expect(pairOf('/x', 1000, [file('/x', 1301)])).toBeUndefined();
  });

  it('finds the nearest size among thousands of the same name', () => {
    const old = Array.from({ length: 5000 }, (_, i) => file(`/${i}/__init__.py`, 1000 + i));
    expect(pairOf('/new/__init__.py', 3456, old)).toBe('/2456/__init__.py');
  });
});

describe('planDelta', () => {
  it('sorts files into pairs, whole files, symlinks and fallbacks', () => {
    const changed = file('/changed', 1000);
    const small = file('/small', 100);
    const secret = file('/secret', 1000, 0o100600);
    const large = file('/large', 4_000_000);
    const link = file('/link', 0, 0o120777);
    const oldFiles = [file('/changed', 1001), file('/small', 101), file('/secret', 1001, 0o100600), file('/large', 4_000_001)];
    const plan = planDelta({ newMetadata: [], newFiles: [changed, small, secret, large, link], oldFiles }, DEFAULT_LIMITS);
    expect(plan.pairs.map(({ file: { paths }, source }) => [paths[0], source.sizeBytes])).toEqual([['/changed', 1001]]);
    expect(plan.plain.map(({ paths }) => paths[0]).sort()).toEqual(['/secret', '/small']);
    expect(plan.symlinks).toEqual([link]);
    expect(plan.fallbacks).toEqual([large]);
    const all = planDelta({ newMetadata: [], newFiles: [large], oldFiles }, { ...DEFAULT_LIMITS, minFallbackBytes: 0 });
    expect([all.pairs.length, all.fallbacks.length]).toEqual([1, 0]);
  });

  it('does not depend on the order of its input', () => {
    const files = Array.from({ length: 30 }, (_, i) => file(`/d${i % 3}/f${i}.${i % 4}`, 1000 + i));
    const oldFiles = files.map(({ paths, sizeBytes }) => file(paths[0] as string, sizeBytes + 1));
    const newMetadata = files.map(({ checksum }) => ({ checksum, type: 'dirtree' as const }));
    const expected = planDelta({ newMetadata, newFiles: files, oldFiles }, DEFAULT_LIMITS);
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: 30 }), fc.shuffledSubarray(oldFiles, { minLength: 30 }), (a, b) => {
        expect(planDelta({ newMetadata: [...newMetadata].reverse(), newFiles: a, oldFiles: b }, DEFAULT_LIMITS)).toEqual(
          expected,
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('compareContent', () => {
  const source = noise(100_000, 1);

  it('copies where half is the same, patches where it is alike, gives up where nothing is', () => {
    const half = Buffer.concat([source.subarray(0, 70_000), noise(30_000, 2)]);
    const alike = Buffer.from(source);
    for (let i = 0; i < alike.length; i += 50) alike[i] = (alike[i] as number) + 1;
    const kinds = [half, alike, noise(100_000, 3)].map((target) => compareContent(source, target, { bsdiff: true }).kind);
    expect(kinds).toEqual(['rollsum', 'bsdiff', 'plain']);
    expect(compareContent(source, alike, { bsdiff: false }).kind).toBe('plain');
  });
});

const HEADERS: FileHeader[] = [0o100644, 0o100755, 0o120777].map((mode) => ({
  uid: mode % 3,
  gid: 0,
  mode,
  target: mode === 0o120777 ? 'a/target' : '',
  xattrs: mode === 0o100755 ? [{ name: Buffer.from('user.a'), value: Buffer.from('b') }] : [],
}));

/** Entries of files made from parts of one source. */
function makeEntries(store: MemoryDeltaStore): DeltaEntry[] {
  const base = noise(150_000, 4);
  const source = store.putFile(HEADERS[0] as FileHeader, base);
  const symlink = HEADERS[2] as FileHeader;
  const entries: DeltaEntry[] = [{ kind: 'symlink', checksum: fileChecksum(symlink, Buffer.alloc(0)), header: symlink }];
  for (let i = 0; i < 12; i++) {
    const header = HEADERS[i % 2] as FileHeader;
    const target = Buffer.concat([base.subarray(i * 1000, i * 1000 + 90_000 + i), noise(i * 400, i), base.subarray(0, i * 3000)]);
    if (i % 3 === 1) for (let at = i; at < target.length; at += 40) target[at] = (target[at] as number) + 1;
    const checksum = fileChecksum(header, target);
    const difference = compareContent(base, target, { bsdiff: true });
    const sizeBytes = target.length;
    if (difference.kind === 'plain' || i % 4 === 0) entries.push({ kind: 'plain', checksum, header, content: target });
    else if (difference.kind === 'bsdiff')
      entries.push({ kind: 'bsdiff', checksum, header, source, patch: difference.patch, sizeBytes });
    else entries.push({ kind: 'rollsum', checksum, header, source, steps: copySteps(target, difference.ranges), sizeBytes });
  }
  return entries;
}

const execute = ({ payload, objects, unpackedBytes }: RawPart, store: MemoryDeltaStore) =>
  executePart({ payload, objects, unpackedBytes: BigInt(unpackedBytes) }, store);

describe('parts', () => {
  it.each([1, 10_000, 30_000, 10_000_000])('of at most %d bytes make all objects again', (maxBytes) => {
    const store = new MemoryDeltaStore();
    const entries = makeEntries(store);
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(['symlink', 'plain', 'bsdiff', 'rollsum']));
    const assembler = new PartAssembler(maxBytes);
    const parts = [...entries.map((entry) => assembler.add(entry)), assembler.finish()].filter((part) => part !== undefined);
    expect(assembler.finish()).toBeUndefined();
    const made = parts.reduce((sum, part) => sum + execute(part, store).filesWritten, 0);
    expect(made).toBe(entries.length);
    for (const entry of entries) expect(store.files.has((entry as { checksum: Checksum }).checksum)).toBe(true);
    for (const { payload, objects } of parts) {
      if (objects.length > 1) expect(payload.blob.length).toBeLessThanOrEqual(maxBytes);
      expect(payload.modes.length).toBeLessThanOrEqual(3);
    }
  });

  it('are packed, checked and unpacked', async () => {
    const entries = makeEntries(new MemoryDeltaStore());
    const assembler = new PartAssembler(1_000_000);
    for (const entry of entries) assembler.add(entry);
    const { payload, objects, unpackedBytes } = assembler.finish() as RawPart;
    const { bytes, checksum } = packPart(payload);
    const part = { version: 0, checksum, sizeBytes: BigInt(bytes.length), unpackedBytes: BigInt(unpackedBytes), objects };
    expect(unpackPartSync(readPartFile(bytes, part), part)).toEqual(payload);
    expect(await unpackPart(readPartFile(bytes, part), part)).toEqual(payload);
    const damaged = Buffer.from(bytes);
    damaged[500] = (damaged[500] as number) ^ 1;
    for (const wrong of [damaged, bytes.subarray(1), Buffer.alloc(0)]) {
      expect(() => readPartFile(wrong, part)).toThrow(expect.objectContaining({ code: 'delta-invalid' }));
    }
    expect(() => readPartFile(bytes, { ...part, version: 1 })).toThrow(expect.objectContaining({ code: 'delta-invalid' }));
  });

  it('that unpack to more than they can need are bombs', () => {
    const payload = { modes: [], xattrs: [], blob: Buffer.alloc(5_000_000), operations: Buffer.alloc(0) };
    const { bytes, checksum } = packPart(payload);
    const part = { version: 0, checksum, sizeBytes: BigInt(bytes.length), unpackedBytes: 10n, objects: [] };
    expect(maxPayloadBytes(part)).toBeLessThan(5_000_000);
    expect(() => unpackPartSync(readPartFile(bytes, part), part)).toThrow(expect.objectContaining({ code: 'delta-invalid' }));
  });
});
