/**
 * GVariant bytes <-> JavaScript values, little-endian, normal form only.
 *
 * Values: `y n q i u h d` number, `x t` bigint, `b` boolean, `s o g` string, `ay` Uint8Array, `aX` array, tuples and
 * dict entries arrays of members, `mX` undefined or `{ just }`, `v` a Variant. An `a{sv}` stays an array of pairs:
 * its order is part of the bytes. Decoding accepts exactly the bytes that encoding would produce, so no value has a
 * second spelling; byte-swapped fields are the business of the callers.
 *
 * Source: ostree-format 1.1.
 */
import { asBuffer, HacktreeError, isWellFormed, tryUtf8 } from '../core/index.ts';
import { alignUp, type GType, parseType } from './gvariant-type.ts';

export interface Variant {
  readonly type: string;
  readonly value: GValue;
}

export type GValue = number | bigint | boolean | string | Uint8Array | Variant | undefined | { just: GValue } | readonly GValue[];

/** Dictionary `a{sv}` in the order of its bytes. */
export type Dict = readonly (readonly [string, Variant])[];

/** Encodes a value of the given type. Errors: `format-invalid` when value and type do not fit. */
export function encodeVariant(typeText: string, value: GValue): Buffer {
  const writer = new Writer();
  writer.value(parseType(typeText), value);
  return writer.finish();
}

/** Decodes bytes of the given type. Errors: `format-invalid` for anything but normal form. */
export function decodeVariant(typeText: string, bytes: Uint8Array): GValue {
  const type = parseType(typeText);
  const buffer = asBuffer(bytes);
  const value = decodeValue(type, buffer, 0, buffer.length, 0);
  const again = new Writer();
  again.value(type, value);
  if (!again.finish().equals(buffer)) throw bad(type, 'not in normal form');
  return value;
}

/** Finds a key of a dictionary. */
export function lookup(dict: Dict, key: string): Variant | undefined {
  return dict.find(([name]) => name === key)?.[1];
}

const bad = (type: GType, why: string): HacktreeError =>
  new HacktreeError('format-invalid', `Invalid data for GVariant of type '${type.text}': ${why}`, {
    details: { expected: type.text, found: why },
  });

/** Returns the smallest offset width in bytes with body + count * width representable in it. */
function offsetWidth(bodySize: number, count: number): number {
  for (const width of [1, 2, 4]) if (bodySize + count * width <= 2 ** (8 * width) - 1) return width;
  return 8;
}

class Writer {
  #buffer = Buffer.alloc(256);
  #length = 0;

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  value(type: GType, value: GValue): void {
    switch (type.kind) {
      case 'basic':
        return this.#basic(type, value);
      case 'bytes':
        if (!(value instanceof Uint8Array)) throw bad(type, 'expected bytes');
        return this.#bytes(value);
      case 'variant':
        return this.#variant(type, value);
      case 'maybe':
        return this.#maybe(type.element, value);
      case 'array':
        if (!Array.isArray(value)) throw bad(type, 'expected an array');
        return this.#array(type, type.element, value);
      default:
        if (!Array.isArray(value) || value.length !== type.members.length) throw bad(type, 'wrong number of members');
        return this.#tuple(type, type.members, value);
    }
  }

  #reserve(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const bigger = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(bigger, 0, 0, at);
      this.#buffer = bigger;
    }
    return at;
  }

  #bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }

  #pad(start: number, align: number): void {
    this.#reserve(alignUp(this.#length - start, align) - (this.#length - start));
  }

  #basic(type: GType & { kind: 'basic' }, value: GValue): void {
    const at = this.#reserve(type.fixedSize);
    const b = this.#buffer;
    const basic = type.basic;
    if (basic === 's' || basic === 'o' || basic === 'g') {
      if (typeof value !== 'string' || value.includes('\0') || !isWellFormed(value)) throw bad(type, 'not a string');
      return this.#bytes(Buffer.from(`${value}\0`, 'utf8'));
    }
    try {
      if (basic === 'b') {
        if (typeof value !== 'boolean') throw bad(type, 'not a boolean');
        b.writeUInt8(value ? 1 : 0, at);
      } else if (basic === 'x') b.writeBigInt64LE(value as bigint, at);
      else if (basic === 't') b.writeBigUInt64LE(value as bigint, at);
      else if (typeof value !== 'number') throw bad(type, 'not a number');
      else if (basic === 'y') b.writeUInt8(value, at);
      else if (basic === 'n') b.writeInt16LE(value, at);
      else if (basic === 'q') b.writeUInt16LE(value, at);
      else if (basic === 'u') b.writeUInt32LE(value, at);
      else if (basic === 'd') b.writeDoubleLE(value, at);
      else b.writeInt32LE(value, at);
    } catch (error) {
      throw error instanceof HacktreeError ? error : bad(type, 'number out of range');
    }
  }

  #variant(type: GType, value: GValue): void {
    if (typeof value !== 'object' || value === null || !('type' in value)) throw bad(type, 'expected a variant');
    const inner = parseType(value.type);
    const child = new Writer();
    child.value(inner, value.value);
    this.#bytes(child.finish());
    this.#bytes(Buffer.from(`\0${inner.text}`, 'latin1'));
  }

  #maybe(element: GType, value: GValue): void {
    if (value === undefined) return;
    this.value(element, (value as { just: GValue }).just);
    if (element.fixedSize === 0) this.#reserve(1);
  }

  #array(type: GType, element: GType, values: readonly GValue[]): void {
    const start = this.#length;
    const ends: number[] = [];
    // A container starts aligned; nested writers measure from their own start, which is a multiple of the alignment.
    for (const value of values) {
      this.#pad(start, type.align);
      this.#nested(element, value);
      ends.push(this.#length - start);
    }
    if (element.fixedSize === 0) this.#offsets(start, ends);
  }

  #tuple(type: GType, members: readonly GType[], values: readonly GValue[]): void {
    const start = this.#length;
    const ends: number[] = [];
    members.forEach((member, i) => {
      this.#pad(start, member.align);
      this.#nested(member, values[i]);
      if (member.fixedSize === 0 && i < members.length - 1) ends.push(this.#length - start);
    });
    if (type.fixedSize > 0) this.#reserve(start + type.fixedSize - this.#length);
    else this.#offsets(start, ends.reverse());
  }

  #nested(type: GType, value: GValue): void {
    this.value(type, value);
  }

  #offsets(start: number, ends: readonly number[]): void {
    if (ends.length === 0) return;
    const width = offsetWidth(this.#length - start, ends.length);
    for (const end of ends) {
      const at = this.#reserve(width);
      if (width === 8) this.#buffer.writeBigUInt64LE(BigInt(end), at);
      else this.#buffer.writeUIntLE(end, at, width);
    }
  }
}

