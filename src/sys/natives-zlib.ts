/**
 * Raw inflate through koffi, synchronously and straight into memory that the caller gives.
 *
 * Node has no synchronous streaming inflate, and its one-shot call makes a stream object and new memory for every file; this
 * one keeps both (a fifth less time over the objects of an OS tree, measured). The zlib is the one that Node itself contains
 * or is linked with, else the system's.
 *
 * Source: zlib.h (z_stream, inflateInit2_, inflate, inflateReset); LP64 layout, little-endian.
 */
import { HacktreeError } from '../core/index.ts';
import { loadKoffi } from './natives-koffi.ts';
import { type InflateWhole, openLibdeflate } from './natives-libdeflate.ts';

interface Zlib {
  readonly address: (memory: Uint8Array) => bigint;
  readonly init: (stream: Buffer, windowBits: number, version: string, streamBytes: number) => number;
  readonly inflate: (stream: Buffer, flush: number) => number;
  readonly reset: (stream: Buffer) => number;
  readonly end: (stream: Buffer) => number;
}

let library: Zlib | undefined;

function load(): Zlib {
  library ??= tryLoad(null) ?? tryLoad('libz.so.1');
  if (library !== undefined) return library;
  throw new HacktreeError('not-supported', 'Neither this Node.js nor the system has zlib as a library', {
    hints: ['install zlib (libz.so.1; Debian: zlib1g)'],
  });
}

function tryLoad(name: string | null): Zlib | undefined {
  try {
    const koffi = loadKoffi();
    const zlib = koffi.load(name);
    return {
      address: (memory) => koffi.address(memory),
      init: zlib.func('int inflateInit2_(uint8_t *stream, int bits, const char *version, int size)'),
      inflate: zlib.func('int inflate(uint8_t *stream, int flush)'),
      reset: zlib.func('int inflateReset(uint8_t *stream)'),
      end: zlib.func('int inflateEnd(uint8_t *stream)'),
    };
  } catch {
    return undefined;
  }
}

/** Size of z_stream and offsets in it. */
const STREAM = { bytes: 112, nextIn: 0, availIn: 8, nextOut: 24, availOut: 32 } as const;
const RAW_WINDOW_BITS = -15;
/** The first digit is all that zlib compares. */
const VERSION = '1';
const Z = { ok: 0, streamEnd: 1, bufferError: -5 } as const;

export interface InflateStep {
  /** Bytes taken of the input. */
  readonly read: number;
  /** Bytes put into the output. */
  readonly written: number;
  /** The stream is complete; what follows it was not looked at. */
  readonly isEnd: boolean;
}

/** One stream after another. Call close when it is not needed any more. */
export class RawInflater {
  readonly #zlib = load();
  readonly #stream = Buffer.alloc(STREAM.bytes);

  constructor() {
    if (this.#zlib.init(this.#stream, RAW_WINDOW_BITS, VERSION, STREAM.bytes) !== Z.ok) throw new Error('zlib does not start');
  }

  /** Goes on until the input is used up, the output is full or the stream ends. Throws an Error when the data are wrong. */
  step(input: Uint8Array, output: Uint8Array): InflateStep {
    const stream = this.#stream;
    stream.writeBigUInt64LE(this.#zlib.address(input), STREAM.nextIn);
    stream.writeUInt32LE(input.length, STREAM.availIn);
    stream.writeBigUInt64LE(this.#zlib.address(output), STREAM.nextOut);
    stream.writeUInt32LE(output.length, STREAM.availOut);
    const status = this.#zlib.inflate(stream, 0);
    if (status !== Z.ok && status !== Z.streamEnd && status !== Z.bufferError) throw new Error('not a deflate stream');
    const read = input.length - stream.readUInt32LE(STREAM.availIn);
    const written = output.length - stream.readUInt32LE(STREAM.availOut);
    return { read, written, isEnd: status === Z.streamEnd };
  }

  /** Makes ready for the next stream. */
  reset(): void {
    this.#zlib.reset(this.#stream);
  }

  close(): void {
    this.#zlib.end(this.#stream);
  }
}

let whole: InflateWhole | undefined;

/**
 * Inflates a whole stream; returns its length in bytes. `output` needs room for one byte more than is expected: a longer
 * stream fills it. Throws an Error when the data are wrong or cut.
 */
export function inflateWhole(input: Uint8Array, output: Uint8Array): number {
  whole ??= openLibdeflate() ?? openZlib();
  return whole(input, output);
}

/** The same by zlib. */
export function openZlib(): InflateWhole {
  const inflater = new RawInflater();
  return (input, output) => {
    inflater.reset();
    const { written, isEnd } = inflater.step(input, output);
    if (!isEnd && written < output.length) throw new Error('the deflate stream is cut');
    return written;
  };
}
