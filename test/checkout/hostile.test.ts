/** Repositories made to do harm: each ends in an error with its own code, and nothing is left behind. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout } from '../../src/checkout/index.ts';
import type { Checksum } from '../../src/core/index.ts';
import { encodeDirtree, encodeFilezHeader, type FileEntry, MAX_METADATA_BYTES, S_IFREG } from '../../src/format/index.ts';
import { initRepo, objectPath, type Repo } from '../../src/repo/index.ts';
import { putCommit, putDirmeta, putDirtree, putFiles, putObject } from '../helpers/craft.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { startSwapping } from '../helpers/swap.ts';

const NOTHING = 'ab'.repeat(32) as Checksum;

let dir: string;
let repo: Repo;
let file: Checksum;

async function makeRepo(mode: string): Promise<void> {
  dir = scratchDir();
  repo = initRepo(join(dir, 'repo'), { mode });
  [file] = (await putFiles(repo, ['content\n'])) as [Checksum];
  fs.mkdirSync(join(dir, 'outside'));
  fs.writeFileSync(join(dir, 'outside/kept'), 'kept');
}

beforeEach(() => makeRepo('bare'));

const request = (commit: Checksum, options: CheckoutOptions = {}) =>
  checkout(repo, { rev: commit, destination: join(dir, 'out'), options });

/** Expects an error of this code, and the surroundings as they were. */
async function expectRefused(commit: Checksum, code: string, options: CheckoutOptions = {}): Promise<void> {
  const before = fs.readdirSync(dir);
  await expect(request(commit, options)).rejects.toMatchObject({ code, message: expect.stringMatching(/\S/) });
  expect(fs.readdirSync(dir)).toEqual(before);
  expect(fs.readdirSync(join(dir, 'outside'))).toEqual(['kept']);
  expect(fs.readFileSync(join(dir, 'outside/kept'), 'utf8')).toBe('kept');
}

const commitOfFiles = (files: readonly FileEntry[]): Checksum => putCommit(repo, putDirtree(repo, { files }));

describe('names', () => {
  it.each([
    ['..', 'path-unsafe'],
    ['.', 'path-unsafe'],
    ['', 'path-unsafe'],
    ['../outside/new', 'path-unsafe'],
    ['/etc/new', 'path-unsafe'],
    ['a\0b', 'path-unsafe'],
    ['x'.repeat(256), 'io'],
  ])('a file called %j', async (name, code) => {
    await expectRefused(commitOfFiles([{ name, checksum: file }]), code);
  });

  it.each(['..', '.', '', '../outside', '/etc'])('a directory called %j', async (name) => {
    const [tree, meta] = [putDirtree(repo, { files: [{ name: 'kept', checksum: file }] }), putDirmeta(repo)];
    await expectRefused(putCommit(repo, putDirtree(repo, { dirs: [{ name, tree, meta }] })), 'path-unsafe');
  });

  it('twice the same', async () => {
    await expectRefused(
      commitOfFiles([
        { name: 'a', checksum: file },
        { name: 'a', checksum: file },
      ]),
      'object-corrupt',
    );
  });

  it('not sorted', async () => {
    await expectRefused(
      commitOfFiles([
        { name: 'b', checksum: file },
        { name: 'a', checksum: file },
      ]),
      'object-corrupt',
    );
  });

  it('a file and a directory in one, the file a symlink to elsewhere', async () => {
    const [tree, meta] = [putDirtree(repo, { files: [{ name: 'kept', checksum: file }] }), putDirmeta(repo)];
    fs.symlinkSync(join(dir, 'outside'), ensured(objectPath(repo, NOTHING, 'file')));
    const root = putDirtree(repo, { files: [{ name: 'a', checksum: NOTHING }], dirs: [{ name: 'a', tree, meta }] });
    await expectRefused(putCommit(repo, root), 'object-corrupt');
  });

  it('whiteouts of nothing, and of what is not inside', async () => {
    for (const name of ['.wh.', '.wh..', '.wh...']) {
      await expectRefused(commitOfFiles([{ name, checksum: file }]), 'path-unsafe', { whiteouts: true });
    }
    for (const name of ['.ostree-wh.', '.ostree-wh..', '.ostree-wh...']) {
      await expectRefused(commitOfFiles([{ name, checksum: file }]), 'path-unsafe', { passthroughWhiteouts: true });
    }
  });
});

/** Makes the directory of a path. */
function ensured(path: string): string {
  fs.mkdirSync(join(path, '..'), { recursive: true });
  return path;
}

