/**
 * GVariant bytes -> JavaScript values: normal form only, so that no value has a second spelling.
 *
 * The decoder checks what the encoder would have written as it goes (padding, framing offsets, their width), instead
 * of encoding again. Bytes from outside cost bounded memory and time: nesting, type strings and the number of values
 * are limited. Byte arrays are views of the input, not copies.
 *
 * Source: ostree-format 1.1; the GVariant specification, sections on serialisation and normal form.
 */
import { asBuffer, HacktreeError, tryUtf8 } from '../core/index.ts';
import type { GValue, Variant } from './gvariant.ts';
import {
  alignUp,
  type BasicKind,
  type GType,
  isObjectPath,
  isSignature,
  MAX_NESTING,
  MAX_TYPE_LENGTH,
  offsetWidth,
  parseType,
  type TupleType,
} from './gvariant-type.ts';

/**
 * Most values that one decode makes. The largest real object, `ostree.sizes` in a commit of 128 MiB, has fewer; an
 * array of empty byte arrays of that size would otherwise fill gigabytes.
 */
export const MAX_VALUES = 4 * 1024 * 1024;

/** Decodes bytes of the given type. Errors: `format-invalid` for anything but normal form, and beyond the limits. */
export function decodeVariant(typeText: string, bytes: Uint8Array): GValue {
  const buffer = asBuffer(bytes);
  return new Decoder(buffer).value(parseType(typeText), 0, buffer.length, 0);
}

const invalid = (type: GType, why: string): HacktreeError =>
  new HacktreeError('format-invalid', `Invalid data for GVariant of type '${type.text.slice(0, 80)}': ${why}`, {
    details: { expected: type.text, found: why },
  });

