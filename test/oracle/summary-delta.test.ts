/** Summaries, static deltas, sizes and hash order: what the real ostree writes is read, and written again byte for byte. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Checksum, checksumOf } from '../../src/core/index.ts';
import {
  type Commit,
  type Dict,
  decodeCommit,
  decodeDeltaIndex,
  decodeDict,
  decodeOperations,
  decodePartFile,
  decodePayload,
  decodeSignedDelta,
  decodeSummary,
  decodeSuperblock,
  deltaDirectory,
  deltaIndexPath,
  encodeCommit,
  encodeDeltaIndex,
  encodeOperations,
  encodePartFile,
  encodePayload,
  encodeSignedDelta,
  encodeSizes,
  encodeSummary,
  encodeSuperblock,
  inHashOrder,
  inlinePart,
  lookup,
  lookupString,
  type Superblock,
  sizesOf,
  summaryFacts,
  summaryMetadata,
  summaryRefMetadata,
  summaryRefTimestamp,
} from '../../src/format/index.ts';
import { ostree, ostreeCommit } from '../helpers/oracle.ts';
import { requireTool, runBytes } from '../helpers/run.ts';
import { keptScratchDir } from '../helpers/scratch.ts';

const hasOstree = requireTool('ostree', 'xz');
const withOstree = hasOstree ? it : it.skip;

const OWNER = ['--owner-uid=0', '--owner-gid=0', '--no-xattrs'];
let dir: string;
let repo: string;
let commits: Checksum[];

const objectPath = (checksum: string, type: string) =>
  join(repo, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.${type}`);
const readCommit = (checksum: string): Commit => decodeCommit(readFileSync(objectPath(checksum, 'commit')));
const decompress = (xz: Uint8Array): Buffer => runBytes('xz', ['-dc'], { input: xz }).stdout;

/** Text that differs from version to version, with long stretches that stay. */
function content(seed: number, version: number): string {
  const lines = Array.from({ length: 400 }, (_, i) => `line ${i * seed} ${i % 37 === version ? `changed ${version}` : 'same'}`);
  return lines.join('\n');
}

