/** Hostile servers and bad networks: a clear error with its code, a sound repository, no ref moved, and a good pull afterwards. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeFilezHeader, encodeSummary } from '../../src/format/index.ts';
import { addRemote, type PullOptions, pull, updateSummary } from '../../src/remote/index.ts';
import { commit, fsck, initRepo, listAllRefs, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type HostileServer, type Misbehave, startHostileServer } from '../helpers/hostile-server.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const QUICK_STALL_MS = 400;
const BIG_BYTES = 3_000_000;
/** Inline workers and short pauses: what is tested is what happens, not when. */
const QUICK: PullOptions = {
  refs: ['main'],
  threads: 0,
  network: { backoffMs: 1, lowSpeedTimeMs: QUICK_STALL_MS, lowSpeedBytes: 1000, retries: 3 },
};

let root: string;
let mirror: Repo;
let server: HostileServer;
let repo: Repo;

beforeAll(async () => {
  root = keptScratchDir();
  fs.mkdirSync(join(root, 'tree/dir'), { recursive: true });
  fs.writeFileSync(join(root, 'tree/dir/small'), 'small\n');
  fs.writeFileSync(join(root, 'tree/big'), noise(BIG_BYTES, 'big'));
  mirror = initRepo(join(root, 'mirror'), { mode: 'archive' });
  await commit(mirror, { branch: 'main', timestampSec: 1000n, trees: [{ kind: 'dir', path: join(root, 'tree') }] });
});

beforeEach(async () => {
  server = await startHostileServer(mirror.path);
  const made = initRepo(join(scratchDir(), 'repo'), { mode: 'bare-user' });
  addRemote(made, { name: 'm', url: server.url, noGpgVerify: true });
  repo = openRepo(made.path);
});

afterEach(() => server.stop());

const isObject = (path: string): boolean => path.startsWith('objects/') && !path.endsWith('.commitmeta');
const isBig = (path: string, file: Buffer | undefined): boolean => path.endsWith('.filez') && (file?.length ?? 0) > 1_000_000;

async function expectRefused(misbehave: Misbehave, code: string): Promise<void> {
  server.misbehave = misbehave;
  await expect(pull(repo, 'm', QUICK)).rejects.toMatchObject({ code });
  expect(listAllRefs(repo)).toEqual([]);
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  server.misbehave = () => false;
  await expectGood();
}

async function expectGood(): Promise<void> {
  await pull(repo, 'm', QUICK);
  expect(resolveRev(repo, 'm:main')).toBe(resolveRev(mirror, 'main'));
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  expect(fs.readdirSync(join(repo.path, 'tmp')).filter((name) => name.startsWith('staging'))).toEqual([]);
}

async function expectOvercome(misbehave: Misbehave): Promise<void> {
  server.misbehave = misbehave;
  await expectGood();
}

/** Breaks the connection after some bytes of the body. */
function breakOff(response: import('node:http').ServerResponse, file: Buffer, bytes: number): boolean {
  response.writeHead(200, { 'content-length': file.length });
  response.write(file.subarray(0, bytes), () => response.destroy());
  return true;
}