describe('objects', () => {
  it('missing ones', async () => {
    await expectRefused(NOTHING, 'object-missing');
    await expectRefused(putCommit(repo, NOTHING), 'object-missing');
    await expectRefused(putCommit(repo, putDirtree(repo, {}), NOTHING), 'object-missing');
    await expectRefused(commitOfFiles([{ name: 'a', checksum: NOTHING }]), 'object-missing');
  });

  it('with a content that is not what the name says', async () => {
    const tree = putObject(repo, 'dirtree', encodeDirtree({ files: [], dirs: [] }), NOTHING);
    await expectRefused(putCommit(repo, tree), 'object-corrupt');
    const meta = putObject(repo, 'dirmeta', fs.readFileSync(objectPath(repo, putDirmeta(repo), 'dirmeta')), NOTHING);
    await expectRefused(putCommit(repo, putDirtree(repo, {}), meta), 'object-corrupt');
    const good = putCommit(repo, putDirtree(repo, {}));
    await expectRefused(putObject(repo, 'commit', fs.readFileSync(objectPath(repo, good, 'commit')), NOTHING), 'object-corrupt');
  });

  it('cut', async () => {
    const tree = putDirtree(repo, { files: [{ name: 'a', checksum: file }] });
    const commit = putCommit(repo, tree);
    fs.truncateSync(objectPath(repo, tree, 'dirtree'), 20);
    await expectRefused(commit, 'object-corrupt');
  });

  it('too large', async () => {
    const tree = putObject(repo, 'dirtree', Buffer.alloc(1), NOTHING);
    fs.truncateSync(objectPath(repo, tree, 'dirtree'), MAX_METADATA_BYTES + 1);
    await expectRefused(putCommit(repo, tree), 'object-too-large');
  });

  it('that are pipes or directories', async () => {
    const path = ensured(objectPath(repo, NOTHING, 'file'));
    execFileSync('mkfifo', [path]);
    for (const options of [{}, { forceCopy: true }, { requireHardlinks: true }]) {
      await expectRefused(commitOfFiles([{ name: 'a', checksum: NOTHING }]), 'object-corrupt', options);
    }
    fs.rmSync(path);
    fs.mkdirSync(path);
    await expectRefused(commitOfFiles([{ name: 'a', checksum: NOTHING }]), 'object-corrupt');
    execFileSync('mkfifo', [ensured(objectPath(repo, NOTHING, 'dirtree'))]);
    await expectRefused(putCommit(repo, NOTHING), 'object-corrupt');
  });

  it('directories below each other without end of PATH_MAX', async () => {
    const meta = putDirmeta(repo);
    let tree = putDirtree(repo, {});
    for (let i = 0; i < 2500; i++) tree = putDirtree(repo, { dirs: [{ name: 'd', tree, meta }] });
    await expectRefused(putCommit(repo, tree), 'io');
  });
});

describe('files of an archive', () => {
  beforeEach(() => makeRepo('archive'));

  const filez = (sizeBytes: number, packed: Uint8Array): Checksum => {
    const header = { sizeBytes, uid: 0, gid: 0, mode: S_IFREG | 0o644, target: '', xattrs: [] };
    return putObject(repo, 'file', Buffer.concat([encodeFilezHeader(header), packed]), NOTHING);
  };
  const packed = zlib.deflateRawSync(Buffer.alloc(5_000_000));

  it.each<[string, () => Checksum, string]>([
    ['larger than declared', () => filez(10, packed), 'object-corrupt'],
    ['larger than declared, in chunks', () => filez(4_999_999, packed), 'object-corrupt'],
    ['smaller than declared', () => filez(5_000_001, packed), 'object-corrupt'],
    ['larger than the disk', () => filez(2 ** 52, packed), 'no-space'],
    ['cut', () => filez(5_000_000, packed.subarray(0, 2000)), 'object-corrupt'],
    ['not compressed', () => filez(100, Buffer.alloc(100, 0xff)), 'object-corrupt'],
    ['without a header', () => putObject(repo, 'file', Buffer.alloc(3), NOTHING), 'object-corrupt'],
    [
      'with a header larger than the file',
      () => putObject(repo, 'file', Buffer.from('0000ffff00000000', 'hex'), NOTHING),
      'object-corrupt',
    ],
  ])('%s', async (_, make, code) => {
    const commit = commitOfFiles([{ name: 'a', checksum: make() }]);
    for (const options of [{}, { userMode: true }, { userMode: true, disableCache: true }]) {
      await expectRefused(commit, code, options);
    }
    expect(fs.readdirSync(join(repo.path, 'tmp'))).toEqual([]);
  });

  it('a symlink in place of an object, or of a cached file', async () => {
    const commit = commitOfFiles([{ name: 'a', checksum: NOTHING }]);
    fs.symlinkSync('/etc/passwd', ensured(objectPath(repo, NOTHING, 'file')));
    await expectRefused(commit, 'object-corrupt');
    const cached = join(repo.path, 'uncompressed-objects-cache', NOTHING.slice(0, 2), `${NOTHING.slice(2)}.file`);
    fs.symlinkSync('/etc/passwd', ensured(cached));
    await expectRefused(commit, 'object-corrupt', { userMode: true });
  });
});

