/**
 * GVariant values -> text, as GLib's g_variant_print writes it and `ostree show`, `ls -X` and `cat` of metadata print it.
 *
 * With annotation a value says its type where a reader could not infer it: `uint32 5`, `@as []`. Within arrays and
 * dictionaries only the first element is annotated, values of variants always are.
 *
 * Source: GLib reference, "GVariant text format"; compared with ostree 2022.7 in test/oracle.
 */
import { asBuffer, swap32, swap64 } from '../core/index.ts';
import type { GValue, Variant } from './gvariant.ts';
import { type BasicKind, type GType, parseType, type TupleType } from './gvariant-type.ts';

/** Prints a value. `annotate` adds types where they cannot be inferred. Errors: `format-invalid` for a wrong type. */
export function printVariant({ type, value }: Variant, annotate: boolean): string {
  return print(parseType(type), value, annotate);
}

function print(type: GType, value: GValue, annotate: boolean): string {
  switch (type.kind) {
    case 'basic':
      return printBasic(type.basic, value, annotate);
    case 'bytes':
      return printBytes(value as Uint8Array, annotate);
    case 'variant': {
      const inner = value as Variant;
      return `<${print(parseType(inner.type), inner.value, true)}>`;
    }
    case 'maybe':
      return `${annotate ? `@${type.text} ` : ''}${printMaybe(type.element, value)}`;
    case 'array':
      return type.element.kind === 'entry'
        ? printDictionary(type, type.element, value as GValue[], annotate)
        : printArray(type, type.element, value as GValue[], annotate);
    case 'entry':
      return `{${printMembers(type, value as GValue[], annotate)}}`;
    default: {
      const members = value as GValue[];
      return `(${printMembers(type, members, annotate)}${members.length === 1 ? ',' : ''})`;
    }
  }
}

function printMembers(type: TupleType, values: readonly GValue[], annotate: boolean): string {
  return values.map((value, i) => print(type.members[i] as GType, value, annotate)).join(', ');
}

/** `just` is needed only where the innermost value is `nothing`; elsewhere the type tells. */
function printMaybe(element: GType, value: GValue): string {
  if (value === undefined) return 'nothing';
  const inner = print(element, (value as { just: GValue }).just, false);
  return inner.endsWith('nothing') ? `just ${inner}` : inner;
}

function printArray(type: GType, element: GType, values: readonly GValue[], annotate: boolean): string {
  if (values.length === 0) return annotate ? `@${type.text} []` : '[]';
  return `[${values.map((value, i) => print(element, value, annotate && i === 0)).join(', ')}]`;
}

function printDictionary(type: GType, entry: TupleType, pairs: readonly GValue[], annotate: boolean): string {
  if (pairs.length === 0) return annotate ? `@${type.text} {}` : '{}';
  const [keyType, valueType] = entry.members as [GType, GType];
  const printed = pairs.map((pair, i) => {
    const [key, value] = pair as [GValue, GValue];
    return `${print(keyType, key, annotate && i === 0)}: ${print(valueType, value, annotate && i === 0)}`;
  });
  return `{${printed.join(', ')}}`;
}

const BYTE_ESCAPES: Record<number, string> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Bytes with one NUL, at the end, are a byte string; others are an array of numbers. */
function printBytes(raw: Uint8Array, annotate: boolean): string {
  const bytes = asBuffer(raw);
  if (bytes.length === 0 || bytes.indexOf(0) !== bytes.length - 1) {
    if (bytes.length === 0) return annotate ? '@ay []' : '[]';
    const numbers = Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`);
    return `[${annotate ? 'byte ' : ''}${numbers.join(', ')}]`;
  }
  const quote = bytes.includes(0x27) ? '"' : "'";
  let text = '';
  for (const byte of bytes.subarray(0, -1)) {
    const isPlain = byte >= 0x20 && byte < 0x7f;
    text += BYTE_ESCAPES[byte] ?? (isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`);
  }
  return `b${quote}${text}${quote}`;
}