describe('what is overcome', () => {
  it('resets at every path, once', () =>
    expectOvercome(({ times }, response) => {
      if (times > 0) return false;
      response.destroy();
      return true;
    }));

  it('truncated objects, once', () =>
    expectOvercome(({ path, times }, response, file) => {
      return isObject(path) && times === 0 && file !== undefined && breakOff(response, file, Math.floor(file.length / 2));
    }));

  it('429 and 503 with Retry-After', () =>
    expectOvercome(({ path, times }, response) => {
      if (!isObject(path) || times > 1) return false;
      response.writeHead(times === 0 ? 429 : 503, { 'retry-after': '0' }).end();
      return true;
    }));

  it('a server that stalls, once', () =>
    expectOvercome(({ path, times }, response, file) => {
      if (!isBig(path, file) || times > 0 || file === undefined) return false;
      response.writeHead(200, { 'content-length': file.length });
      response.write(file.subarray(0, 100));
      return true;
    }));

  it('this side being busy for longer than a server may stall', () =>
    expectOvercome(({ path }) => {
      if (path.endsWith('.filez')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUICK_STALL_MS * 1.5);
      return false;
    }));

  it('a cache that holds a damaged copy, once', () =>
    expectOvercome(({ path, times }, response, file) => {
      if (!isObject(path) || times > 0 || file === undefined || path.endsWith('.commit')) return false;
      const damaged = Buffer.from(file);
      damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 0xff;
      response.writeHead(200, { 'content-length': damaged.length }).end(damaged);
      return true;
    }));

  it('redirects, and remembers them', async () => {
    const other = await startHostileServer(mirror.path);
    try {
      await expectOvercome(({ path }, response) => {
        response.writeHead(302, { location: `${other.url}/${path}` }).end();
        return true;
      });
      const trees = server.requests.filter(isObject);
      expect(trees.length).toBeLessThan(other.requests.filter(isObject).length);
    } finally {
      await other.stop();
    }
  });
});

it('continues a large object where it broke off, also in another run', async () => {
  let ranges: (string | undefined)[] = [];
  server.misbehave = ({ path, headers }, response, file) => {
    if (!isBig(path, file) || file === undefined) return false;
    ranges.push(headers.range);
    return breakOff(response, file, 2_000_000);
  };
  await expect(pull(repo, 'm', { ...QUICK, network: { ...QUICK.network, retries: 0 } })).rejects.toMatchObject({
    code: 'network',
  });
  expect(ranges).toEqual([undefined]);
  ranges = [];
  server.misbehave = ({ path, headers }, _, file) => {
    if (isBig(path, file)) ranges.push(headers.range);
    return false;
  };
  await expectGood();
  expect(ranges).toHaveLength(1);
  expect(ranges[0]).toMatch(/^bytes=[1-9]\d+-$/);
});

