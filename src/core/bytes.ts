/**
 * Byte order and small byte-array operations shared by all codecs.
 *
 * The repository format is little-endian with big-endian islands; every function here says which order it means.
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const EMPTY_BYTES = new Uint8Array(0);

/** Encodes text as UTF-8. */
export function utf8(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** Decodes UTF-8; returns undefined when the bytes are not valid UTF-8. */
export function tryUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Tells whether a string survives UTF-8 (has no lone surrogates). */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** Views bytes as a Buffer without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Orders as strcmp and memcmp do: by unsigned bytes, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Orders two strings as strcmp orders their UTF-8 bytes (which is not how JavaScript orders UTF-16). */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // Below the surrogates UTF-16 order is byte order; with a surrogate on either side the bytes decide.
    if (x !== y) return x < 0xd800 && y < 0xd800 ? x - y : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}

/** Reverses the bytes of a 32-bit number: big-endian values live inside little-endian GVariants. */
export function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** Reverses the bytes of a 64-bit number. */
export function swap64(value: bigint): bigint {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, value));
  return buffer.readBigUInt64BE();
}
