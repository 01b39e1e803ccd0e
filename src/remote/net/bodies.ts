/** What becomes of the body of a response: taken up to a limit, kept in memory or spilled into a file, or a range of a whole. */
import * as fs from 'node:fs';
import { HacktreeError } from '../../core/index.ts';
import { writeFully } from '../../sys/index.ts';
import type { Receiver, ResponseHead } from './transport.ts';

const EMPTY = Buffer.alloc(0);

/** A body that goes to memory first, and to a file once it is too long or continues one. */
export class Spill {
  readonly #file: string;
  readonly #present: number;
  readonly #openRoom: () => Buffer;
  #room: Buffer = EMPTY;
  #length = 0;
  #fd: number | undefined;

  constructor(file: string, present: number, openRoom: () => Buffer) {
    this.#file = file;
    this.#present = present;
    this.#openRoom = openRoom;
  }

  /** A part stays as it is until its file comes: an error or a redirect has a body too. */
  begin({ status, headers }: ResponseHead): void {
    if (this.#present === 0 || (status !== 200 && status !== 206)) return;
    const continues = status === 206 && one(headers['content-range'])?.startsWith(`bytes ${this.#present}-`) === true;
    this.#fd = fs.openSync(this.#file, continues ? 'a' : 'w', 0o600);
  }

  write(chunk: Buffer): void {
    if (this.#fd === undefined && this.#room === EMPTY) this.#room = this.#openRoom();
    if (this.#fd === undefined && this.#length + chunk.length <= this.#room.length) {
      chunk.copy(this.#room, this.#length);
      this.#length += chunk.length;
      return;
    }
    if (this.#fd === undefined) {
      this.#fd = fs.openSync(this.#file, 'w', 0o600);
      writeFully(this.#fd, this.#room.subarray(0, this.#length));
    }
    writeFully(this.#fd, chunk);
  }

  /** What stayed in memory; undefined when the file has it. */
  bytes(): Buffer | undefined {
    return this.#fd === undefined ? this.#room.subarray(0, this.#length) : undefined;
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
  }
}

/** The first value of a header. */
export function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Hands a body over as it comes. Errors: `object-too-large` as soon as it has, or says that it has, more bytes than the limit. */
export function limited(
  path: string,
  limitBytes: number,
  take: (chunk: Buffer) => void,
  begin: (head: ResponseHead) => void = () => {},
): Receiver {
  let total = 0;
  const check = (bytes: number): void => {
    if (bytes <= limitBytes) return;
    throw new HacktreeError('object-too-large', `${path} has at least ${bytes} bytes, expected at most ${limitBytes}`, {
      details: { path, expected: limitBytes, found: bytes },
    });
  };
  return {
    start: (head) => {
      total = 0;
      check(Number(one(head.headers['content-length']) ?? 0));
      begin(head);
    },
    data: (chunk) => {
      total += chunk.length;
      check(total);
      take(chunk);
    },
  };
}

/** Whether an answer "no such range" says that the file has just so many bytes. */
export function isWhole({ headers }: ResponseHead, sizeBytes: number): boolean {
  return one(headers['content-range']) === `bytes */${sizeBytes}`;
}

/** Errors: `server-invalid` unless the answer to a request for a range begins where it should. */
export function checkRange(path: string, { status, headers }: ResponseHead, at: number, end: number): void {
  const found = status === 206 ? (one(headers['content-range']) ?? 'no Content-Range') : `status ${status}`;
  if (!found.startsWith(`bytes ${at}-`)) throw otherRange(path, `bytes ${at}-${end - 1}`, found);
}

export function otherRange(path: string, expected: string, found: string): HacktreeError {
  return new HacktreeError('server-invalid', `${path}: asked for a range, the server sends another`, {
    details: { path, expected, found },
  });
}

/** What a range asks for of what came: a server may send the whole file. */
export function cutToRange(bytes: Buffer, { status }: ResponseHead, range: readonly [number, number] | undefined): Buffer {
  return range === undefined || status === 206 ? bytes : bytes.subarray(range[0], range[1] + 1);
}
