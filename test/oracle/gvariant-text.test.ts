/** GVariant text against the real ostree: what it prints, what it accepts, and what bytes come of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Checksum, checksumOf, isHacktreeError } from '../../src/core/index.ts';
import {
  type Dict,
  decodeCommit,
  decodeVariant,
  encodeCommit,
  encodeVariant,
  parseVariantText,
  printVariant,
  swapVariantBytes,
  type Variant,
} from '../../src/format/index.ts';
import { variant } from '../helpers/arbitraries.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;

function makeRepo(): { dir: string; repo: string; tree: string } {
  const dir = scratchDir();
  const [repo, tree] = [join(dir, 'repo'), join(dir, 'tree')];
  mkdirSync(tree);
  initOstreeRepo(repo, 'bare-user-only');
  return { dir, repo, tree };
}

/** Metadata as ostree stored it for these texts. */
function storedByOstree(repo: string, tree: string, texts: readonly string[]): Map<string, Variant> {
  const commit = ostreeCommit(repo, tree, ...texts.map((text, i) => `--add-metadata=k${i}=${text}`));
  const object = readFileSync(join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commit`));
  return new Map(decodeCommit(object).metadata);
}

/** Doubles so small that they lose digits are printed, but GLib refuses to read them. */
const isReadable = (text: string) => !/e-3(0[89]|[12]\d)/.test(text);
/** Characters of planes 1 to 3 are left out: which of them are assigned depends on the Unicode version on either side. */
const hasNewCharacters = (value: Variant) => /[\u{10000}-\u{3ffff}]/u.test(printVariant(value, false));
const variants = fc.array(
  variant().filter((value) => !hasNewCharacters(value)),
  { minLength: 40, maxLength: 40 },
);

/** Puts values into the metadata of a commit object and lets ostree print it. */
function printedByOstree(repo: string, value: readonly Variant[], ...args: string[]): string[] {
  const zero = '0'.repeat(64) as Checksum;
  const metadata: Dict = [['k', { type: 'av', value }]];
  const texts = { subject: '', body: '', timestampSec: 0n };
  const object = encodeCommit({ metadata, ...texts, parent: undefined, related: [], rootTree: zero, rootMeta: zero });
  const checksum = checksumOf(object);
  mkdirSync(join(repo, 'objects', checksum.slice(0, 2)), { recursive: true });
  writeFileSync(join(repo, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.commit`), object);
  return lines(ostree(repo, 'show', ...args, '--print-metadata-key=k', checksum));
}

const lines = (printed: string): string[] => printed.split('>, <');

