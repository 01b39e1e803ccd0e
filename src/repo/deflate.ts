/**
 * Raw deflate of a stream, synchronously and in bounded memory.
 *
 * Node has no synchronous streaming deflate, so the content is cut into blocks of 1 MiB: each is deflated with the last
 * 32 KiB before it as dictionary and ends on a byte boundary (sync flush), the last with the end mark. The parts form
 * one ordinary deflate stream. Content of up to one block gives exactly what a single call gives.
 *
 * Source: ostree-format 4.1; RFC 1951; zlib manual (Z_SYNC_FLUSH, deflateSetDictionary).
 */
import { constants, deflateRawSync } from 'node:zlib';
import { writeFully } from '../sys/index.ts';

const BLOCK_BYTES = 1 << 20;
const WINDOW_BYTES = 1 << 15;

export class DeflateWriter {
  readonly #level: number;
  readonly #fd: number;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  #window: Buffer | undefined;

  constructor(level: number, fd: number) {
    this.#level = level;
    this.#fd = fd;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === BLOCK_BYTES) this.#flush(constants.Z_SYNC_FLUSH);
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  end(): void {
    this.#flush(constants.Z_FINISH);
  }

  #flush(finishFlush: number): void {
    const input = this.#block.subarray(0, this.#filled);
    const dictionary = this.#window === undefined ? {} : { dictionary: this.#window };
    writeFully(this.#fd, deflateRawSync(input, { level: this.#level, finishFlush, ...dictionary }));
    this.#window = Buffer.from(input.subarray(Math.max(0, input.length - WINDOW_BYTES)));
    this.#filled = 0;
  }
}