const KEYWORDS: Record<BasicKind, string> = {
  b: '',
  s: '',
  i: '',
  d: '',
  y: 'byte ',
  n: 'int16 ',
  q: 'uint16 ',
  h: 'handle ',
  u: 'uint32 ',
  x: 'int64 ',
  t: 'uint64 ',
  o: 'objectpath ',
  g: 'signature ',
};

function printBasic(kind: BasicKind, value: GValue, annotate: boolean): string {
  const keyword = annotate ? KEYWORDS[kind] : '';
  if (kind === 's') return printString(value as string);
  if (kind === 'o' || kind === 'g') return `${keyword}'${value}'`;
  if (kind === 'y') return `${keyword}0x${(value as number).toString(16).padStart(2, '0')}`;
  if (kind === 'd') return printDouble(value as number);
  return `${keyword}${value}`;
}

const CHARACTER_ESCAPES: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cn}\p{Cs}]/u;

function printString(text: string): string {
  const quote = text.includes("'") ? '"' : "'";
  let printed = '';
  for (const character of text) {
    if (character === quote) printed += `\\${quote}`;
    else if (CHARACTER_ESCAPES[character] !== undefined) printed += CHARACTER_ESCAPES[character];
    else if (UNPRINTABLE.test(character)) printed += escapeCodePoint(character.codePointAt(0) ?? 0);
    else printed += character;
  }
  return `${quote}${printed}${quote}`;
}

function escapeCodePoint(code: number): string {
  const hex = code.toString(16);
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** As printf's %.17g, with `.0` where it would look like an integer. */
function printDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const text = sign + printMagnitude(Math.abs(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const SIGNIFICANT = 17;

function printMagnitude(value: number): string {
  if (value === 0) return '0';
  let [digits, exponent] = roundedDigits(value);
  digits = digits.replace(/0+$/, '');
  if (exponent < -4 || exponent >= SIGNIFICANT) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = Math.abs(exponent).toString().padStart(2, '0');
    return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** 17 significant digits and the decimal exponent; exact ties go to the even digit, as in C. */
function roundedDigits(value: number): [string, number] {
  const exact = value.toExponential(100);
  const [mantissa = '', exponent = '0'] = exact.split('e');
  const digits = mantissa.replace('.', '');
  const rest = digits.slice(SIGNIFICANT);
  const isTie = rest[0] === '5' && /^0*$/.test(rest.slice(1));
  const isEven = Number(digits[SIGNIFICANT - 1]) % 2 === 0;
  if (isTie && isEven) return [digits.slice(0, SIGNIFICANT), Number(exponent)];
  const [rounded = '', roundedExponent = '0'] = value.toExponential(SIGNIFICANT - 1).split('e');
  return [rounded.replace('.', ''), Number(roundedExponent)];
}

/** Reverses the bytes of every number in a value, as `ostree show --raw` does before printing unless -B is given. */
export function swapVariantBytes({ type, value }: Variant): Variant {
  return { type, value: swap(parseType(type), value) };
}

function swap(type: GType, value: GValue): GValue {
  switch (type.kind) {
    case 'basic':
      return swapBasic(type.basic, value);
    case 'bytes':
      return value;
    case 'variant':
      return swapVariantBytes(value as Variant);
    case 'maybe':
      return value === undefined ? undefined : { just: swap(type.element, (value as { just: GValue }).just) };
    case 'array':
      return (value as GValue[]).map((each) => swap(type.element, each));
    default:
      return (value as GValue[]).map((each, i) => swap(type.members[i] as GType, each));
  }
}

function swapBasic(kind: BasicKind, value: GValue): GValue {
  switch (kind) {
    case 'n':
      return (swap32(value as number) >> 16) | 0;
    case 'q':
      return swap32(value as number) >>> 16;
    case 'i':
    case 'h':
      return swap32((value as number) >>> 0) | 0;
    case 'u':
      return swap32(value as number);
    case 'x':
      return BigInt.asIntN(64, swap64(value as bigint));
    case 't':
      return swap64(value as bigint);
    case 'd': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return bytes.readDoubleBE();
    }
    default:
      return value;
  }
}
