import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compressXz, decompressXz, decompressXzSync, hasXz } from '../../../src/sys/index.ts';
import { noise } from '../../helpers/noise.ts';

const compress = (bytes: Uint8Array, options?: Parameters<typeof compressXz>[1]): Buffer =>
  Buffer.concat([...compressXz([bytes], options)]);

const chunked = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

interface Limits {
  maxBytes: number;
  code?: 'format-invalid' | 'delta-invalid';
}

/** The three ways to decompress. */
const DECODERS: [string, (input: Uint8Array[], limits: Limits) => Promise<Buffer>][] = [
  ['liblzma, synchronous', async (input, limits) => Buffer.concat([...decompressXzSync(input, { what: 'test', ...limits })])],
  ['liblzma', (input, limits) => collect(decompressXz(input, { what: 'test', ...limits }))],
  ['WebAssembly', (input, limits) => collect(decompressXz(input, { what: 'test', native: false, ...limits }))],
];

const TEXT = Buffer.concat([Buffer.alloc(200_000, 'hello '), noise(50_000, 1)]);

it('finds liblzma on the machines that test', () => {
  expect(hasXz()).toBe(true);
});

describe.each(DECODERS)('xz by %s', (_name, decompress) => {
  it('gives back what was compressed, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000, max: 5 }), fc.integer({ min: 1, max: 500 }), async (bytes, size) => {
        const output = await decompress(chunked(compress(bytes), size), { maxBytes: bytes.length });
        expect(output.equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
    const large = compress(TEXT);
    expect((await decompress([large], { maxBytes: TEXT.length })).equals(TEXT)).toBe(true);
    expect((await decompress(chunked(large, 70_000), { maxBytes: TEXT.length })).equals(TEXT)).toBe(true);
  });

  it('reads several streams in a row', async () => {
    const both = Buffer.concat([compress(Buffer.from('one ')), compress(Buffer.from('two'))]);
    expect((await decompress([both], { maxBytes: 7 })).toString()).toBe('one two');
  });

  it('refuses data that are cut anywhere', async () => {
    const whole = compress(Buffer.from('some text to compress'));
    for (let length = 0; length < whole.length; length++) {
      await expect(decompress([whole.subarray(0, length)], { maxBytes: 100 })).rejects.toMatchObject({ code: 'format-invalid' });
    }
  });

  it('refuses damaged data with the code it is told', async () => {
    const whole = compress(TEXT);
    for (const at of [0, 8, 20, whole.length >> 1, whole.length - 15, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      const attempt = decompress([damaged], { maxBytes: TEXT.length, code: 'delta-invalid' });
      await expect(attempt).rejects.toMatchObject({ code: 'delta-invalid' });
    }
    await expect(decompress([Buffer.from('this is no xz data at all')], { maxBytes: 9 })).rejects.toMatchObject({
      code: 'format-invalid',
    });
  });

  it('stops at the promised size', async () => {
    const bomb = compress(Buffer.alloc(20_000_000), { preset: 0 });
    let given = 0;
    const watched = (function* () {
      for (const chunk of chunked(bomb, 16)) {
        given++;
        yield chunk;
      }
    })();
    await expect(decompress(watched as never, { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'format-invalid',
      message: expect.stringContaining('promised 100000 bytes'),
    });
    expect(given).toBeLessThan(bomb.length / 16 / 2);
  });
});

describe('xz without compression', () => {
  it.each(DECODERS)('is read by %s', async (_name, decompress) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), TEXT, noise(65_536, 2), noise(65_537, 3), noise(300_001, 4)]) {
      const stored = Buffer.concat([...compressXz(chunked(bytes, 100_000), { native: false })]);
      expect((await decompress([stored], { maxBytes: bytes.length })).equals(bytes)).toBe(true);
      expect(stored.length).toBeLessThan(bytes.length * 1.001 + 100);
    }
  });
});

describe('a decoder that is left early', () => {
  it('frees its memory', () => {
    const bytes = compress(Buffer.alloc(1_000_000));
    for (let i = 0; i < 200; i++) {
      for (const chunk of decompressXzSync([bytes], { maxBytes: 2_000_000, what: 'test' })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 1000; i++) for (const _ of decompressXzSync([bytes], { maxBytes: 2_000_000, what: 'test' })) break;
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });
});