describe('what is refused', () => {
  it('a server that always breaks off', () =>
    expectRefused(({ path }, response, file) => isObject(path) && file !== undefined && breakOff(response, file, 3), 'network'));

  it('a server that always stalls', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.dirtree')) return false;
      response.writeHead(200, { 'content-length': 1000 });
      response.write('x');
      return true;
    }, 'network'));

  it('an error on every request', () =>
    expectRefused((_, response) => {
      response.writeHead(500).end();
      return true;
    }, 'network'));

  it('damaged files', () =>
    expectRefused(({ path }, response, file) => {
      if (!path.endsWith('.filez') || file === undefined) return false;
      response.writeHead(200).end(Buffer.from(file).fill(0xaa, file.length - 2));
      return true;
    }, 'object-corrupt'));

  it('damaged directories', () =>
    expectRefused(({ path }, response, file) => {
      if (!path.endsWith('.dirtree') || file === undefined) return false;
      response.writeHead(200).end(file.subarray(1));
      return true;
    }, 'object-corrupt'));

  it('a web page in place of every file', () =>
    expectRefused((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html>log in</html>');
      return true;
    }, 'server-invalid'));

  it('a web page in place of objects', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.dirtree')) return false;
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html>log in</html>');
      return true;
    }, 'server-invalid'));

  it('redirects in a circle', () =>
    expectRefused(({ path }, response) => {
      response.writeHead(302, { location: `/${path}` }).end();
      return true;
    }, 'server-invalid'));

  it('a redirect to another scheme', () =>
    expectRefused((_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      return true;
    }, 'server-invalid'));

  it('a decompression bomb', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.filez')) return false;
      const header = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [], sizeBytes: 10 };
      response.writeHead(200).end(Buffer.concat([encodeFilezHeader(header), deflateRawSync(Buffer.alloc(50_000_000))]));
      return true;
    }, 'object-corrupt'));

  it('a large declared size that the disk has no room for', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.filez')) return false;
      const header = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [], sizeBytes: 2 ** 50 };
      response.writeHead(200).end(Buffer.concat([encodeFilezHeader(header), deflateRawSync(Buffer.alloc(1000))]));
      return true;
    }, 'no-space'));

  it('300 MB of metadata, by its length', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.dirtree')) return false;
      response.writeHead(200, { 'content-length': 300_000_000 });
      response.write('x');
      return true;
    }, 'object-too-large'));

  it('300 MB of metadata without a length', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.dirtree')) return false;
      const chunk = Buffer.alloc(1 << 20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
      return true;
    }, 'object-too-large'));

  it('a ref that is no checksum', () =>
    expectRefused(({ path }, response) => {
      if (!path.startsWith('refs/')) return false;
      response.writeHead(200).end('../../../etc/passwd\n');
      return true;
    }, 'server-invalid'));

  it('a summary with a path for a ref', () =>
    expectRefused(({ path }, response) => {
      if (path !== 'summary') return false;
      const entry = { commit: resolveRev(mirror, 'main'), commitBytes: 1n, metadata: [] };
      response.writeHead(200).end(encodeSummary({ refs: [{ ref: '../../evil', ...entry }], metadata: [] }));
      return true;
    }, 'server-invalid'));

  it('an object that the mirror lacks', () =>
    expectRefused(({ path }, response) => {
      if (!path.endsWith('.filez')) return false;
      response.writeHead(404).end();
      return true;
    }, 'object-missing'));

  it('an unsigned commit where a signature is asked for', async () => {
    addRemote(repo, { name: 'm', url: server.url, force: true });
    repo = openRepo(repo.path);
    await expect(pull(repo, 'm', QUICK)).rejects.toMatchObject({
      code: 'signature-missing',
      message: expect.stringContaining("'m'"),
    });
    expect(listAllRefs(repo)).toEqual([]);
  });

  it('an older commit, with a timestamp check', async () => {
    await pull(repo, 'm', QUICK);
    const newer = await commit(repo, {
      orphan: true,
      timestampSec: 2000n,
      trees: [{ kind: 'ref', rev: 'm:main' }],
    } as Parameters<typeof commit>[1]);
    fs.writeFileSync(join(repo.path, 'refs/remotes/m/main'), `${newer.commit}\n`);
    await expect(pull(repo, 'm', { ...QUICK, timestampCheck: true })).rejects.toMatchObject({ code: 'timestamp-older' });
    expect(resolveRev(repo, 'm:main')).toBe(newer.commit);
    await expectGood();
  });
});

it('asks for a summary only once while it is unchanged, and refuses an older one', async () => {
  const served = initRepo(join(scratchDir(), 'served'), { mode: 'archive' });
  await commit(served, { branch: 'main', timestampSec: 1000n, trees: [{ kind: 'dir', path: join(root, 'tree') }] });
  const sign = async (): Promise<[string, { type: string; value: Buffer[] }][]> => [
    ['ostree.sign.dummy', { type: 'aay', value: [Buffer.from('key')] }],
  ];
  await updateSummary(served, { nowSec: 2000, sign });
  const keep = { summary: fs.readFileSync(join(served.path, 'summary')), sig: fs.readFileSync(join(served.path, 'summary.sig')) };
  const other = await startHostileServer(served.path);
  try {
    addRemote(repo, { name: 's', url: other.url, noGpgVerify: true });
    repo = openRepo(repo.path);
    await pull(repo, 's', QUICK);
    await updateSummary(served, { nowSec: 3000, sign });
    await pull(repo, 's', { ...QUICK, timestampCheck: true });
    fs.writeFileSync(join(served.path, 'summary'), keep.summary);
    fs.writeFileSync(join(served.path, 'summary.sig'), keep.sig);
    await expect(pull(repo, 's', { ...QUICK, timestampCheck: true })).rejects.toMatchObject({ code: 'timestamp-older' });
  } finally {
    await other.stop();
  }
});
