/**
 * liblzma through koffi: coders that take and give bytes in pieces. Loaded on first use; absent on some systems.
 *
 * A coder owns one block of native memory: the lzma_stream structure, the filter chain, an input and an output window.
 * Node sees the block as an ArrayBuffer, so bytes are copied in and out and no pointer ever refers to memory that the
 * garbage collector may move or free. After close() the block is gone.
 *
 * **Source:** lzma/base.h (lzma_stream, lzma_ret), lzma/container.h, lzma/lzma12.h of liblzma 5.x; LP64 layout.
 */
import { HacktreeError } from '../core/index.ts';
import { loadKoffi } from './natives-koffi.ts';

const LIBRARY = 'liblzma.so.5';

// biome-ignore lint/suspicious/noExplicitAny: foreign functions have no static types
type Native = (...args: any[]) => number;

interface Liblzma {
  readonly alloc: (size: number) => unknown;
  readonly free: (block: unknown) => void;
  readonly address: (block: unknown) => bigint;
  readonly view: (block: unknown, size: number) => ArrayBuffer;
  readonly decoder: Native;
  readonly encoder: Native;
  readonly preset: Native;
  readonly code: Native;
  readonly end: (block: unknown) => void;
}

let library: Liblzma | null | undefined;

function load(): Liblzma | null {
  if (library === undefined) library = tryLoad();
  return library;
}

function tryLoad(): Liblzma | null {
  try {
    const koffi = loadKoffi();
    const lzma = koffi.load(LIBRARY);
    const bind = (prototype: string): Native => lzma.func(prototype) as unknown as Native;
    return {
      alloc: (size) => koffi.alloc('uint8_t', size),
      free: (block) => koffi.free(block),
      address: (block) => koffi.address(block),
      view: (block, size) => koffi.view(block, size),
      decoder: bind('int lzma_stream_decoder(void *stream, uint64_t memlimit, uint32_t flags)'),
      encoder: bind('int lzma_stream_encoder(void *stream, void *filters, int check)'),
      preset: bind('uint8_t lzma_lzma_preset(void *options, uint32_t preset)'),
      code: bind('int lzma_code(void *stream, int action)'),
      end: bind('void lzma_end(void *stream)'),
    };
  } catch {
    return null;
  }
}

/** Tells whether the system has liblzma. */
export function hasLiblzma(): boolean {
  return load() !== null;
}

/** lzma_ret. */
const LZMA = {
  ok: 0,
  streamEnd: 1,
  outOfMemory: 5,
  memoryLimit: 6,
  notXz: 7,
  unsupported: 8,
  corrupt: 9,
  cannotGoOn: 10,
} as const;

const RUN = 0;
const FINISH = 3;
const CONCATENATED = 0x08;
const CHECK_CRC64 = 4;
const FILTER_LZMA2 = 0x21n;
const FILTERS_END = 0xffffffffffffffffn;

/** Offsets in lzma_stream. */
const STREAM = { nextIn: 0, availIn: 8, nextOut: 24, availOut: 32 } as const;

/** Layout of the block. The structures are smaller than the room they get, for future versions. */
const FILTERS_AT = 512;
const OPTIONS_AT = 640;
const INPUT_AT = 4096;
const WINDOW_BYTES = 64 * 1024;
const OUTPUT_AT = INPUT_AT + WINDOW_BYTES;
const BLOCK_BYTES = OUTPUT_AT + WINDOW_BYTES;

/** What went wrong inside a coder. `corrupt` covers all that the data are to blame for. */
export class LzmaFailure extends Error {
  readonly kind: 'corrupt' | 'memory-limit' | 'internal';

  constructor(kind: LzmaFailure['kind'], message: string) {
    super(message);
    this.name = 'LzmaFailure';
    this.kind = kind;
  }
}

/** One compression or decompression. close() must be called, also after an error. */
export class LzmaCoder {
  readonly #lzma: Liblzma;
  readonly #block: unknown;
  readonly #base: bigint;
  readonly #bytes: Uint8Array;
  readonly #fields: DataView;
  #isOpen = true;
  #isEnded = false;

