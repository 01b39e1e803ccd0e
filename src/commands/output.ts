/**
 * Standard output of a command: collected into large pieces and written synchronously.
 *
 * Synchronous writes keep memory flat for `cat` and `ls -R` whatever the reader's pace, and nothing is lost when the
 * process ends. A reader that went away (`| head`) ends the command quietly; any other failure is an error, so that a
 * full disk behind `> file` is not taken for success.
 */
import * as fs from 'node:fs';
import { HacktreeError, wrapSystemError } from '../core/index.ts';

const PIECE_BYTES = 64 * 1024;
const RETRY_MS = 5;

/** Thrown when the reader of standard output is gone. Never shown. */
export class ReaderGone extends Error {}

/** Prints one text to the process's standard output. Errors: `io`, `no-space`; ReaderGone. */
export function printAll(text: string): void {
  const output = new Output(1);
  output.print(text);
  output.flush();
}

export class Output {
  readonly #fd: number;
  #pieces: string[] = [];
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Adds text as it is. Errors: `io`, `no-space`; ReaderGone. */
  print(text: string): void {
    this.#pieces.push(text);
    this.#length += text.length;
    if (this.#length >= PIECE_BYTES) this.flush();
  }

  /** Writes bytes after what was printed so far. Errors as print. */
  bytes(bytes: Uint8Array): void {
    this.flush();
    writeAll(this.#fd, bytes);
  }

  /** Hands everything to the kernel. Errors as print. */
  flush(): void {
    if (this.#length === 0) return;
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#length = 0;
    writeAll(this.#fd, Buffer.from(text, 'utf8'));
  }
}

/** Writes everything, waiting while a non-blocking descriptor is full. Errors: `io`, `no-space`; ReaderGone. */
function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (errno === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      else if (errno === 'EPIPE') throw new ReaderGone();
      else throw outputError(error);
    }
  }
}

function outputError(error: unknown): unknown {
  const wrapped = wrapSystemError(error, 'Writing to standard output');
  return wrapped instanceof Error ? wrapped : new HacktreeError('io', 'Writing to standard output failed', { cause: error });
}

/** Writes a message to standard error; a closed one is no reason to fail. */
export function writeStderr(text: string): void {
  try {
    writeAll(2, Buffer.from(text, 'utf8'));
  } catch {
    // Nobody listens.
  }
}