describe('an existing destination with symlinks', () => {
  const commitUsr = (): Checksum => {
    const [tree, meta] = [putDirtree(repo, { files: [{ name: 'kept', checksum: file }] }), putDirmeta(repo)];
    return putCommit(repo, putDirtree(repo, { dirs: [{ name: 'usr', tree, meta }] }));
  };
  const unions: CheckoutOptions[] = [
    { union: 'replace' },
    { union: 'add' },
    { union: 'identical', requireHardlinks: true },
    { union: 'replace', whiteouts: true },
    { union: 'replace', forceCopy: true },
  ];

  it.each(unions)('to a directory outside: %j', async (options) => {
    fs.mkdirSync(join(dir, 'out'));
    fs.symlinkSync('../outside', join(dir, 'out/usr'));
    await expectRefused(commitUsr(), 'path-unsafe', options);
    expect(fs.readdirSync(join(dir, 'out'))).toEqual(['usr']);
  });

  it.each(unions)('to a directory inside: %j', async (options) => {
    fs.mkdirSync(join(dir, 'out/lib'), { recursive: true });
    fs.symlinkSync('lib', join(dir, 'out/usr'));
    await expectRefused(commitUsr(), 'path-unsafe', options);
    expect(fs.readdirSync(join(dir, 'out/lib'))).toEqual([]);
  });

  it.each([false, true])('to a file outside is replaced, not followed (copy: %j)', async (forceCopy) => {
    fs.mkdirSync(join(dir, 'out'));
    fs.symlinkSync('../outside/kept', join(dir, 'out/a'));
    await request(commitOfFiles([{ name: 'a', checksum: file }]), { union: 'replace', forceCopy });
    expect(fs.lstatSync(join(dir, 'out/a')).isFile()).toBe(true);
    expect(fs.readFileSync(join(dir, 'outside/kept'), 'utf8')).toBe('kept');
  });

  it('is removed by a whiteout, what it points to is not', async () => {
    fs.mkdirSync(join(dir, 'out'));
    fs.symlinkSync('../outside', join(dir, 'out/a'));
    await request(commitOfFiles([{ name: '.wh.a', checksum: file }]), { union: 'replace', whiteouts: true });
    expect(fs.readdirSync(join(dir, 'out'))).toEqual([]);
    expect(fs.readdirSync(join(dir, 'outside'))).toEqual(['kept']);
  });

  it('a file where a directory is to be, and the reverse', async () => {
    fs.mkdirSync(join(dir, 'out'));
    fs.writeFileSync(join(dir, 'out/usr'), '');
    await expectRefused(commitUsr(), 'checkout-exists', { union: 'replace' });
    fs.mkdirSync(join(dir, 'out/a'));
    await expectRefused(commitOfFiles([{ name: 'a', checksum: file }]), 'checkout-exists', { union: 'replace' });
    expect(fs.readdirSync(join(dir, 'out')).sort()).toEqual(['a', 'usr']);
  });

  it('that appear while it works: nothing is ever written outside', async () => {
    fs.mkdirSync(join(dir, 'out/usr/deep'), { recursive: true });
    fs.mkdirSync(join(dir, 'outside/deep'));
    fs.symlinkSync(join(dir, 'outside'), join(dir, 'out/other'));
    const meta = putDirmeta(repo);
    const deep = putDirtree(repo, { files: [{ name: 'new', checksum: file }] });
    const usr = putDirtree(repo, { files: [{ name: 'new', checksum: file }], dirs: [{ name: 'deep', tree: deep, meta }] });
    const commit = putCommit(repo, putDirtree(repo, { dirs: [{ name: 'usr', tree: usr, meta }] }));
    const swapper = startSwapping(join(dir, 'out/usr'), join(dir, 'out/other'));
    let done = 0;
    try {
      for (let i = 0; i < 200 || done === 0; i++) {
        const options: CheckoutOptions = { union: 'replace', forceCopy: i % 2 === 0 };
        await request(commit, options).then(
          () => done++,
          (error: { code: string }) => expect(['path-unsafe', 'path-not-found', 'checkout-exists', 'io']).toContain(error.code),
        );
      }
    } finally {
      swapper.stop();
    }
    expect(fs.readdirSync(join(dir, 'outside'), { recursive: true }).sort()).toEqual(['deep', 'kept']);
  });
});