/** Bytes that look random, and are always the same. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

beforeAll(() => {
  if (!hasOstree) return;
  dir = keptScratchDir();
  repo = join(dir, 'repo');
  ostree(repo, 'init', '--mode=archive', '--collection-id=org.example.Test');
  commits = [1, 2, 3].map((version) => {
    const tree = join(dir, `tree${version}`);
    mkdirSync(join(tree, 'sub'), { recursive: true });
    for (const name of ['a', 'b', 'sub/c']) writeFileSync(join(tree, name), content(name.length, version));
    writeFileSync(join(tree, `new${version}`), `${version}`);
    writeFileSync(join(tree, 'big'), Buffer.concat([Buffer.from(`${version}`), noise(1_500_000)]));
    writeFileSync(join(tree, 'middle'), Buffer.concat([noise(200_000), Buffer.from(`${version}`), noise(100_000)]));
    const args = [`--timestamp=@170000000${version}`, `--add-metadata-string=version=${version}.0`, ...OWNER, '--generate-sizes'];
    return ostreeCommit(repo, tree, ...args) as Checksum;
  });
});

describe('hash order', () => {
  withOstree('is that of ostree for up to 300 keys of --bootable commits', () => {
    const tree = join(dir, 'kernel');
    mkdirSync(join(tree, 'usr/lib/modules/5.1'), { recursive: true });
    writeFileSync(join(tree, 'usr/lib/modules/5.1/vmlinuz'), 'k\n');
    for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 28, 29, 30, 31, 58, 60, 61, 100, 120, 121, 240, 300]) {
      const keys = Array.from({ length: count }, (_, i) => `key${(i * 7919) % 1009}-é${'x'.repeat(i % 5)}`);
      const args = keys.map((key, i) => `--add-metadata-string=${key}=${i}`);
      const checksum = ostreeCommit(repo, tree, '--branch=boot', '--bootable', ...OWNER, ...args);
      const stored = readCommit(checksum).metadata;
      const strings = keys.map((key, i) => [key, { type: 's', value: `${i}` }] as const);
      const rest: Dict = [
        ['ostree.ref-binding', lookup(stored, 'ostree.ref-binding') ?? { type: 'as', value: [] }],
        ['ostree.collection-binding', { type: 's', value: 'org.example.Test' }],
        ['ostree.linux', { type: 's', value: '5.1' }],
        ['ostree.bootable', { type: 'b', value: true }],
      ];
      expect(inHashOrder([...strings, ...rest])).toEqual(stored);
    }
  });
});

describe('ostree.sizes', () => {
  withOstree('names every object with its size on disk, and is written again', () => {
    for (const commit of commits) {
      const { metadata } = readCommit(commit);
      const sizes = sizesOf(metadata) ?? [];
      expect(sizes.length).toBeGreaterThan(6);
      expect(encodeSizes(sizes)).toEqual(lookup(metadata, 'ostree.sizes'));
      for (const { checksum, type, archivedBytes, unpackedBytes } of sizes) {
        const bytes = readFileSync(objectPath(checksum, type === 'file' ? 'filez' : `${type}`));
        expect(archivedBytes).toBe(bytes.length);
        if (type !== 'file') expect(unpackedBytes).toBe(bytes.length);
      }
      const names = sizes.map(({ checksum }) => checksum);
      expect(names).toEqual([...names].sort());
    }
  });
});

describe('summary', () => {
  withOstree('is read and written again byte for byte, from facts and given metadata', () => {
    for (let i = 0; i < 40; i++) ostree(repo, 'refs', `--create=some/ref-${(i * 7) % 40}`, commits[i % 3] ?? '');
    ostree(repo, 'refs', '--create=main-alias', '--alias', 'main');
    ostree(repo, 'static-delta', 'generate', `--from=${commits[0]}`, `--to=${commits[1]}`);
    ostree(repo, 'static-delta', 'generate', '--empty', `--to=${commits[1]}`);
    ostree(repo, 'static-delta', 'generate', `--from=${commits[0]}`, `--to=${commits[2]}`);
    ostree(repo, 'static-delta', 'generate', `--from=${commits[1]}`, `--to=${commits[2]}`);
    // A ref of another collection, as a mirror holds it.
    mkdirSync(join(repo, 'refs/mirrors/org.example.Other/app'), { recursive: true });
    writeFileSync(join(repo, 'refs/mirrors/org.example.Other/app/x'), `${commits[0]}\n`);
    ostree(repo, 'summary', '-u', '--add-metadata=mine=uint32 5', "--add-metadata=b.title='x'");
    const bytes = readFileSync(join(repo, 'summary'));
    const summary = decodeSummary(bytes);
    expect(encodeSummary(summary).equals(bytes)).toBe(true);

    const given: Dict = [
      ['mine', { type: 'u', value: 5 }],
      ['b.title', { type: 's', value: 'x' }],
    ];
    const facts = summaryFacts(summary);
    expect(facts).toMatchObject({ mode: 'archive-z2', tombstoneCommits: false, collectionId: 'org.example.Test' });
    expect(facts.staticDeltas?.length).toBe(4);
    expect(facts.collectionMap?.map(([id, refs]) => [id, refs.map(({ ref }) => ref)])).toEqual([
      ['org.example.Other', ['app/x']],
    ]);
    const refs = summary.refs.map(({ ref, commit }) => {
      const { metadata, timestampSec } = readCommit(commit);
      const commitBytes = BigInt(readFileSync(objectPath(commit, 'commit')).length);
      return { ref, commit, commitBytes, metadata: summaryRefMetadata(lookupString(metadata, 'version'), timestampSec) };
    });
    expect(refs.map(({ ref }) => ref)).toEqual(expect.arrayContaining(['main', 'main-alias', 'some/ref-39']));
    expect(summary.refs.map(summaryRefTimestamp)).toEqual(refs.map(({ commit }) => readCommit(commit).timestampSec));
    expect(encodeSummary({ refs, metadata: summaryMetadata(facts, given) }).equals(bytes)).toBe(true);
  });

  withOstree('has its deltas in the indexes too', () => {
    const facts = summaryFacts(decodeSummary(readFileSync(join(repo, 'summary'))));
    for (const to of [commits[1], commits[2]] as Checksum[]) {
      const bytes = readFileSync(join(repo, deltaIndexPath(to)));
      const deltas = decodeDeltaIndex(bytes);
      const names = (list: typeof deltas) => list.map((delta) => JSON.stringify(delta)).sort();
      expect(names(deltas)).toEqual(names((facts.staticDeltas ?? []).filter((delta) => delta.name.to === to)));
      expect(encodeDeltaIndex(deltas).equals(bytes)).toBe(true);
      for (const { name, superblock } of deltas) {
        expect(checksumOf(readFileSync(join(repo, deltaDirectory(name), 'superblock')))).toBe(superblock);
      }
    }
  });
});

describe('static delta', () => {
  /** Reads every part, decodes its program, and writes all of it again; returns the names of operations seen. */
  function checkParts(block: Superblock, readPart: (index: number) => Buffer): Set<string> {
    const seen = new Set<string>();
    block.parts.forEach((part, index) => {
      const file = readPart(index);
      expect(checksumOf(file)).toBe(part.checksum);
      expect(file.length).toBe(Number(part.sizeBytes));
      const { compression, bytes } = decodePartFile(file);
      const raw = compression === 'xz' ? decompress(bytes) : bytes;
      const payload = decodePayload(raw);
      expect(encodePayload(payload).equals(raw)).toBe(true);
      const operations = decodeOperations(payload, part.objects);
      expect(encodeOperations(operations)).toEqual(payload.operations);
      for (const { op } of operations) seen.add(op);
    });
    return seen;
  }

  function generate(...args: string[]): { block: Superblock; bytes: Buffer; readPart: (index: number) => Buffer } {
    const [from, to] = [commits[0] as Checksum, commits[1] as Checksum];
    const place = join(repo, deltaDirectory({ from, to }));
    rmSync(place, { recursive: true, force: true });
    ostree(repo, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`, ...args);
    const bytes = readFileSync(join(place, 'superblock'));
    const block = decodeSuperblock(bytes);
    expect(block).toMatchObject({ from, to });
    expect(encodeSuperblock(block).equals(bytes)).toBe(true);
    expect(encodeCommit(block.commit).equals(readFileSync(objectPath(to, 'commit')))).toBe(true);
    return { block, bytes, readPart: (index) => readFileSync(join(place, `${index}`)) };
  }

  withOstree('with bsdiff is read and written again', () => {
    const { block, readPart } = generate();
    expect(block.byteOrder).toBe('little');
    const seen = checkParts(block, readPart);
    expect([...seen].sort()).toEqual(expect.arrayContaining(['bspatch', 'close', 'open', 'splice-metadata', 'set-read-source']));
  });

  withOstree('without bsdiff, in many parts, is read and written again', () => {
    const { block, readPart } = generate('--disable-bsdiff', '--max-chunk-size=1', '--min-fallback-size=0');
    const seen = checkParts(block, readPart);
    expect([...seen]).toEqual(expect.arrayContaining(['splice-content', 'write', 'set-read-source']));
  });

  withOstree('of the other byte order has the same numbers', () => {
    const little = generate('--set-endianness=l').block;
    const big = generate('--set-endianness=B').block;
    expect(big.byteOrder).toBe('big');
    expect(big.parts.map(({ unpackedBytes }) => unpackedBytes)).toEqual(little.parts.map(({ unpackedBytes }) => unpackedBytes));
    expect(big.parts.map(({ version }) => version)).toEqual(little.parts.map(({ version }) => version));
    expect(big.fallbacks).toEqual(little.fallbacks);
  });

  withOstree('with fallbacks names them with their sizes, in both byte orders', () => {
    for (const order of ['l', 'B']) {
      const { block } = generate('--min-fallback-size=1', `--set-endianness=${order}`, '--disable-bsdiff');
      const { block: none } = generate('--min-fallback-size=0', `--set-endianness=${order}`, '--disable-bsdiff');
      expect(none.fallbacks).toEqual([]);
      expect(block.fallbacks.length).toBe(1);
      for (const { object, compressedBytes, unpackedBytes } of block.fallbacks) {
        expect(object.type).toBe('file');
        expect(Number(compressedBytes)).toBe(readFileSync(objectPath(object.checksum, 'filez')).length);
        expect(Number(unpackedBytes)).toBe(1_500_001);
      }
    }
  });

  withOstree('may carry its parts inline', () => {
    const { block, bytes } = generate('--inline');
    expect(block.parts.length).toBeGreaterThan(0);
    checkParts(block, (index) => {
      const part = inlinePart(block, index);
      return part === undefined ? Buffer.alloc(0) : encodePartFile(part);
    });
    expect(existsSync(join(repo, deltaDirectory(block), '0'))).toBe(false);
    expect(bytes.length).toBeGreaterThan(Number(block.parts[0]?.sizeBytes));
  });

  withOstree('may be signed', () => {
    const file = join(dir, 'signed');
    const env = { OSTREE_DUMMY_SIGN_ENABLED: '1' };
    const args = ['static-delta', 'generate', `--from=${commits[0]}`, `--to=${commits[1]}`, '--inline', `--filename=${file}`];
    const result = runBytes('ostree', [`--repo=${repo}`, ...args, '--sign-type=dummy', '--sign=MYKEY'], { env });
    expect(result.status).toBe(0);
    const bytes = readFileSync(file);
    const signed = decodeSignedDelta(bytes);
    expect(signed.signatures).toEqual([['ostree.sign.dummy', { type: 'aay', value: [Buffer.from('MYKEY')] }]]);
    expect(encodeSignedDelta(signed).equals(bytes)).toBe(true);
    expect(decodeSuperblock(signed.superblock).to).toBe(commits[1]);
  });
});

describe('repository', () => {
  withOstree('holds no metadata object that the codecs refuse', () => {
    const folders = readdirSync(join(repo, 'objects'));
    const files = folders.flatMap((folder) => readdirSync(join(repo, 'objects', folder)).map((name) => join(folder, name)));
    const commitFiles = files.filter((name) => name.endsWith('.commit'));
    expect(commitFiles.length).toBeGreaterThan(20);
    for (const name of commitFiles) {
      const bytes = readFileSync(join(repo, 'objects', name));
      expect(encodeCommit(decodeCommit(bytes)).equals(bytes)).toBe(true);
    }
    expect(decodeDict(Buffer.alloc(0))).toEqual([]);
  });
});
