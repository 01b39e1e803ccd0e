/**
 * Writes .xz files without compressing: for systems without liblzma, where a reader still insists on xz.
 *
 * The content goes into one block of LZMA2 chunks of the kind "uncompressed". Any xz decoder reads it; it is 3 bytes in
 * 64 KiB larger than the content.
 *
 * **Source:** The .xz File Format 1.2.1, sections 2 (stream), 3 (block), 4 (index), 5.3.1 (LZMA2); the LZMA2 chunk header
 * as in xz-embedded's xz_dec_lzma2.c.
 */
import { crc32 } from 'node:zlib';

const CHUNK_BYTES = 64 * 1024;
const RESET_CHUNK = 1;
const CHUNK = 2;
const END = Buffer.from([0]);

const MAGIC = Buffer.from('fd377a585a00', 'hex');
const FOOTER_MAGIC = Buffer.from('YZ');
/** Check of a block: CRC32. */
const STREAM_FLAGS = Buffer.from([0, 1]);
/** 12 bytes with its CRC, one filter without sizes, LZMA2 (0x21) with one property: a dictionary of 64 KiB. */
const BLOCK_HEADER = withCrc(Buffer.from([2, 0, 0x21, 1, 8, 0, 0, 0]));

/** Wraps content as an .xz stream. */
export function* storeXz(input: Iterable<Uint8Array>): Generator<Buffer> {
  yield Buffer.concat([MAGIC, withCrc(STREAM_FLAGS), BLOCK_HEADER]);
  let contentBytes = 0;
  let packedBytes = 0;
  let check = 0;
  for (const bytes of input) {
    check = crc32(bytes, check);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      const header = Buffer.alloc(3);
      header[0] = contentBytes === 0 ? RESET_CHUNK : CHUNK;
      header.writeUInt16BE(chunk.length - 1, 1);
      yield Buffer.concat([header, chunk]);
      contentBytes += chunk.length;
      packedBytes += header.length + chunk.length;
    }
  }
  packedBytes += END.length;
  yield Buffer.concat([END, padding(packedBytes), uint32(check)]);
  const index = withCrc(
    padded(Buffer.concat([Buffer.from([0, 1]), vli(BLOCK_HEADER.length + packedBytes + 4), vli(contentBytes)])),
  );
  const tail = Buffer.concat([uint32(index.length / 4 - 1), STREAM_FLAGS]);
  yield Buffer.concat([index, uint32(crc32(tail)), tail, FOOTER_MAGIC]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function withCrc(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, uint32(crc32(bytes))]);
}

const padding = (length: number): Buffer => Buffer.alloc(-length & 3);

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, padding(bytes.length)]);

/** Integer of variable length: 7 bits a byte, low group first. */
function vli(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