const MAX_VARIANT_DEPTH = 64;

function decodeValue(type: GType, b: Buffer, start: number, end: number, depth: number): GValue {
  const size = end - start;
  if (type.fixedSize > 0 && size !== type.fixedSize) throw bad(type, `${size} bytes, expected ${type.fixedSize}`);
  switch (type.kind) {
    case 'basic':
      return decodeBasic(type, b, start, end);
    case 'bytes':
      return b.subarray(start, end);
    case 'variant':
      return decodeInnerVariant(type, b, start, end, depth);
    case 'maybe': {
      if (size === 0) return undefined;
      const inner = type.element;
      return { just: decodeValue(inner, b, start, inner.fixedSize > 0 ? end : end - 1, depth) };
    }
    case 'array':
      return decodeArray(type, type.element, b, start, end, depth);
    default:
      return decodeTuple(type, type.members, b, start, end, depth);
  }
}

function decodeBasic(type: GType & { kind: 'basic' }, b: Buffer, start: number, end: number): GValue {
  switch (type.basic) {
    case 'b': {
      const value = b[start];
      if (value !== 0 && value !== 1) throw bad(type, `boolean of value ${value}`);
      return value === 1;
    }
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
      return b.readDoubleLE(start);
    default:
      return decodeString(type, b, start, end);
  }
}

function decodeString(type: GType, b: Buffer, start: number, end: number): string {
  if (end <= start || b[end - 1] !== 0) throw bad(type, 'string without final NUL');
  const text = tryUtf8(b.subarray(start, end - 1));
  if (text === undefined) throw bad(type, 'string is not UTF-8');
  if (text.includes('\0')) throw bad(type, 'string with inner NUL');
  return text;
}

function decodeInnerVariant(type: GType, b: Buffer, start: number, end: number, depth: number): Variant {
  if (depth > MAX_VARIANT_DEPTH) throw bad(type, 'nested too deep');
  const nul = b.subarray(start, end).lastIndexOf(0);
  if (nul < 0) throw bad(type, 'variant without type');
  const inner = parseType(b.toString('latin1', start + nul + 1, end));
  return { type: inner.text, value: decodeValue(inner, b, start, start + nul, depth + 1) };
}

function readOffset(b: Buffer, at: number, width: number): number {
  return width === 8 ? Number(b.readBigUInt64LE(at)) : b.readUIntLE(at, width);
}

function widthOf(size: number): number {
  return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

function decodeArray(type: GType, element: GType, b: Buffer, start: number, end: number, depth: number): GValue[] {
  const size = end - start;
  const values: GValue[] = [];
  if (size === 0) return values;
  if (element.fixedSize > 0) {
    if (size % element.fixedSize !== 0) throw bad(type, 'size is no multiple of the element');
    for (let at = start; at < end; at += element.fixedSize)
      values.push(decodeValue(element, b, at, at + element.fixedSize, depth));
    return values;
  }
  const width = widthOf(size);
  const bodyEnd = size < width ? -1 : readOffset(b, end - width, width);
  if (bodyEnd < 0 || bodyEnd > size - width || (size - bodyEnd) % width !== 0) throw bad(type, 'framing offset out of range');
  let previous = 0;
  for (let at = bodyEnd; at < size; at += width) {
    const from = alignUp(previous, element.align);
    const to = readOffset(b, start + at, width);
    if (to < from || to > bodyEnd) throw bad(type, 'framing offsets go backwards');
    values.push(decodeValue(element, b, start + from, start + to, depth));
    previous = to;
  }
  return values;
}

function decodeTuple(type: GType, members: readonly GType[], b: Buffer, start: number, end: number, depth: number): GValue[] {
  const size = end - start;
  const width = widthOf(size);
  const offsetCount = members.filter((member, i) => member.fixedSize === 0 && i < members.length - 1).length;
  const bodyEnd = size - offsetCount * width;
  let offsetAt = size;
  let at = 0;
  return members.map((member, i) => {
    const from = alignUp(at, member.align);
    let to: number;
    if (member.fixedSize > 0) to = from + member.fixedSize;
    else if (i === members.length - 1) to = bodyEnd;
    else {
      offsetAt -= width;
      if (offsetAt < 0) throw bad(type, 'too short for its framing offsets');
      to = readOffset(b, start + offsetAt, width);
    }
    if (to < from || to > size || (type.fixedSize === 0 && to > bodyEnd)) throw bad(type, 'framing offset out of range');
    at = to;
    return decodeValue(member, b, start + from, start + to, depth);
  });
}