  constructor(start: (lzma: Liblzma, block: unknown, fields: DataView, base: bigint) => number) {
    const lzma = load();
    if (lzma === null) throw new HacktreeError('not-supported', `${LIBRARY} is not installed on this system`);
    this.#lzma = lzma;
    this.#block = lzma.alloc(BLOCK_BYTES);
    const memory = lzma.view(this.#block, BLOCK_BYTES);
    this.#bytes = new Uint8Array(memory);
    this.#fields = new DataView(memory);
    this.#base = lzma.address(this.#block);
    this.#bytes.fill(0, 0, INPUT_AT); // LZMA_STREAM_INIT is all zeros
    const status = start(lzma, this.#block, this.#fields, this.#base);
    if (status === LZMA.ok) return;
    this.close();
    throw failureOf(status);
  }

  /** Whether the end of the compressed data has been reached. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes input and gives all output it makes, in pieces that are the caller's. Errors: LzmaFailure. */
  *push(input: Uint8Array): Generator<Buffer> {
    for (let at = 0; at < input.length && this.#isOpen; at += WINDOW_BYTES) {
      const piece = input.subarray(at, at + WINDOW_BYTES);
      this.#bytes.set(piece, INPUT_AT);
      this.#fields.setBigUint64(STREAM.nextIn, this.#base + BigInt(INPUT_AT), true);
      this.#fields.setBigUint64(STREAM.availIn, BigInt(piece.length), true);
      yield* this.#run(RUN);
    }
  }

  /** Says that there is no more input and gives the rest of the output. Errors: LzmaFailure when the data are cut. */
  *finish(): Generator<Buffer> {
    yield* this.#run(FINISH);
    if (!this.#isEnded) throw new LzmaFailure('corrupt', 'the data are cut');
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#lzma.end(this.#block);
    this.#lzma.free(this.#block);
  }

  *#run(action: number): Generator<Buffer> {
    for (;;) {
      if (!this.#isOpen) throw new LzmaFailure('internal', 'the coder is closed');
      this.#fields.setBigUint64(STREAM.nextOut, this.#base + BigInt(OUTPUT_AT), true);
      this.#fields.setBigUint64(STREAM.availOut, BigInt(WINDOW_BYTES), true);
      const status = this.#lzma.code(this.#block, action);
      const left = Number(this.#fields.getBigUint64(STREAM.availOut, true));
      if (status === LZMA.streamEnd) this.#isEnded = true;
      else if (status !== LZMA.ok && status !== LZMA.cannotGoOn) throw failureOf(status);
      if (left < WINDOW_BYTES) yield Buffer.from(this.#bytes.subarray(OUTPUT_AT, OUTPUT_AT + WINDOW_BYTES - left));
      if (this.#isEnded || status === LZMA.cannotGoOn) return;
      if (left > 0 && action === RUN) return;
    }
  }
}

function failureOf(status: number): LzmaFailure {
  if (status === LZMA.memoryLimit) return new LzmaFailure('memory-limit', 'it needs more memory than is allowed');
  if (status === LZMA.notXz) return new LzmaFailure('corrupt', 'it is not in xz format');
  if (status === LZMA.unsupported) return new LzmaFailure('corrupt', 'it uses unknown features');
  if (status === LZMA.corrupt) return new LzmaFailure('corrupt', 'the data are damaged');
  if (status === LZMA.outOfMemory) return new LzmaFailure('internal', 'there is not enough memory');
  return new LzmaFailure('internal', `liblzma failed with status ${status}`);
}

/** Opens a decompressor of .xz data, also of several streams in a row. Its memory stays under the limit. */
export function openLzmaDecoder(memoryLimitBytes: number): LzmaCoder {
  return new LzmaCoder((lzma, block) => lzma.decoder(block, BigInt(memoryLimitBytes), CONCATENATED));
}

/** Opens a compressor to .xz with CRC64. A dictionary larger than the input would be memory for nothing. */
export function openLzmaEncoder(preset: number, inputBytes: number | undefined): LzmaCoder {
  return new LzmaCoder((lzma, block, fields, base) => {
    const options = base + BigInt(OPTIONS_AT);
    if (lzma.preset(options, preset) !== 0) return LZMA.unsupported;
    const dictionary = fields.getUint32(OPTIONS_AT, true);
    if (inputBytes !== undefined) fields.setUint32(OPTIONS_AT, Math.min(dictionary, Math.max(4096, inputBytes)), true);
    fields.setBigUint64(FILTERS_AT, FILTER_LZMA2, true);
    fields.setBigUint64(FILTERS_AT + 8, options, true);
    fields.setBigUint64(FILTERS_AT + 16, FILTERS_END, true);
    return lzma.encoder(block, base + BigInt(FILTERS_AT), CHECK_CRC64);
  });
}
