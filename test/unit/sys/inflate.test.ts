/** Raw inflate through the C library: the same bytes as node:zlib gives, in pieces of any size; wrong data are told. */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inflateWhole, openZlib, RawInflater } from '../../../src/sys/index.ts';
import { openLibdeflate } from '../../../src/sys/natives-libdeflate.ts';
import { requireTool } from '../../helpers/run.ts';

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 1000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(50)).map(([part, times]) => repeat(part, times)),
);

function repeat(part: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => part));
}

/** Inflates with windows of these sizes, as a reader of a file does. */
function inPieces(packed: Uint8Array, inputBytes: number, outputBytes: number): Buffer {
  const inflater = new RawInflater();
  const output = Buffer.alloc(outputBytes);
  const found: Buffer[] = [];
  try {
    for (let at = 0, isEnd = false; !isEnd; ) {
      const step = inflater.step(packed.subarray(at, at + inputBytes), output);
      if (step.read === 0 && step.written === 0) throw new Error('stands still');
      found.push(Buffer.from(output.subarray(0, step.written)));
      at += step.read;
      isEnd = step.isEnd;
    }
  } finally {
    inflater.close();
  }
  return Buffer.concat(found);
}

it('gives back what node:zlib packed, in pieces of any size', () => {
  fc.assert(
    fc.property(contents, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (content, input, output) => {
      const packed = deflateRawSync(content);
      expect(inPieces(packed, input, output).equals(content)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

it('goes on beyond the window of 32 KiB', () => {
  const content = Buffer.alloc(3_000_000);
  for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE((at * 2654435761) >>> (at % 29), at);
  expect(inPieces(deflateRawSync(content), 4096, 10_000).equals(content)).toBe(true);
});

/** The quicker of the two is used where the system has it. */
describe.each(['libdeflate', 'zlib'])('a whole stream by %s', (name) => {
  const isThere = name === 'zlib' || openLibdeflate() !== undefined;
  const itInflates = isThere || requireTool('libdeflate.so.0 (Debian: libdeflate0)') ? it : it.skip;
  const inflate = (isThere ? (name === 'zlib' ? openZlib() : openLibdeflate()) : undefined) as typeof inflateWhole;

  itInflates('gives back what node:zlib packed', () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 0, max: 9 }), (content, level) => {
        const room = Buffer.alloc(content.length + 1);
        expect(inflate(deflateRawSync(content, { level }), room)).toBe(content.length);
        expect(room.subarray(0, content.length).equals(content)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  itInflates('fills the room and no more when the stream is longer than expected', () => {
    const room = Buffer.alloc(1001, 0xee);
    expect(inflate(deflateRawSync(Buffer.alloc(50_000_000)), room.subarray(0, 1000))).toBe(1000);
    expect(room[1000]).toBe(0xee);
  });

  itInflates('tells a cut stream and bytes that are none, and takes the next stream', () => {
    const packed = deflateRawSync(Buffer.from('one two three four five'.repeat(9)));
    const room = Buffer.alloc(1000);
    for (let cut = 0; cut < packed.length; cut++) expect(() => inflate(packed.subarray(0, cut), room)).toThrow('cut');
    expect(() => inflate(Buffer.from('<html>not found</html>'), room)).toThrow('not a deflate stream');
    expect(inflate(packed, room)).toBe(23 * 9);
  });
});

it('one of them is chosen', () => {
  const room = Buffer.alloc(8);
  expect(inflateWhole(deflateRawSync(Buffer.from('content')), room)).toBe(7);
});