describe('printVariant', () => {
  withOstree('prints random values as ostree does, swapped and not', () => {
    const { repo } = makeRepo();
    for (const value of fc.sample(variants, { numRuns: 25, seed: 1 })) {
      expect(lines(printVariant({ type: 'av', value }, true))).toEqual(printedByOstree(repo, value, '-B'));
      const swapped = lines(printVariant(swapVariantBytes({ type: 'av', value }), true));
      expect(swapped).toEqual(printedByOstree(repo, value).map((line) => line.replaceAll('-nan', 'nan')));
    }
  });

  withOstree('prints doubles as ostree does', () => {
    const { repo } = makeRepo();
    const list = fc.sample(fc.double({ noNaN: true }), { numRuns: 2000, seed: 2 });
    const ties = Array.from({ length: 80 }, (_, i) => 2 ** -i).concat(Array.from({ length: 80 }, (_, i) => 3 * 2 ** (i - 40)));
    const odd = [
      0,
      -0,
      1,
      -1,
      0.1,
      1e16,
      1e17,
      123456789012345680,
      1e-4,
      1e-5,
      5e-324,
      1.7976931348623157e308,
      Infinity,
      -Infinity,
    ];
    const value = [...list, ...ties, ...odd].map((each) => ({ type: 'd', value: each }));
    expect(lines(printVariant({ type: 'av', value }, true))).toEqual(printedByOstree(repo, value, '-B'));
  });

  withOstree('prints every kind of character as ostree does', () => {
    const { repo } = makeRepo();
    const value: Variant[] = [];
    // Blocks whose characters were assigned long ago; newer ones depend on the Unicode version on either side.
    for (const [from, to] of [
      [1, 0x250],
      [0x300, 0x37e],
      [0x590, 0x700],
      [0x2000, 0x2070],
      [0x3000, 0x3100],
      [0xd7f0, 0xd800],
      [0xe000, 0xe010],
      [0xfe00, 0xfe20],
      [0xfff0, 0x10000],
      [0x1f600, 0x1f650],
      [0xe0000, 0xe0080],
      [0x10fff0, 0x110000],
    ] as const) {
      for (let code = from; code < to; code++) value.push({ type: 's', value: `${String.fromCodePoint(code)}x` });
    }
    for (const text of ["'", '"', `'"`, '\\', 'nothing', 'just']) value.push({ type: 's', value: text });
    for (let byte = 0; byte < 256; byte++) {
      value.push({ type: 'ay', value: Buffer.from([byte, 0]) }, { type: 'ay', value: Buffer.from([byte]) });
    }
    expect(lines(printVariant({ type: 'av', value }, true))).toEqual(printedByOstree(repo, value, '-B'));
  });

  withOstree('prints a commit and its xattrs as ostree does', () => {
    const { repo, tree } = makeRepo();
    const commit = ostreeCommit(repo, tree, '--add-metadata=a=uint32 5', '--add-metadata=b=<(1, [true])>');
    const object = readFileSync(join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commit`));
    const type = '(a{sv}aya(say)sstayay)';
    const value = decodeVariant(type, object);
    expect(ostree(repo, 'show', '--raw', '-B', commit)).toContain(`\n${printVariant({ type, value }, true)}\n`);
    const swapped = printVariant(swapVariantBytes({ type, value }), true);
    expect(ostree(repo, 'show', '--raw', commit)).toBe(`commit ${commit}\n${swapped}`);
  });
});

describe('parseVariantText', () => {
  withOstree('reads what printVariant prints to the bytes that ostree makes of it', () => {
    const { repo, tree } = makeRepo();
    for (const values of fc.sample(variants, { numRuns: 25, seed: 3 })) {
      const texts = values.map((value) => printVariant(value, true)).filter(isReadable);
      const stored = storedByOstree(repo, tree, texts);
      texts.forEach((text, i) => {
        const parsed = parseVariantText(text);
        expect({ text, ...parsed }).toEqual({ text, ...stored.get(`k${i}`) });
      });
    }
  });

  const TEXTS = [
    ...[
      '5',
      '-5',
      '+5',
      '0',
      '-0',
      '007',
      '08',
      '0x1F',
      '-0x10',
      '0X1f',
      '0xg',
      '5x',
      '--5',
      '1.5',
      '-1.5',
      '.5',
      '5.',
      '1e5',
      '1E5',
      '1e',
      '-.5e-3',
    ],
    ...['inf', '-inf', '+inf', 'nan', 'infinity', '-infinity', 'NaN', 'Inf', '1e999', '-1e999', '1e-999', '0x1p3'],
    ...['2147483647', '2147483648', '-2147483648', '-2147483649', '99999999999999999999', '18446744073709551616'],
    ...['byte 0', 'byte 255', 'byte 256', 'byte -1', 'byte 0x10', 'byte 010', 'int16 -32768', 'int16 32768', 'uint16 65535'],
    ...['uint16 65536', 'int32 5', 'handle 3', 'handle -1', 'uint32 4294967295', 'uint32 -1', 'int64 -9223372036854775808'],
    ...['int64 9223372036854775808', 'uint64 18446744073709551615', 'uint64 18446744073709551616', 'uint64 -0', 'double 5'],
    ...[
      'double 0x10',
      'double 010',
      'double inf',
      'boolean true',
      'boolean 1',
      'true',
      'false',
      'True',
      'string "a"',
      'string 5',
    ],
    ...[
      'uint32 1.0',
      'uint32 int64 5',
      'uint32 "5"',
      'byte byte 5',
      'foo 5',
      'a',
      'ab',
      'abc',
      '@',
      '@i',
      '@i 5',
      '@ i 5',
      '@z 5',
      '@ii 5',
    ],
    ...[
      "'a'",
      '"a"',
      "'a",
      '"a\'b"',
      "'a\\'b'",
      "'a\"b'",
      "'\\n\\t\\a\\b\\f\\r\\v\\\\'",
      "'\\z\\q'",
      "'\\u0041\\U0001F600'",
      "'\\u41'",
    ],
    ...["'\\ud800'", "'\\U00110000'", "'é😀'", "'a\\\nb'", "'a\nb'", "''", "'a' 'b'", "'\\", "'\\u", "'\\x41'"],
    ...[
      "b'abc'",
      'b"abc"',
      "b''",
      "b'\\101\\0\\377\\8'",
      "b'\\777'",
      "b'é'",
      "b'a",
      "b 'a'",
      "b'\\'\"'",
      "b'\\a\\b\\f\\n\\r\\t\\v\\\\\\e'",
      "b'a\\\nb'",
    ],
    ...[
      'objectpath "/a/b"',
      "objectpath '/'",
      "objectpath 'a'",
      "objectpath '/a/'",
      "objectpath '//'",
      "signature 'a{sv}'",
      "signature '('",
    ],
    ...["signature ''", "signature 'mi'", "@o '/a'", "@g 'as'", '@s "a"'],
    ...[
      '[]',
      '@as []',
      '@ai []',
      '@i []',
      '[1]',
      '[1,]',
      '[,]',
      '[1 2]',
      '[1,2,3]',
      '[ 1 , 2 ]',
      '[1, 2.5]',
      '[2.5, 1]',
      '[1, "a"]',
      '[byte 1, 2]',
    ],
    ...[
      '[1, byte 2]',
      '[1, int64 5]',
      '[int64 5, uint64 5]',
      '@ay [1, 0x02]',
      '@ay [256]',
      '@ay b"x"',
      '@ay "x"',
      '@ay []',
      '[b"a", b"b"]',
    ],
    ...[
      '[[1], []]',
      '[[], [1]]',
      '[[], []]',
      "['/a', objectpath '/b']",
      "[objectpath '/b', 'a']",
      '[1',
      '[',
      '@aas [["a"], []]',
      '[[1], ["a"]]',
    ],
    ...[
      '()',
      '(1)',
      '(1,)',
      '(1,2)',
      '(1,2,)',
      '(,)',
      '(1 2)',
      '(1,,2)',
      '("a", 5, [true])',
      '@(is) (1, "a")',
      '@(is) ("a", 1)',
      '@(i) (1,)',
    ],
    ...['@() ()', '@(ii) (1,)', '[(1, "a"), (2, "b")]', '[(1, nothing), (2, 3)]', '[(1, 2), (3,)]', '(1', '(1,', '((),)'],
    ...[
      '{}',
      '@a{sv} {}',
      '@a{si} {}',
      '{"a": 1}',
      "{'a': <1>, 'b': <'x'>}",
      '{"a": 1,}',
      '{"a": 1, "b": "c"}',
      '{1: 2, 3: 4}',
      '{1: "a", byte 2: "b"}',
    ],
    ...[
      '{"a", 1}',
      '{"a", <1>}',
      '@{sv} {"a", <1>}',
      '{"a" 1}',
      '{"a": 1 "b": 2}',
      '{<1>: 2}',
      '{[1]: 2}',
      '{nothing: 1}',
      '{just 1: 2}',
      '{"a": 1',
    ],
    ...[
      '{"a":1}',
      '{1,2}',
      '{1,2,}',
      '[{"a", 1}, {"b", 2}]',
      '[{"a", 1}, {"b": 2}]',
      '@a{us} {1: "x"}',
      '@a{us} {"x": 1}',
      '{true: false}',
      '{:}',
      '{1:2:3}',
    ],
    ...[
      '<1>',
      '<<1>>',
      '<"a">',
      '<[]>',
      '<@as []>',
      '<1',
      '<1,2>',
      '<>',
      '[<1>, <"a">]',
      '[<1>, 2]',
      '@v <1>',
      '@v 1',
      '@i <1>',
      '< 1 >',
    ],
    ...[
      'nothing',
      'just nothing',
      'just 5',
      'just just 5',
      '@mi nothing',
      '@mi 5',
      '@mi just 5',
      '@mmi nothing',
      '@mmi just nothing',
      '@mmi 5',
    ],
    ...[
      '@mmi just 5',
      '@i just 5',
      '@ms "a"',
      '[nothing, 5]',
      '[5, nothing]',
      '[just 5, nothing]',
      '[just nothing, 5]',
      '[just nothing, just 5]',
    ],
    ...[
      '[nothing, just nothing]',
      '[nothing, "a"]',
      '[just 5, "a"]',
      '[just 5, 6, byte 7]',
      '[just byte 5, 6]',
      '[byte 5, just 6]',
      'just',
      'nothing 5',
      'no',
      'justx 5',
    ],
    ...[
      '@ami [nothing, 5]',
      '@ami [int32 5]',
      '@am(is) [nothing, (1, "a")]',
      '@a{smv} {"a": nothing, "b": <1>}',
      '@m() ()',
      '@mas ["a"]',
      '@may b"a"',
      '@mv <1>',
    ],
    ...[
      '  5  ',
      '\t5\n',
      '5 6',
      '5,',
      '',
      ' ',
      '%i',
      '+',
      '.',
      '1+2',
      '1-2',
      '5\u00a0',
      '[1\n,\v2\f]',
      '@as[]',
      '@(ii)(1,2)',
      '@a{ss}{}',
      'uint32\n5',
      'uint325',
      'byte0x10',
    ],
    ...[
      '[@i 5, 6]',
      '[6, @u 5]',
      '@au [1, -1]',
      '@ad [1, 2.5, inf]',
      '@ad [010, 0x10]',
      '[1, inf]',
      '[nan, 1]',
      '[true, false]',
      '[true, 1]',
      '[1.0, byte 1]',
    ],
    ...[
      "{'a': @mv nothing}",
      "@a{s(ib)} {'x': (1, true)}",
      '@aay [b"a", [0x01], []]',
      '[b"a", [byte 1]]',
      '[b"a", []]',
      '[[byte 1], b"a"]',
      '[(b"a", 1), ([], 2)]',
    ],
    ...[
      `${'['.repeat(20)}1${']'.repeat(20)}`,
      `${'<'.repeat(60)}1${'>'.repeat(60)}`,
      `${'['.repeat(200)}1${']'.repeat(200)}`,
      `${'<'.repeat(300)}1${'>'.repeat(300)}`,
    ],
  ];

  withOstree('accepts and refuses what ostree accepts and refuses, with the same bytes', () => {
    const { repo, tree } = makeRepo();
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const text of TEXTS) {
      const key = text.slice(0, 60);
      found[key] = parsedText(text);
      expected[key] = storedOrRefused(repo, tree, text);
    }
    expect(found).toEqual(expected);
    expect(Object.values(expected).filter((each) => each === 'refused').length).toBeGreaterThan(80);
  });

  function parsedText(text: string): unknown {
    try {
      const { type, value } = parseVariantText(text);
      return { type, bytes: encodeVariant(type, value).toString('hex') };
    } catch (error) {
      expect(isHacktreeError(error) && error.code).toBe('usage');
      return 'refused';
    }
  }

  function storedOrRefused(repo: string, tree: string, text: string): unknown {
    const args = [`--repo=${repo}`, 'commit', '-b', 'main', '--timestamp=@1', '--fsync=false', `--add-metadata=k=${text}`, tree];
    const { status, stdout, stderr } = run('ostree', args);
    if (status !== 0) {
      expect(stderr).toMatch(/error: Parsing |assertion failed/);
      return 'refused';
    }
    const commit = stdout.trim();
    const object = readFileSync(join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commit`));
    const stored = decodeCommit(object).metadata.find(([key]) => key === 'k')?.[1] as Variant;
    return { type: stored.type, bytes: encodeVariant(stored.type, stored.value).toString('hex') };
  }
});
