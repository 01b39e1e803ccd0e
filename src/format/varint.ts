/**
 * Variable-length integers: unsigned LEB128, 7 bits a byte, low group first, 0x80 = more follow.
 *
 * Source: ostree-format 5.4.
 */
import { HacktreeError } from '../core/index.ts';

/** Encodes a non-negative integer up to 2^53 - 1. */
export function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Reads an integer at a position. Errors: `format-invalid` when cut, longer than needed or beyond 2^53 - 1. */
export function decodeVarint(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) break;
    if (byte === 0 && at > start) break;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  throw new HacktreeError('format-invalid', 'Invalid variable-length integer: cut, longer than needed or too large');
}
