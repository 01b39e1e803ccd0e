/**
 * GVariant text -> values, as GLib's g_variant_parse reads it: what follows `=` in `ostree commit --add-metadata=K=...`.
 *
 * Text is read into a tree of literals; then each literal is given a type. Where the text does not say it, the type is
 * inferred by unifying *patterns* (a number that may be any integer or double, a string that may be a path, something
 * that may be inside a maybe), and numbers end as int32, strings as strings.
 *
 * Source: GLib reference, "GVariant text format"; compared with ostree 2022.7 in test/oracle.
 */
import { HacktreeError } from '../core/index.ts';
import type { GValue, Variant } from './gvariant.ts';
import { encodeVariant } from './gvariant.ts';
import { type Literal, readLiteral, textError } from './gvariant-literal.ts';
import { type BasicKind, type GType, parseType } from './gvariant-type.ts';

/** Parses text; the type is inferred unless given. Errors: `usage` with the place and what was expected. */
export function parseVariantText(text: string, type?: string): Variant {
  const literal = readLiteral(text);
  const wanted = parseType(type ?? typeOf(text, literal));
  const value = readValue(text, literal, wanted);
  try {
    encodeVariant(wanted.text, value);
  } catch (error) {
    throw new HacktreeError('usage', `Invalid GVariant text '${text}': ${(error as Error).message}`, { cause: error });
  }
  return { type: wanted.text, value };
}

/** What is known of a literal's type. `lift`: the value may be inside any number of maybes. */
type Pattern = { readonly lift: boolean } & (
  | { readonly shape: 'any' | 'number' | 'string' | 'variant' }
  | { readonly shape: 'basic'; readonly basic: BasicKind }
  | { readonly shape: 'array' | 'maybe'; readonly element: Pattern }
  | { readonly shape: 'tuple' | 'entry'; readonly members: readonly Pattern[] }
);

const ANY: Pattern = { lift: false, shape: 'any' };

function typeOf(text: string, literal: Literal): string {
  return print(patternOf(text, literal), () => textError(text, literal.at, 'a type that can be inferred'));
}

function print(pattern: Pattern, unknown: () => HacktreeError): string {
  switch (pattern.shape) {
    case 'any':
      throw unknown();
    case 'number':
      return 'i';
    case 'string':
      return 's';
    case 'variant':
      return 'v';
    case 'basic':
      return pattern.basic;
    case 'array':
      return `a${print(pattern.element, unknown)}`;
    case 'maybe':
      return `m${print(pattern.element, unknown)}`;
    default: {
      const members = pattern.members.map((member) => print(member, unknown)).join('');
      return pattern.shape === 'tuple' ? `(${members})` : `{${members}}`;
    }
  }
}

function patternOf(text: string, literal: Literal): Pattern {
  switch (literal.kind) {
    case 'number':
      return literal.isFloat ? { lift: true, shape: 'basic', basic: 'd' } : { lift: true, shape: 'number' };
    case 'string':
      return { lift: true, shape: 'string' };
    case 'boolean':
      return { lift: true, shape: 'basic', basic: 'b' };
    case 'bytes':
      return { lift: true, shape: 'array', element: { lift: false, shape: 'basic', basic: 'y' } };
    case 'variant':
      return { lift: true, shape: 'variant' };
    case 'just':
      return { lift: false, shape: 'maybe', element: patternOf(text, literal.child) };
    case 'nothing':
      return { lift: false, shape: 'maybe', element: ANY };
    case 'typed':
      return patternOfType(parseType(literal.type));
    case 'array':
      return { lift: true, shape: 'array', element: unifyAll(text, literal.items) };
    case 'tuple':
      return { lift: true, shape: 'tuple', members: literal.items.map((item) => patternOf(text, item)) };
    case 'entry':
      return { lift: true, ...entryPattern(text, [literal.key], [literal.value]) };
    default: {
      const { keys, values } = literal;
      return { lift: true, shape: 'array', element: { lift: false, ...entryPattern(text, keys, values) } };
    }
  }
}

function entryPattern(text: string, keys: readonly Literal[], values: readonly Literal[]) {
  const key = { ...unifyAll(text, keys), lift: false };
  const isBasic = key.shape === 'any' || key.shape === 'number' || key.shape === 'string' || key.shape === 'basic';
  if (!isBasic) throw textError(text, keys[0]?.at ?? 0, 'a dictionary key of a basic type');
  return { shape: 'entry' as const, members: [key, unifyAll(text, values)] };
}

function patternOfType(type: GType): Pattern {
  switch (type.kind) {
    case 'basic':
      return { lift: false, shape: 'basic', basic: type.basic };
    case 'bytes':
      return { lift: false, shape: 'array', element: { lift: false, shape: 'basic', basic: 'y' } };
    case 'variant':
      return { lift: false, shape: 'variant' };
    case 'array':
    case 'maybe':
      return { lift: false, shape: type.kind, element: patternOfType(type.element) };
    default:
      return { lift: false, shape: type.kind, members: type.members.map(patternOfType) };
  }
}

function unifyAll(text: string, literals: readonly Literal[]): Pattern {
  return literals.reduce<Pattern>((pattern, literal) => {
    const both = unify(pattern, patternOf(text, literal));
    if (both === undefined) throw textError(text, literal.at, 'a value of the same type as those before it');
    return both;
  }, ANY);
}