/** Width of the framing offsets in a container of this many bytes. */
function widthOf(size: number): number {
  return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

class Decoder {
  readonly #bytes: Buffer;
  #left = MAX_VALUES;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(type: GType, start: number, end: number, depth: number): GValue {
    if (depth > MAX_NESTING) throw invalid(type, 'nested too deep');
    if (--this.#left < 0) throw invalid(type, `more than ${MAX_VALUES} values`);
    const size = end - start;
    if (type.fixedSize > 0 && size !== type.fixedSize) throw invalid(type, `${size} bytes, expected ${type.fixedSize}`);
    switch (type.kind) {
      case 'basic':
        return this.#basic(type, type.basic, start, end);
      case 'bytes':
        return this.#bytes.subarray(start, end);
      case 'variant':
        return this.#variant(type, start, end, depth);
      case 'maybe':
        return this.#maybe(type, type.element, start, end, depth);
      case 'array':
        return type.element.fixedSize > 0
          ? this.#fixedArray(type, type.element, start, end, depth)
          : this.#array(type, type.element, start, end, depth);
      default:
        return this.#tuple(type, start, end, depth);
    }
  }

  #basic(type: GType, kind: BasicKind, start: number, end: number): GValue {
    const b = this.#bytes;
    switch (kind) {
      case 'b':
        return this.#boolean(type, start);
      case 'y':
        return b.readUInt8(start);
      case 'n':
        return b.readInt16LE(start);
      case 'q':
        return b.readUInt16LE(start);
      case 'u':
        return b.readUInt32LE(start);
      case 'i':
      case 'h':
        return b.readInt32LE(start);
      case 'x':
        return b.readBigInt64LE(start);
      case 't':
        return b.readBigUInt64LE(start);
      case 'd':
        return this.#double(type, start);
      default:
        return this.#string(type, kind, start, end);
    }
  }

  #boolean(type: GType, start: number): boolean {
    const value = this.#bytes[start];
    if (value !== 0 && value !== 1) throw invalid(type, `boolean of value ${value}`);
    return value === 1;
  }

  /** JavaScript has one NaN, so only its common bit pattern can be given back. */
  #double(type: GType, start: number): number {
    const value = this.#bytes.readDoubleLE(start);
    if (Number.isNaN(value) && this.#bytes.readBigUInt64LE(start) !== 0x7ff8000000000000n) throw invalid(type, 'unusual NaN');
    return value;
  }

  #string(type: GType, kind: BasicKind, start: number, end: number): string {
    if (end <= start || this.#bytes[end - 1] !== 0) throw invalid(type, 'string without final NUL');
    const text = tryUtf8(this.#bytes.subarray(start, end - 1));
    if (text === undefined) throw invalid(type, 'string is not UTF-8');
    if (text.includes('\0')) throw invalid(type, 'string with inner NUL');
    if (kind === 'o' && !isObjectPath(text)) throw invalid(type, 'not an object path');
    if (kind === 'g' && !isSignature(text)) throw invalid(type, 'not a signature');
    return text;
  }

  #variant(type: GType, start: number, end: number, depth: number): Variant {
    const nul = end > start ? this.#bytes.lastIndexOf(0, end - 1) : -1;
    if (nul < start || end - nul > MAX_TYPE_LENGTH + 1) throw invalid(type, 'variant without type');
    const inner = parseType(this.#bytes.toString('latin1', nul + 1, end));
    return { type: inner.text, value: this.value(inner, start, nul, depth + 1) };
  }

  #maybe(type: GType, element: GType, start: number, end: number, depth: number): GValue {
    if (start === end) return undefined;
    if (element.fixedSize > 0) return { just: this.value(element, start, end, depth + 1) };
    this.#zeros(type, end - 1, end);
    return { just: this.value(element, start, end - 1, depth + 1) };
  }

  #fixedArray(type: GType, element: GType, start: number, end: number, depth: number): GValue[] {
    const step = element.fixedSize;
    if ((end - start) % step !== 0) throw invalid(type, 'size is no multiple of the element');
    const values: GValue[] = [];
    for (let at = start; at < end; at += step) values.push(this.value(element, at, at + step, depth + 1));
    return values;
  }

  #array(type: GType, element: GType, start: number, end: number, depth: number): GValue[] {
    const size = end - start;
    if (size === 0) return [];
    const width = widthOf(size);
    const body = size < width ? -1 : this.#offset(end - width, width);
    const count = (size - body) / width;
    if (body < 0 || body > size - width || !Number.isInteger(count)) throw invalid(type, 'framing offset out of range');
    if (offsetWidth(body, count) !== width) throw invalid(type, 'framing offsets wider than needed');
    const values: GValue[] = [];
    let previous = 0;
    for (let at = start + body; at < end; at += width) {
      const from = alignUp(previous, element.align);
      const to = this.#offset(at, width);
      if (to < from || to > body) throw invalid(type, 'framing offsets go backwards');
      this.#zeros(type, start + previous, start + from);
      values.push(this.value(element, start + from, start + to, depth + 1));
      previous = to;
    }
    return values;
  }

  #tuple(type: TupleType, start: number, end: number, depth: number): GValue[] {
    const size = end - start;
    const width = widthOf(size);
    const { members, offsetCount: offsets } = type;
    const last = members.length - 1;
    const body = size - offsets * width;
    if (body < 0) throw invalid(type, 'too short for its framing offsets');
    if (offsets > 0 && offsetWidth(body, offsets) !== width) throw invalid(type, 'framing offsets wider than needed');
    const values: GValue[] = [];
    let offsetAt = end;
    let previous = 0;
    for (let i = 0; i <= last; i++) {
      const member = members[i] as GType;
      const from = alignUp(previous, member.align);
      let to = body;
      if (member.fixedSize > 0) to = from + member.fixedSize;
      else if (i < last) {
        offsetAt -= width;
        to = this.#offset(offsetAt, width);
      }
      if (to < from || to > body) throw invalid(type, 'framing offset out of range');
      this.#zeros(type, start + previous, start + from);
      values.push(this.value(member, start + from, start + to, depth + 1));
      previous = to;
    }
    // A tuple of fixed size ends in padding (the empty one is one zero byte); any other ends with its last member.
    if (type.fixedSize > 0) this.#zeros(type, start + previous, end);
    else if (previous !== body) throw invalid(type, 'bytes after the last member');
    return values;
  }

  #offset(at: number, width: number): number {
    if (width === 1) return this.#bytes[at] ?? 0;
    return width === 8 ? Number(this.#bytes.readBigUInt64LE(at)) : this.#bytes.readUIntLE(at, width);
  }

  #zeros(type: GType, start: number, end: number): void {
    for (let at = start; at < end; at++) if (this.#bytes[at] !== 0) throw invalid(type, 'padding is not zero');
  }
}
