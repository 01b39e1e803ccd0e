/**
 * JavaScript values -> GVariant bytes, little-endian, in normal form.
 *
 * Values: `y n q i u h d` number, `x t` bigint, `b` boolean, `s o g` string, `ay` Uint8Array, `aX` array, tuples and
 * dict entries arrays of members, `mX` undefined or `{ just }`, `v` a Variant. An `a{sv}` stays an array of pairs:
 * its order is part of the bytes. Byte-swapped fields are the business of the callers.
 *
 * Source: ostree-format 1.1.
 */
import { HacktreeError, isWellFormed } from '../core/index.ts';
import {
  alignUp,
  type GType,
  isObjectPath,
  isSignature,
  MAX_NESTING,
  offsetWidth,
  parseType,
  type TupleType,
} from './gvariant-type.ts';

export interface Variant {
  readonly type: string;
  readonly value: GValue;
}

export type GValue = number | bigint | boolean | string | Uint8Array | Variant | undefined | { just: GValue } | readonly GValue[];

/** Dictionary `a{sv}` in the order of its bytes. */
export type Dict = readonly (readonly [string, Variant])[];

/** Encodes a value of the given type. Errors: `format-invalid` when value and type do not fit. */
export function encodeVariant(typeText: string, value: GValue): Buffer {
  const encoder = new Encoder();
  encoder.value(parseType(typeText), value, 0);
  return encoder.finish();
}

/** Finds a key of a dictionary. */
export function lookup(dict: Dict, key: string): Variant | undefined {
  return dict.find(([name]) => name === key)?.[1];
}

const invalid = (type: GType, why: string): HacktreeError =>
  new HacktreeError('format-invalid', `Cannot encode as GVariant of type '${type.text.slice(0, 80)}': ${why}`, {
    details: { expected: type.text, found: why },
  });

type BasicType = GType & { kind: 'basic' };

/** Lowest and highest number of each integer type. */
const RANGES: Record<string, readonly [number, number]> = {
  y: [0, 0xff],
  n: [-0x8000, 0x7fff],
  q: [0, 0xffff],
  i: [-0x80000000, 0x7fffffff],
  h: [-0x80000000, 0x7fffffff],
  u: [0, 0xffffffff],
};

/** A container always starts aligned, so padding is measured from the start of the buffer. */
class Encoder {
  #buffer = Buffer.alloc(256);
  #length = 0;

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  value(type: GType, value: GValue, depth: number): void {
    if (depth > MAX_NESTING) throw invalid(type, 'nested too deep');
    switch (type.kind) {
      case 'basic':
        return this.#basic(type, value);
      case 'bytes':
        if (!(value instanceof Uint8Array)) throw invalid(type, 'not bytes');
        return this.#bytes(value);
      case 'variant':
        return this.#variant(type, value, depth);
      case 'maybe':
        return this.#maybe(type, type.element, value, depth);
      case 'array':
        if (!Array.isArray(value)) throw invalid(type, 'not an array');
        return this.#array(type.element, value, depth);
      default:
        if (!Array.isArray(value) || value.length !== type.members.length) throw invalid(type, 'wrong number of members');
        return this.#tuple(type, value, depth);
    }
  }

  /** Makes room for zero bytes and returns their position; the buffer may be another one afterwards. */
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

  #pad(align: number): void {
    this.#reserve(alignUp(this.#length, align) - this.#length);
  }

  #basic(type: BasicType, value: GValue): void {
    switch (type.basic) {
      case 's':
      case 'o':
      case 'g':
        return this.#string(type, value);
      case 'b':
        if (typeof value !== 'boolean') throw invalid(type, 'not a boolean');
        return this.#boolean(value);
      case 'd':
        if (typeof value !== 'number') throw invalid(type, 'not a number');
        return this.#double(value);
      case 'x':
      case 't':
        if (typeof value !== 'bigint') throw invalid(type, 'not a bigint');
        return this.#bigint(type, value);
      default:
        if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(type, 'not an integer');
        return this.#integer(type, value);
    }
  }

  #boolean(value: boolean): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value ? 1 : 0;
  }

  #string(type: BasicType, value: GValue): void {
    if (typeof value !== 'string' || value.includes('\0') || !isWellFormed(value)) throw invalid(type, 'not a string');
    if (type.basic === 'o' && !isObjectPath(value)) throw invalid(type, 'not an object path');
    if (type.basic === 'g' && !isSignature(value)) throw invalid(type, 'not a signature');
    const at = this.#reserve(Buffer.byteLength(value) + 1);
    this.#buffer.write(value, at, 'utf8');
  }

  #double(value: number): void {
    const at = this.#reserve(8);
    if (Number.isNaN(value)) this.#buffer.writeBigUInt64LE(0x7ff8000000000000n, at);
    else this.#buffer.writeDoubleLE(value, at);
  }

  #bigint(type: BasicType, value: bigint): void {
    const fits = type.basic === 't' ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
    if (fits !== value) throw invalid(type, `${value} is out of range`);
    const at = this.#reserve(8);
    this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  #integer(type: BasicType, value: number): void {
    const [lowest, highest] = RANGES[type.basic] ?? [0, 0];
    if (value < lowest || value > highest) throw invalid(type, `${value} is out of range`);
    const at = this.#reserve(type.fixedSize);
    if (lowest < 0) this.#buffer.writeIntLE(value, at, type.fixedSize);
    else this.#buffer.writeUIntLE(value, at, type.fixedSize);
  }

  #variant(type: GType, value: GValue, depth: number): void {
    if (typeof value !== 'object' || value === null || !('type' in value)) throw invalid(type, 'not a variant');
    const inner = parseType(value.type);
    this.value(inner, value.value, depth + 1);
    this.#bytes(Buffer.from(`\0${inner.text}`, 'latin1'));
  }

  #maybe(type: GType, element: GType, value: GValue, depth: number): void {
    if (value === undefined) return;
    if (typeof value !== 'object' || !('just' in value)) throw invalid(type, 'neither undefined nor { just }');
    this.value(element, value.just, depth + 1);
    if (element.fixedSize === 0) this.#reserve(1);
  }

  #array(element: GType, values: readonly GValue[], depth: number): void {
    const start = this.#length;
    const ends: number[] = [];
    for (const value of values) {
      this.#pad(element.align);
      this.value(element, value, depth + 1);
      if (element.fixedSize === 0) ends.push(this.#length - start);
    }
    this.#offsets(start, ends);
  }

  #tuple(type: TupleType, values: readonly GValue[], depth: number): void {
    const { members } = type;
    const start = this.#length;
    const ends: number[] = [];
    for (let i = 0; i < members.length; i++) {
      const member = members[i] as GType;
      this.#pad(member.align);
      this.value(member, values[i], depth + 1);
      if (member.fixedSize === 0 && i < members.length - 1) ends.push(this.#length - start);
    }
    if (type.fixedSize > 0) this.#reserve(start + type.fixedSize - this.#length);
    else this.#offsets(start, ends.reverse());
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
