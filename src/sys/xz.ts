/**
 * xz: compression and decompression in pieces.
 *
 * liblzma does both where the system has it. Without it decompression falls back to WebAssembly (asynchronous, and
 * several times slower), and compression to xz files that are not smaller than their content (xz-store.ts).
 * Decoders stop at the promised size: a few kilobytes can unpack to gigabytes.
 *
 * **Source:** ostree-format 10.3 (preset 8, CRC64), 2 (decoder limited to 100 MiB of memory).
 */
import { ReadableStream } from 'node:stream/web';
import { HacktreeError } from '../core/index.ts';
import { hasLiblzma, LzmaFailure, openLzmaDecoder, openLzmaEncoder } from './natives-lzma.ts';
import { storeXz } from './xz-store.ts';

/** What a decoder may use; dictionaries of up to 64 MiB (xz -9) fit. */
const MEMORY_LIMIT_BYTES = 100 * 1024 * 1024;
const DEFAULT_PRESET = 8;

export interface XzDecodeOptions {
  /** Most bytes of output; one more is an error. */
  readonly maxBytes: number;
  /** What is being read, for messages. */
  readonly what: string;
  /** Code of the error about bad data. Default `format-invalid`. */
  readonly code?: 'format-invalid' | 'delta-invalid';
}

export interface XzEncodeOptions {
  /** 0 to 9. Default 8. */
  readonly preset?: number;
  /** Size of the input when it is known: saves memory. */
  readonly inputBytes?: number;
  /** false: as if there were no liblzma. */
  readonly native?: boolean;
}

/** Tells whether the system has liblzma: whether compressXz compresses, and decompressXzSync works. */
export function hasXz(): boolean {
  return hasLiblzma();
}

/** Makes an .xz stream; without liblzma one that is not compressed. */
export function* compressXz(input: Iterable<Uint8Array>, options: XzEncodeOptions = {}): Generator<Buffer> {
  if (options.native === false || !hasLiblzma()) {
    yield* storeXz(input);
    return;
  }
  const coder = openLzmaEncoder(options.preset ?? DEFAULT_PRESET, options.inputBytes);
  try {
    for (const chunk of input) yield* coder.push(chunk);
    yield* coder.finish();
  } catch (error) {
    throw error instanceof LzmaFailure ? new HacktreeError('internal', `Compressing xz: ${error.message}`) : error;
  } finally {
    coder.close();
  }
}

/**
 * Decompresses, giving chunks that are the caller's. Errors: `not-supported` without liblzma; the given code when the
 * data are damaged, cut, not xz, or larger than promised.
 */
export function* decompressXzSync(input: Iterable<Uint8Array>, options: XzDecodeOptions): Generator<Buffer> {
  const coder = openLzmaDecoder(MEMORY_LIMIT_BYTES);
  const limit = limitTo(options);
  try {
    for (const chunk of input) for (const piece of coder.push(chunk)) yield limit(piece);
    for (const piece of coder.finish()) yield limit(piece);
  } catch (error) {
    throw error instanceof LzmaFailure ? invalid(options, error.message) : error;
  } finally {
    coder.close();
  }
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Decompresses with or without liblzma. `native: false` takes the fallback even so. Errors: as decompressXzSync, but `not-supported`. */
export async function* decompressXz(input: Chunks, options: XzDecodeOptions & { native?: boolean }): AsyncGenerator<Buffer> {
  if (options.native === false || !hasLiblzma()) {
    yield* decompressByWasm(input, options);
    return;
  }
  const coder = openLzmaDecoder(MEMORY_LIMIT_BYTES);
  const limit = limitTo(options);
  try {
    for await (const chunk of input) for (const piece of coder.push(chunk)) yield limit(piece);
    for (const piece of coder.finish()) yield limit(piece);
  } catch (error) {
    throw error instanceof LzmaFailure ? invalid(options, error.message) : error;
  } finally {
    coder.close();
  }
}

/** The package is CommonJS: its only export is a name to bundlers and a member of the default to Node. */
async function loadWasmDecoder(): Promise<typeof import('xz-decompress').XzReadableStream> {
  const loaded: Partial<XzModule> & { default?: XzModule } = await import('xz-decompress');
  const decoder = loaded.XzReadableStream ?? loaded.default?.XzReadableStream;
  if (decoder === undefined) throw new HacktreeError('internal', 'The package xz-decompress has no XzReadableStream');
  return decoder;
}

type XzModule = typeof import('xz-decompress');

async function* decompressByWasm(input: Chunks, options: XzDecodeOptions): AsyncGenerator<Buffer> {
  const XzReadableStream = await loadWasmDecoder();
  const limit = limitTo(options);
  const reader = new XzReadableStream(ReadableStream.from(input) as never).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw invalid(options, `the data are damaged, cut, or need what the fallback lacks (${(error as Error).message})`);
      });
      if (done) return;
      yield limit(Buffer.from(value));
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function limitTo(options: XzDecodeOptions): (piece: Buffer) => Buffer {
  let total = 0;
  return (piece) => {
    total += piece.length;
    if (total <= options.maxBytes) return piece;
    throw invalid(options, `it unpacks to more than the promised ${options.maxBytes} bytes`);
  };
}

function invalid({ what, code = 'format-invalid', maxBytes }: XzDecodeOptions, why: string): HacktreeError {
  return new HacktreeError(code, `Invalid xz data in ${what}: ${why}`, { details: { what, maxBytes } });
}
