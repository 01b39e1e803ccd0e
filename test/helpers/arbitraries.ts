/** Random values of the formats, for property tests. */
import fc from 'fast-check';
import type { Checksum } from '../../src/core/index.ts';
import { compareBytes, compareUtf8 } from '../../src/core/index.ts';
import type { Commit, Dict, Dirtree, GValue, Variant, Xattrs } from '../../src/format/index.ts';

export const checksum: fc.Arbitrary<Checksum> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Checksum);

export const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));

/** Names that a tree may hold; some are long enough for wide framing offsets. */
export const fileName = fc
  .oneof(
    { weight: 8, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: 180, max: 260 }).map((n) => 'n'.repeat(n)) },
  )
  .map((name) => name.replace(/[/\0]/g, '_'))
  .filter((name) => name !== '.' && name !== '..' && name !== '');

export const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));

export const xattrs: fc.Arbitrary<Xattrs> = fc
  .uniqueArray(
    fc.record({
      name: fc.uint8Array({ minLength: 1, maxLength: 30, min: 1 }).map((value) => Buffer.from(value)),
      value: bytes,
    }),
    { maxLength: 4, selector: ({ name }) => name.toString('hex') },
  )
  .map((list) => list.sort((a, b) => compareBytes(a.name, b.name)));

export const dirtree: fc.Arbitrary<Dirtree> = fc
  .uniqueArray(fc.record({ name: fileName, isDir: fc.boolean(), a: checksum, b: checksum }), {
    selector: ({ name }) => name,
    maxLength: 40,
  })
  .map((entries) => {
    entries.sort((x, y) => compareUtf8(x.name, y.name));
    return {
      files: entries.filter((e) => !e.isDir).map(({ name, a }) => ({ name, checksum: a })),
      dirs: entries.filter((e) => e.isDir).map(({ name, a, b }) => ({ name, tree: a, meta: b })),
    };
  });

const BASIC = [...'bynqiuxtdsogh'];

/** Complete GVariant types of bounded depth. */
export const gtype: fc.Arbitrary<string> = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...BASIC, 'ay', 'v', '()'),
    tie('type').map((t) => `a${t}`),
    tie('type').map((t) => `m${t}`),
    fc.array(tie('type'), { maxLength: 4 }).map((list) => `(${list.join('')})`),
    fc.tuple(fc.constantFrom(...BASIC), tie('type')).map(([k, t]) => `{${k}${t}}`),
  ),
})).type;

const objectPath = fc.array(fc.stringMatching(/^[A-Za-z0-9_]{1,5}$/), { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);

const basicValues: Record<string, fc.Arbitrary<GValue>> = {
  b: fc.boolean(),
  y: fc.integer({ min: 0, max: 255 }),
  n: fc.integer({ min: -0x8000, max: 0x7fff }),
  q: fc.integer({ min: 0, max: 0xffff }),
  i: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  h: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  u: fc.integer({ min: 0, max: 0xffffffff }),
  x: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  t: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  d: fc.double(),
  s: text,
  o: objectPath,
  g: fc.array(gtype, { maxLength: 3 }).map((list) => list.join('').replaceAll('m', 'a')),
};

/** Splits the members of a tuple or dict entry type (without its brackets) into complete types. */
function splitTypes(members: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < members.length; ) {
    const start = at;
    while (members[at] === 'a' || members[at] === 'm') at++;
    let depth = 0;
    do {
      if (members[at] === '(' || members[at] === '{') depth++;
      if (members[at] === ')' || members[at] === '}') depth--;
      at++;
    } while (depth > 0);
    types.push(members.slice(start, at));
  }
  return types;
}

/** Values of one type. */
export function gvalue(type: string, depth = 0): fc.Arbitrary<GValue> {
  const basic = basicValues[type];
  if (basic !== undefined) return basic;
  if (type === 'ay') return bytes;
  if (type === 'v') return depth > 2 ? fc.constant({ type: 's', value: '' }) : variant(depth + 1);
  const maxLength = depth > 2 ? 2 : 5;
  if (type[0] === 'a') return fc.array(gvalue(type.slice(1), depth + 1), { maxLength });
  if (type[0] === 'm')
    return fc
      .option(gvalue(type.slice(1), depth + 1), { nil: undefined })
      .map((just) => (just === undefined ? undefined : { just }));
  return fc.tuple(...splitTypes(type.slice(1, -1)).map((member) => gvalue(member, depth + 1)));
}

export function variant(depth = 0): fc.Arbitrary<Variant> {
  return gtype.chain((type) => gvalue(type, depth).map((value) => ({ type, value })));
}

export const dict: fc.Arbitrary<Dict> = fc.array(fc.tuple(text, variant(1)), { maxLength: 5 });

export const commit: fc.Arbitrary<Commit> = fc.record({
  metadata: dict,
  parent: fc.option(checksum, { nil: undefined }),
  related: fc.constant([]),
  subject: text,
  body: text,
  timestampSec: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  rootTree: checksum,
  rootMeta: checksum,
});
