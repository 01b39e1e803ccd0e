/**
 * The reader under gvariant-parse.ts: text -> tree of literals, without types.
 *
 * Source: GLib reference, "GVariant text format".
 */
import { HacktreeError } from '../core/index.ts';
import { MAX_NESTING, parseType } from './gvariant-type.ts';

/** A literal and its place in the text. */
export type Literal = { readonly at: number } & (
  | {
      readonly kind: 'number';
      /** Written so that only a double can be meant. */
      readonly isFloat: boolean;
      /** Value as an integer; undefined when it is none. */
      readonly integer: bigint | undefined;
      /** Value as a double; undefined when out of range or not a number. */
      readonly float: number | undefined;
    }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Buffer }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'just' | 'variant'; readonly child: Literal }
  | { readonly kind: 'typed'; readonly type: string; readonly child: Literal }
  | { readonly kind: 'array' | 'tuple'; readonly items: readonly Literal[] }
  | { readonly kind: 'dictionary'; readonly keys: readonly Literal[]; readonly values: readonly Literal[] }
  | { readonly kind: 'entry'; readonly key: Literal; readonly value: Literal }
);

/** Makes the error for text that is not what was expected at a place. */
export function textError(text: string, at: number, expected: string): HacktreeError {
  const found = at < text.length ? `'${text.slice(at, at + 20)}'` : 'the end';
  return new HacktreeError(
    'usage',
    `Invalid GVariant text '${text.slice(0, 200)}', character ${at}: expected ${expected}, found ${found}`,
    {
      details: { expected, found, at },
      hints: ['Strings need quotes, for example "\'text\'"; other types are written as in: uint32 5'],
    },
  );
}

/** Reads text that is one literal. Errors: `usage`. */
export function readLiteral(text: string): Literal {
  return new LiteralReader(text).readAll();
}

const TYPE_KEYWORDS: Record<string, string> = {
  boolean: 'b',
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  handle: 'h',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
  string: 's',
  objectpath: 'o',
  signature: 'g',
};

