/**
 * GVariant type strings, parsed once into a small tree with alignment and fixed size worked out.
 *
 * Source: ostree-format 1.1; the GVariant specification (gtk.org, "GVariant Specification 1.0").
 */
import { HacktreeError } from '../core/index.ts';

export type BasicKind = 'b' | 'y' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';

export type GType = {
  /** The type string, for example `a{sv}`. */
  readonly text: string;
  /** 1, 2, 4 or 8. */
  readonly align: number;
  /** Size in bytes when every value of the type has the same size, else 0. */
  readonly fixedSize: number;
} & (
  | { readonly kind: 'basic'; readonly basic: BasicKind }
  | { readonly kind: 'variant' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'array' | 'maybe'; readonly element: GType }
  | {
      readonly kind: 'tuple' | 'entry';
      readonly members: readonly GType[];
      /** Framing offsets in a value: one per member of variable size that is not the last. */
      readonly offsetCount: number;
    }
);

export type TupleType = GType & { readonly kind: 'tuple' | 'entry' };

/** Most containers (variants included) inside each other, in a type and in a value; GLib has the same limit. */
export const MAX_NESTING = 128;
/** Most characters of a type string. */
export const MAX_TYPE_LENGTH = 4096;

const BASIC_SIZE: Record<string, number> = {
  b: 1,
  y: 1,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  h: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 0,
  o: 0,
  g: 0,
};
/** Types seen, as long as they are few and short. */
const cache = new Map<string, GType>();

/** Rounds a position up to an alignment (a power of two). */
export function alignUp(position: number, align: number): number {
  return (position + align - 1) & ~(align - 1);
}

/** Parses a complete type string. Errors: `format-invalid`. */
export function parseType(text: string): GType {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (text.length > MAX_TYPE_LENGTH) throw invalid(text);
  const { type, end } = parseAt(text, 0, 0);
  if (end !== text.length) throw invalid(text);
  if (cache.size < 256 && text.length <= 64) cache.set(text, type);
  return type;
}

/** Tells whether text is a D-Bus object path: `/`, or components of letters, digits and `_`, each after a slash. */
export function isObjectPath(text: string): boolean {
  if (text === '/') return true;
  return text.startsWith('/') && !text.endsWith('/') && !text.includes('//') && !/[^/A-Za-z0-9_]/.test(text);
}

/** Tells whether text is a D-Bus signature: complete types, one after the other, none of them a maybe. */
export function isSignature(text: string): boolean {
  if (text.length > MAX_TYPE_LENGTH || text.includes('m')) return false;
  try {
    for (let at = 0; at < text.length; ) at = parseAt(text, at, 0).end;
    return true;
  } catch {
    return false;
  }
}

/** Returns the smallest offset width in bytes with bodySize + count * width representable in it. */
export function offsetWidth(bodySize: number, count: number): number {
  if (bodySize + count <= 0xff) return 1;
  if (bodySize + 2 * count <= 0xffff) return 2;
  return bodySize + 4 * count <= 0xffffffff ? 4 : 8;
}

function invalid(text: string): HacktreeError {
  return new HacktreeError('format-invalid', `Invalid GVariant type '${text.slice(0, 80)}'`, {
    details: { found: text.slice(0, 80) },
  });
}

function parseAt(text: string, start: number, depth: number): { type: GType; end: number } {
  const c = text[start];
  if (c === undefined || depth > MAX_NESTING) throw invalid(text);
  if (c === 'v') return { type: { text: 'v', align: 8, fixedSize: 0, kind: 'variant' }, end: start + 1 };
  if (c === 'a' || c === 'm') return parseContainer(text, start, depth);
  if (c === '(' || c === '{') return parseMembers(text, start, depth);
  const size = BASIC_SIZE[c];
  if (size === undefined) throw invalid(text);
  return { type: { text: c, align: size || 1, fixedSize: size, kind: 'basic', basic: c as BasicKind }, end: start + 1 };
}

function parseContainer(text: string, start: number, depth: number): { type: GType; end: number } {
  if (text[start] === 'a' && text[start + 1] === 'y') {
    return { type: { text: 'ay', align: 1, fixedSize: 0, kind: 'bytes' }, end: start + 2 };
  }
  const { type: element, end } = parseAt(text, start + 1, depth + 1);
  const kind = text[start] === 'a' ? 'array' : 'maybe';
  return { type: { text: text.slice(start, end), align: element.align, fixedSize: 0, kind, element }, end };
}

function parseMembers(text: string, start: number, depth: number): { type: GType; end: number } {
  const isEntry = text[start] === '{';
  const close = isEntry ? '}' : ')';
  const members: GType[] = [];
  let at = start + 1;
  while (text[at] !== close) {
    const { type, end } = parseAt(text, at, depth + 1);
    members.push(type);
    at = end;
  }
  if (isEntry && (members.length !== 2 || members[0]?.kind !== 'basic')) throw invalid(text);
  const align = members.reduce((most, member) => Math.max(most, member.align), 1);
  return {
    type: {
      text: text.slice(start, at + 1),
      align,
      fixedSize: fixedSizeOf(members, align),
      kind: isEntry ? 'entry' : 'tuple',
      members,
      offsetCount: members.filter((member, i) => member.fixedSize === 0 && i < members.length - 1).length,
    },
    end: at + 1,
  };
}

function fixedSizeOf(members: readonly GType[], align: number): number {
  if (members.some((member) => member.fixedSize === 0)) return 0;
  const size = members.reduce((at, member) => alignUp(at, member.align) + member.fixedSize, 0);
  return members.length === 0 ? 1 : alignUp(size, align);
}