/** Finds the pattern that both patterns allow; undefined when there is none. */
function unify(a: Pattern, b: Pattern): Pattern | undefined {
  if (a.shape === 'any') return b;
  if (b.shape === 'any') return a;
  if (a.shape === 'maybe' && b.shape === 'maybe') return wrapMaybe(unify(a.element, b.element));
  if (a.shape === 'maybe') return b.lift ? wrapMaybe(unify(a.element, b)) : undefined;
  if (b.shape === 'maybe') return unify(b, a);
  const lift = a.lift && b.lift;
  const shape = unifyShapes(a, b) ?? unifyShapes(b, a);
  return shape === undefined ? undefined : { ...shape, lift };
}

function wrapMaybe(element: Pattern | undefined): Pattern | undefined {
  return element && { lift: false, shape: 'maybe', element };
}

const NUMBERS = 'ynqiuxthd';
const STRINGS = 'sog';

function unifyShapes(a: Pattern, b: Pattern): Pattern | undefined {
  if (a.shape === 'number') return b.shape === 'number' || (b.shape === 'basic' && NUMBERS.includes(b.basic)) ? b : undefined;
  if (a.shape === 'string') return b.shape === 'string' || (b.shape === 'basic' && STRINGS.includes(b.basic)) ? b : undefined;
  if (a.shape === 'variant') return b.shape === 'variant' ? b : undefined;
  if (a.shape === 'basic') return b.shape === 'basic' && a.basic === b.basic ? b : undefined;
  if (a.shape === 'array') {
    const element = b.shape === 'array' ? unify(a.element, b.element) : undefined;
    return element && { ...a, element };
  }
  if (a.shape !== 'tuple' && a.shape !== 'entry') return undefined;
  if (b.shape !== a.shape || b.members.length !== a.members.length) return undefined;
  const members = a.members.map((member, i) => unify(member, b.members[i] as Pattern));
  return members.includes(undefined) ? undefined : { ...a, members: members as Pattern[] };
}

function readValue(text: string, literal: Literal, type: GType): GValue {
  const mismatch = () => textError(text, literal.at, `a value of type '${type.text}'`);
  if (literal.kind === 'typed') return readValue(text, literal.child, type);
  if (literal.kind === 'nothing' || literal.kind === 'just') {
    if (type.kind !== 'maybe') throw mismatch();
    return literal.kind === 'nothing' ? undefined : { just: readValue(text, literal.child, type.element) };
  }
  if (type.kind === 'maybe') return { just: readValue(text, literal, type.element) };
  switch (literal.kind) {
    case 'variant':
      if (type.kind !== 'variant') throw mismatch();
      return variantOf(text, literal.child);
    case 'bytes':
      if (type.kind !== 'bytes') throw mismatch();
      return literal.value;
    case 'array':
      return arrayValue(text, literal.items, type) ?? fail(mismatch);
    case 'tuple':
      return membersValue(text, literal.items, type, 'tuple') ?? fail(mismatch);
    case 'entry':
      return membersValue(text, [literal.key, literal.value], type, 'entry') ?? fail(mismatch);
    case 'dictionary':
      return dictionaryValue(text, literal, type) ?? fail(mismatch);
    default:
      if (type.kind !== 'basic') throw mismatch();
      return basicValue(literal, type.basic) ?? fail(mismatch);
  }
}

function fail(error: () => HacktreeError): never {
  throw error();
}

function variantOf(text: string, child: Literal): Variant {
  const type = parseType(typeOf(text, child));
  return { type: type.text, value: readValue(text, child, type) };
}

function arrayValue(text: string, items: readonly Literal[], type: GType): GValue {
  if (type.kind === 'bytes') return Buffer.from(items.map((item) => readValue(text, item, parseType('y')) as number));
  return type.kind === 'array' ? items.map((item) => readValue(text, item, type.element)) : undefined;
}

function membersValue(text: string, items: readonly Literal[], type: GType, kind: 'tuple' | 'entry'): GValue {
  if (type.kind !== kind || type.members.length !== items.length) return undefined;
  return items.map((item, i) => readValue(text, item, type.members[i] as GType));
}

function dictionaryValue(text: string, { keys, values }: Literal & { kind: 'dictionary' }, type: GType): GValue {
  if (type.kind !== 'array' || type.element.kind !== 'entry') return undefined;
  const [keyType, valueType] = type.element.members as [GType, GType];
  return keys.map((key, i) => [readValue(text, key, keyType), readValue(text, values[i] as Literal, valueType)]);
}

function basicValue(literal: Literal, basic: BasicKind): GValue {
  if (literal.kind === 'boolean') return basic === 'b' ? literal.value : undefined;
  if (literal.kind === 'string') return STRINGS.includes(basic) ? literal.value : undefined;
  if (literal.kind !== 'number' || !NUMBERS.includes(basic)) return undefined;
  if (basic === 'd') return literal.float;
  const { integer } = literal;
  if (integer === undefined || (basic === 'y' && integer !== BigInt.asUintN(8, integer))) return undefined;
  return basic === 'x' || basic === 't' ? integer : Number(integer);
}
