/**
 * Undoes the compression of a byte stream, recognised by its first bytes: gzip, xz, zstd, bzip2, or none.
 * Decoders are loaded when they are met.
 *
 * Source: magic numbers of RFC 1952, the .xz file format 1.2, RFC 8878, bzip2.
 */
import { PassThrough, Readable, Transform } from 'node:stream';
import { HacktreeError } from '../../core/index.ts';

type Compression = 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'none';

const MAGIC: readonly [Compression, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];
const MAGIC_BYTES = 6;

/** Names the compression that a stream begins with. */
function detectCompression(start: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0] ?? 'none';
}

/** Returns the uncompressed stream. Errors reach the reader as `tar-invalid`. */
export async function decompress(input: Readable): Promise<Readable> {
  const { start, whole } = await peek(input);
  const kind = detectCompression(start);
  if (kind === 'none') return whole;
  const output = await decoder(kind, whole);
  const failed = new PassThrough();
  const fail = (cause: Error): void => {
    failed.destroy(new HacktreeError('tar-invalid', `Cannot decompress the ${kind} data: ${cause.message}`, { cause }));
  };
  whole.on('error', fail);
  output.on('error', fail);
  return output.pipe(failed);
}

/** Reads the first bytes and gives a stream that still has them. */
async function peek(input: Readable): Promise<{ start: Buffer; whole: Readable }> {
  const chunks: Buffer[] = [];
  let size = 0;
  const iterator = input[Symbol.asyncIterator]();
  while (size < MAGIC_BYTES) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    chunks.push(value as Buffer);
    size += (value as Buffer).length;
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* chunks;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) return;
      yield value as Buffer;
    }
  }
  return { start: Buffer.concat(chunks), whole: Readable.from(all(), { objectMode: false }) };
}

async function decoder(kind: Exclude<Compression, 'none'>, input: Readable): Promise<Readable> {
  switch (kind) {
    case 'gzip':
      return input.pipe((await import('node:zlib')).createGunzip());
    case 'bzip2':
      return input.pipe((await import('unbzip2-stream')).default() as unknown as Transform);
    case 'xz': {
      const { XzReadableStream } = await import('xz-decompress');
      return Readable.fromWeb(new XzReadableStream(Readable.toWeb(input) as never) as never);
    }
    default:
      return input.pipe(await zstdDecoder());
  }
}

async function zstdDecoder(): Promise<Transform> {
  const { Decompress } = await import('fzstd');
  let out: Transform | undefined;
  const inner = new Decompress((chunk) => out?.push(Buffer.from(chunk)));
  out = new Transform({
    transform(chunk: Buffer, _, done) {
      try {
        inner.push(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        inner.push(new Uint8Array(0), true);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return out;
}
