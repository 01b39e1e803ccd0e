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
  | { readonly kind: 'tuple' | 'entry'; readonly members: readonly GType[] }
);

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
const MAX_DEPTH = 64;
const cache = new Map<string, GType>();

/** Rounds a position up to an alignment (a power of two). */
export function alignUp(position: number, align: number): number {
  return (position + align - 1) & ~(align - 1);
}

/** Parses a complete type string. Errors: `format-invalid`. */
export function parseType(text: string): GType {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const { type, end } = parseAt(text, 0, 0);
  if (end !== text.length) throw invalid(text);
  if (cache.size < 256) cache.set(text, type);
  return type;
}

function invalid(text: string): HacktreeError {
  return new HacktreeError('format-invalid', `Invalid GVariant type '${text.slice(0, 80)}'`, { details: { found: text } });
}

function parseAt(text: string, start: number, depth: number): { type: GType; end: number } {
  const c = text[start];
  if (c === undefined || depth > MAX_DEPTH) throw invalid(text);
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
    },
    end: at + 1,
  };
}

function fixedSizeOf(members: readonly GType[], align: number): number {
  if (members.some((member) => member.fixedSize === 0)) return 0;
  const size = members.reduce((at, member) => alignUp(at, member.align) + member.fixedSize, 0);
  return members.length === 0 ? 1 : alignUp(size, align);
}
