/**
 * Static deltas against ostree, both ways: what it generates hacktree applies, what hacktree generates it applies, and the
 * objects are the same.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../src/core/index.ts';
import {
  type DeltaName,
  decodeOperations,
  decodeSuperblock,
  deltaDirectory,
  encodeCommit,
  inlinePart,
  type PartFile,
  type Superblock,
} from '../../src/format/index.ts';
import {
  executePart,
  type GenerateRequest,
  generateDelta,
  openDeltaStore,
  type PartResult,
  readPartFile,
  unpackPartSync,
} from '../../src/remote/index.ts';
import { beginTransaction, openRepo, type Repo } from '../../src/repo/index.ts';
import { noise } from '../helpers/noise.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;

let work: string;

beforeEach(() => {
  work = scratchDir();
});

const write = (tree: string, name: string, content: string | Uint8Array, mode = 0o644): void => {
  const file = path.join(work, tree, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, content);
  fs.chmodSync(file, mode);
};

/** Two versions of a tree in which files are new, changed here and there, half replaced, moved, linked, unreadable. */
function makeTrees(): { old: string; new: string } {
  const program = Buffer.concat([noise(40_000, 1), Buffer.alloc(60_000, 'text '), noise(30_000, 2)]);
  const patched = Buffer.from(program);
  for (let i = 0; i < patched.length; i += 300) patched[i] = (patched[i] as number) + 1;
  const image = noise(600_000, 3);
  for (const tree of ['old', 'new']) {
    const isNew = tree === 'new';
    write(tree, 'etc/version', isNew ? '2\n' : '1\n');
    write(tree, 'usr/bin/program', isNew ? patched : program, 0o755);
    write(tree, 'usr/lib/same.so', noise(5000, 4), 0o755);
    write(
      tree,
      isNew ? 'usr/lib/libx.so.1.3' : 'usr/lib/libx.so.1.2',
      isNew ? Buffer.concat([image.subarray(0, 500_000), noise(9000, 5)]) : image,
    );
    write(tree, 'usr/share/secret', noise(4000, isNew ? 6 : 7), 0o600);
    write(tree, isNew ? 'moved/file' : 'file', 'moves along\n');
    write(tree, 'usr/share/empty', '');
    const link = path.join(work, tree, 'link');
    fs.symlinkSync(isNew ? 'usr/new' : 'usr/old', link);
  }
  write('new', 'usr/share/added', noise(20_000, 8));
  write('new', 'usr/share/setuid', 'x', 0o4755);
  return { old: path.join(work, 'old'), new: path.join(work, 'new') };
}

/** An archive repository with two commits of `main`. */
function makeServer(): { repo: string; from: Checksum; to: Checksum } {
  const trees = makeTrees();
  const repo = path.join(work, 'server');
  initOstreeRepo(repo, 'archive');
  const from = ostreeCommit(repo, trees.old) as Checksum;
  const to = ostreeCommit(repo, trees.new, '--add-metadata-string=version=2') as Checksum;
  return { repo, from, to };
}

/** A repository that has the first commit only. */
function makeClient(server: string, from: Checksum | undefined, mode: string): Repo {
  const repo = path.join(work, `client-${mode}`);
  initOstreeRepo(repo, mode);
  if (from !== undefined) ostree(repo, 'pull-local', server, from);
  return openRepo(repo);
}

/** Applies a delta from its files: parts, then the commit; fallbacks come from the server. */
async function apply(client: Repo, server: string, name: DeltaName): Promise<{ block: Superblock; results: PartResult[] }> {
  const directory = path.join(server, deltaDirectory(name));
  const block = decodeSuperblock(fs.readFileSync(path.join(directory, 'superblock')));
  const transaction = await beginTransaction(client);
  const store = openDeltaStore(transaction.writer, transaction.view);
  const results = block.parts.map((part, index) => {
    const file = inlinePart(block, index) ?? readPartFile(fs.readFileSync(path.join(directory, String(index))), part);
    const { objects, unpackedBytes } = part;
    return executePart({ payload: unpackPartSync(file, part), objects, unpackedBytes }, store);
  });
  transaction.writer.writeMetadata('commit', encodeCommit(block.commit));
  await transaction.commit();
  if (block.fallbacks.length > 0) ostree(client.path, 'pull-local', server, block.to);
  ostree(client.path, 'refs', '--create=main', block.to);
  return { block, results };
}

/** The objects of a repository, without what differs from one mode to another. */
const objectsOf = (repo: string, commit: string): string => ostree(repo, 'ls', '-RCX', commit);

const GENERATE: [string, string[]][] = [
  ['as usual', []],
  ['without bsdiff', ['--disable-bsdiff']],
  ['inline', ['--inline']],
  ['in small parts', ['--max-chunk-size=1']],
  ['without fallbacks', ['--min-fallback-size=0']],
  ['from scratch', ['--empty']],
  ['for the other byte order', ['--set-endianness=B', '--swap-endianness']],
];