const ESCAPES: Record<string, string> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\n': '' };

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): Literal {
    const literal = this.#literal();
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('the end');
    return literal;
  }

  #error(expected: string, at = this.#at): HacktreeError {
    return textError(this.#text, at, expected);
  }

  #space(): void {
    while (/[ \t\n\f\r]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #peek(): string {
    this.#space();
    return this.#text[this.#at] ?? '';
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #require(character: string, expected: string): void {
    if (!this.#take(character)) throw this.#error(expected);
  }

  /** Takes the longest run of a sticky pattern at this place. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const run = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += run.length;
    return run;
  }

  #literal(): Literal {
    if (++this.#depth > MAX_NESTING) throw this.#error('fewer values inside each other');
    const literal = this.#anyLiteral();
    this.#depth--;
    return literal;
  }

  #anyLiteral(): Literal {
    const first = this.#peek();
    const at = this.#at;
    if (first === '[') return this.#array(at);
    if (first === '(') return this.#tuple(at);
    if (first === '{') return this.#dictionary(at);
    if (first === '<') return this.#variant(at);
    if (first === '@') return this.#declared(at);
    if (first === "'" || first === '"') return { kind: 'string', at, value: this.#string(first) };
    const next = this.#text[at + 1];
    if (first === 'b' && (next === "'" || next === '"')) return this.#byteString(at, next);
    if (/[-+.0-9]/.test(first)) return this.#number(at, this.#match(/[-+.0-9A-Za-z]+/y));
    return this.#word(at, this.#match(/[a-z][0-9A-Za-z]*/y));
  }

  #word(at: number, word: string): Literal {
    if (word === 'true' || word === 'false') return { kind: 'boolean', at, value: word === 'true' };
    if (word === 'inf' || word === 'nan') return this.#number(at, word);
    if (word === 'nothing') return { kind: 'nothing', at };
    if (word === 'just') return { kind: 'just', at, child: this.#literal() };
    const type = Object.hasOwn(TYPE_KEYWORDS, word) ? TYPE_KEYWORDS[word] : undefined;
    if (type === undefined) throw this.#error(word === '' ? 'a value' : 'a known keyword', at);
    return { kind: 'typed', at, type, child: this.#literal() };
  }

  /** `@type value`; the type ends at white space, or at a bracket that it did not open. */
  #declared(at: number): Literal {
    this.#at++;
    const start = this.#at;
    for (let open = 0; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at] ?? '';
      if (/[,:>\]\s]/.test(c)) break;
      if (c === '(' || c === '{') open++;
      if ((c === ')' || c === '}') && open-- === 0) break;
    }
    const type = this.#text.slice(start, this.#at);
    try {
      parseType(type);
    } catch {
      throw this.#error('a type after @', at);
    }
    return { kind: 'typed', at, type, child: this.#literal() };
  }

  #number(at: number, token: string): Literal {
    const isHex = /^[-+]?0x/i.test(token);
    const isFloat = /\.|inf|nan/.test(token) || (!isHex && token.includes('e'));
    const integer = parseInteger(token);
    const float = parseFloating(token);
    if (integer === undefined && float === undefined) throw this.#error('a number', at);
    return { kind: 'number', at, isFloat, integer, float };
  }

  #array(at: number): Literal {
    const items: Literal[] = [];
    this.#at++;
    while (!this.#take(']')) {
      if (items.length > 0) this.#require(',', "',' or ']' after an element of an array");
      items.push(this.#literal());
    }
    return { kind: 'array', at, items };
  }

  /** A tuple of one needs a comma: `(1,)`. */
  #tuple(at: number): Literal {
    const items: Literal[] = [];
    this.#at++;
    while (!this.#take(')')) {
      if (items.length > 1) this.#require(',', "',' or ')' after an element of a tuple");
      items.push(this.#literal());
      if (items.length === 1) this.#require(',', "',' after the first element of a tuple");
    }
    return { kind: 'tuple', at, items };
  }

  #variant(at: number): Literal {
    this.#at++;
    const child = this.#literal();
    this.#require('>', "'>' after the value of a variant");
    return { kind: 'variant', at, child };
  }

  #dictionary(at: number): Literal {
    const keys: Literal[] = [];
    const values: Literal[] = [];
    this.#at++;
    while (!this.#take('}')) {
      if (keys.length > 0) this.#require(',', "',' or '}' after an entry of a dictionary");
      const key = this.#literal();
      if (keys.length === 0 && this.#take(',')) {
        const value = this.#literal();
        this.#require('}', "'}' after a dictionary entry");
        return { kind: 'entry', at, key, value };
      }
      this.#require(':', "':' after a dictionary key");
      keys.push(key);
      values.push(this.#literal());
    }
    return { kind: 'dictionary', at, keys, values };
  }

  /** Reads a quoted string from its opening quote on. */
  #string(quote: string): string {
    const start = this.#at++;
    let value = '';
    for (;;) {
      const c = this.#text[this.#at++];
      if (c === undefined) throw this.#error(`a string that ends with ${quote}`, start);
      if (c === quote) return value;
      value += c === '\\' ? this.#escape(start, quote) : c;
    }
  }

  #escape(start: number, quote: string): string {
    const c = this.#text[this.#at++];
    if (c === undefined) throw this.#error(`a string that ends with ${quote}`, start);
    if (c !== 'u' && c !== 'U') return ESCAPES[c] ?? c;
    const length = c === 'u' ? 4 : 8;
    const digits = this.#text.slice(this.#at, this.#at + length);
    const code = /^[0-9A-Fa-f]+$/.test(digits) && digits.length === length ? Number.parseInt(digits, 16) : 0;
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    if (code === 0 || code > 0x10ffff || isSurrogate) throw this.#error(`${length} hex digits of a character`);
    this.#at += length;
    return String.fromCodePoint(code);
  }

  /** A byte string ends in a NUL that is not written, or at the first that is. Other characters stand for their UTF-8 bytes. */
  #byteString(at: number, quote: string): Literal {
    this.#at += 2;
    const parts: Buffer[] = [];
    for (;;) {
      const c = this.#match(/[^\\]|\\[0-7]{1,3}|\\[\s\S]/uy);
      if (c === '') throw this.#error(`a byte string that ends with ${quote}`, at);
      if (c === quote) break;
      if (/^\\[0-7]/.test(c)) parts.push(Buffer.from([Number.parseInt(c.slice(1), 8) & 0xff]));
      else parts.push(Buffer.from(c.startsWith('\\') ? (ESCAPES[c.slice(1)] ?? c.slice(1)) : c));
    }
    const value = Buffer.concat([...parts, Buffer.from([0])]);
    return { kind: 'bytes', at, value: value.subarray(0, value.indexOf(0) + 1) };
  }
}

/** Decimal, 0x hexadecimal or 0 octal, as strtoull reads it. */
function parseInteger(token: string): bigint | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9A-Fa-f]+)|(0[0-7]*)|([1-9][0-9]*))$/.exec(token);
  if (match === null) return undefined;
  const [, sign, hex, octal, decimal] = match;
  const size = hex !== undefined ? BigInt(`0x${hex}`) : octal !== undefined ? BigInt(`0o${octal}`) : BigInt(decimal ?? '0');
  return sign === '-' ? -size : size;
}

/** Below this a double loses digits, which strtod reports as out of range. */
const SMALLEST_NORMAL = 2 ** -1022;

/** As strtod, without its rarer forms (hexadecimal fractions). A NaN has no sign: there is one bit pattern for it. */
function parseFloating(token: string): number | undefined {
  const [, sign = '', rest = ''] = /^([-+]?)(.*)$/.exec(token) ?? [];
  const factor = sign === '-' ? -1 : 1;
  if (/^inf(inity)?$/i.test(rest)) return factor * Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(rest)) return sign === '-' ? undefined : Number.NaN;
  const isHex = /^0x[0-9a-f]+$/i.test(rest);
  if (!isHex && !/^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(rest)) return undefined;
  const value = Number(rest);
  const isLost = value !== 0 && value < SMALLEST_NORMAL;
  return Number.isFinite(value) && !isLost ? factor * value : undefined;
}