describe('deltas that ostree made', () => {
  withOstree.each(GENERATE)('are applied when made %s', async (_name, args) => {
    const { repo, from, to } = makeServer();
    const fromArgs = args.includes('--empty') ? [] : [`--from=${from}`];
    ostree(repo, 'static-delta', 'generate', ...fromArgs, `--to=${to}`, ...args);
    const name = { from: args.includes('--empty') ? undefined : from, to };
    for (const mode of ['bare', 'archive', 'bare-user']) {
      const client = makeClient(repo, name.from, mode);
      const { results } = await apply(client, repo, name);
      expect(ostreeFsck(client.path)).toBe('');
      expect(objectsOf(client.path, to)).toBe(objectsOf(repo, to));
      expect(results.reduce((sum, { filesWritten }) => sum + filesWritten, 0)).toBeGreaterThan(5);
    }
  });

  withOstree('hold patches and copies, so that the tests above prove something', () => {
    const { repo, from, to } = makeServer();
    ostree(repo, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`, '--inline');
    const block = decodeSuperblock(fs.readFileSync(path.join(repo, deltaDirectory({ from, to }), 'superblock')));
    const operations = block.parts.flatMap((part, index) => {
      const payload = unpackPartSync(inlinePart(block, index) as PartFile, part);
      return decodeOperations(payload, part.objects).map(({ op }) => op);
    });
    expect(new Set(operations)).toEqual(
      new Set(['splice-metadata', 'splice-content', 'open', 'write', 'set-read-source', 'unset-read-source', 'close', 'bspatch']),
    );
  });

  withOstree('cost nothing where the objects are there already', async () => {
    const { repo, from, to } = makeServer();
    ostree(repo, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`);
    const client = makeClient(repo, to, 'bare');
    const { results } = await apply(client, repo, { from, to });
    expect(results).toEqual(results.map(({ skipped }) => ({ metadataWritten: 0, filesWritten: 0, contentBytes: 0, skipped })));
    expect(results[0]?.skipped).toBeGreaterThan(10);
  });
});

/** Generates and puts the files where `static-delta generate` puts them. */
async function generate(server: string, request: Omit<GenerateRequest, 'timestampSec' | 'writePart'>) {
  const directory = path.join(server, deltaDirectory(request));
  fs.mkdirSync(directory, { recursive: true });
  const delta = await generateDelta(openRepo(server), {
    threads: 0,
    ...request,
    timestampSec: 1_700_000_000n,
    writePart: (index, bytes) => fs.writeFileSync(path.join(directory, String(index)), bytes),
  });
  fs.writeFileSync(path.join(directory, 'superblock'), delta.superblock);
  return { ...delta, directory };
}

const OURS: [string, Partial<GenerateRequest>][] = [
  ['as usual', {}],
  ['without bsdiff', { limits: { maxBsdiffBytes: 0 } }],
  ['inline', { inline: true }],
  ['in small parts', { limits: { maxChunkBytes: 10_000 } }],
  ['with a fallback', { limits: { minFallbackBytes: 15_000 } }],
  ['from scratch', { from: undefined }],
  ['for the other byte order', { byteOrder: 'big' }],
];

describe('deltas that hacktree makes', () => {
  withOstree.each(OURS)('are applied by ostree when made %s', async (_name, options) => {
    const { repo, from, to } = makeServer();
    const request = { from, to, ...options };
    const { directory, fallbacks } = await generate(repo, request);
    const client = makeClient(repo, request.from, 'bare');
    if (fallbacks.length > 0) {
      // apply-offline refuses deltas with fallbacks; a pull fetches them.
      ostree(repo, 'summary', '-u');
      ostree(client.path, 'remote', 'add', '--no-gpg-verify', 'origin', `file://${repo}`);
      ostree(client.path, 'pull', '--require-static-deltas', 'origin', 'main');
    } else ostree(client.path, 'static-delta', 'apply-offline', directory);
    ostree(client.path, 'refs', '--create=applied', to);
    expect(ostreeFsck(client.path)).toBe('');
    expect(objectsOf(client.path, to)).toBe(objectsOf(repo, to));
  });

  withOstree('are applied by hacktree', async () => {
    const { repo, from, to } = makeServer();
    const { counts, parts } = await generate(repo, { from, to });
    expect(counts).toMatchObject({ rollsum: 1, bsdiff: 1, symlink: 1 });
    const client = makeClient(repo, from, 'bare');
    await apply(client, repo, { from, to });
    expect(ostreeFsck(client.path)).toBe('');
    expect(parts.length).toBe(1);
  });

  withOstree('are no larger than those of ostree', async () => {
    const { repo, from, to } = makeServer();
    const { parts, directory } = await generate(repo, { from, to });
    fs.rmSync(directory, { recursive: true });
    ostree(repo, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`);
    const theirs = decodeSuperblock(fs.readFileSync(path.join(directory, 'superblock'))).parts;
    const total = (list: readonly { sizeBytes: bigint }[]): number => list.reduce((sum, part) => sum + Number(part.sizeBytes), 0);
    expect(total(parts)).toBeLessThanOrEqual(total(theirs) * 1.02);
  });

  withOstree('do not depend on the number of threads', async () => {
    const { repo, from, to } = makeServer();
    const limits = { maxChunkBytes: 20_000 };
    const first = await generate(repo, { from, to, limits, threads: 0 });
    const second = await generate(repo, { from, to, limits, threads: 3 });
    expect(second.superblock.equals(first.superblock)).toBe(true);
    expect(first.parts.length).toBeGreaterThan(3);
  });

  withOstree('are shown by ostree as what they are', async () => {
    const { repo, from, to } = makeServer();
    await generate(repo, { from, to });
    expect(ostree(repo, 'static-delta', 'list')).toBe(`${from}-${to}`);
    const shown = ostree(repo, 'static-delta', 'show', `${from}-${to}`);
    expect(shown).toContain(`To: ${to}`);
    expect(shown).toMatch(/Endianness: little/);
  });
});
