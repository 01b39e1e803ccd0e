/** Pulls that are killed: the next one goes on, asks for nothing that is complete, and one of them gets to the end. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { HACKTREE, hacktree, hacktreeOk, requireTool } from '../helpers/run.ts';
import { keptScratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const isReady = requireTool('nginx');
const withNginx = isReady ? it : it.skip;

const KILLS = 100;
/** Enough to be asked for in a run of a pack; what is left after a few kills is fetched one by one. */
const SMALL_FILES = 600;
/** More than what is kept in memory, so that it is continued and not begun anew. */
const BIG_BYTES = 4_000_000;

let dir: string;
let mirror: string;
let nginx: Nginx;

beforeAll(async () => {
  if (!isReady) return;
  dir = keptScratchDir();
  mirror = join(dir, 'mirror');
  const tree = join(dir, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < SMALL_FILES; i++) fs.writeFileSync(join(tree, `small${i}`), noise(1000 + i, `small${i}`));
  for (const name of ['big1', 'big2', 'big3']) fs.writeFileSync(join(tree, name), noise(BIG_BYTES, name));
  hacktreeOk([`--repo=${mirror}`, 'init', '--mode=archive']);
  hacktreeOk([`--repo=${mirror}`, 'commit', '--branch=main', '--owner-uid=0', '--owner-gid=0', tree]);
  hacktreeOk([`--repo=${mirror}`, 'summary', '-u']);
  // Slow enough for large files to be cut in the middle.
  nginx = await startNginx(mirror, join(dir, 'nginx'), 'limit_rate_after 300k; limit_rate 20m;');
});

afterAll(() => nginx?.stop());

function makeClient(name: string): string {
  const repo = join(dir, name);
  hacktreeOk([`--repo=${repo}`, 'init', '--mode=bare-user']);
  hacktreeOk([`--repo=${repo}`, 'remote', 'add', '--no-gpg-verify', 'm', nginx.url]);
  return repo;
}

interface Staged {
  /** Objects that are there to their end, as paths of the mirror. */
  readonly complete: ReadonlySet<string>;
  /** Bytes that are there of objects that come in pieces. */
  readonly parts: ReadonlyMap<string, number>;
}

function staged(repo: string): Staged {
  const complete = new Set<string>();
  const parts = new Map<string, number>();
  const toPath = (checksum: string): string => `/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.filez`;
  for (const folder of [join(repo, 'objects'), ...stagingDirs(repo)]) {
    for (const name of fs.readdirSync(folder, { recursive: true }).map(String)) {
      const part = /\bpart-([0-9a-f]{64})$/.exec(name)?.[1];
      if (part !== undefined) parts.set(toPath(part), fs.statSync(join(folder, name)).size);
      const object = /[0-9a-f]{2}\/[0-9a-f]{62}\.\w+$/.exec(name)?.[0];
      // The time is what a file object gets last.
      const isWhole = object?.endsWith('.file') !== true || fs.lstatSync(join(folder, name)).mtimeMs === 0;
      if (object !== undefined && isWhole) complete.add(`/objects/${object.replace(/\.file$/, '.filez')}`);
    }
  }
  return { complete, parts };
}

function stagingDirs(repo: string): string[] {
  const tmp = join(repo, 'tmp');
  const names = fs.readdirSync(tmp).filter((name) => name.startsWith('staging-') && !name.endsWith('-lock'));
  return names.map((name) => join(tmp, name));
}

/** Starts a pull and kills it when the server has answered so many requests; tells whether it ended before. */
async function pullUntil(repo: string, requests: number): Promise<'killed' | 'done'> {
  const child = spawn(process.execPath, [HACKTREE, `--repo=${repo}`, 'pull', '--threads=2', 'm', 'main'], { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('close', (status) => resolve(status)));
  const timer = setInterval(() => {
    if (nginx.requests().length >= requests) child.kill('SIGKILL');
  }, 5);
  const status = await ended;
  clearInterval(timer);
  if (status !== null) expect(status).toBe(0);
  return status === 0 ? 'done' : 'killed';
}

/** File objects that a range of a pack touches, as paths of the mirror. */
function objectsIn(path: string, [first, last]: readonly [number, number]): string[] {
  const pack = fs.readFileSync(join(mirror, path));
  const count = pack.readUInt32LE(8);
  const touched: string[] = [];
  let start = 12 + 36 * count;
  for (let i = 0; i < count; i++) {
    const at = 12 + 36 * i;
    const end = start + pack.readUInt32LE(at + 32);
    const checksum = pack.toString('hex', at, at + 32);
    if (first < end && last >= start) touched.push(`/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.filez`);
    start = end;
  }
  return touched;
}

/** What a run asked for must not have been complete before; a part is continued where it ended. */
function expectNothingTwice({ complete, parts }: Staged): void {
  const sizeOf = (path: string): number => fs.statSync(join(mirror, path)).size;
  const asked = nginx.requests().filter(({ path }) => path.startsWith('/objects/') && !path.endsWith('.commitmeta'));
  expect(asked.map(({ path }) => path).filter((path) => complete.has(path))).toEqual([]);
  for (const { path, range } of nginx.requests()) {
    if (path.endsWith('.pack') && range !== undefined)
      expect(objectsIn(path, range).filter((object) => complete.has(object))).toEqual([]);
  }
  for (const { path, status, bodyBytes } of asked) {
    const present = parts.get(path);
    // Nothing of it arrived before the process was killed: there is nothing to continue.
    if (present === undefined || present === 0) continue;
    // All of it arrived and the process was killed before it could be verified: the server says that there is no more.
    expect({ path, present, status }).toEqual({ path, present, status: present === sizeOf(path) ? 416 : 206 });
    if (status === 416) continue;
    expect(bodyBytes).toBeLessThanOrEqual(sizeOf(path) - present);
  }
}

withNginx(
  `${KILLS} kills`,
  async () => {
    let kills = 0;
    let completed = 0;
    let continued = 0;
    let fromPacks = 0;
    /** The same sequence in each run. */
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let client = 0; kills < KILLS; client++) {
      const repo = makeClient(`client${client}`);
      for (let isDone = false; !isDone && kills < KILLS; ) {
        const before = staged(repo);
        continued += before.parts.size > 0 ? 1 : 0;
        nginx.forget();
        isDone = (await pullUntil(repo, 3 + random(14))) === 'done';
        kills += isDone ? 0 : 1;
        expectNothingTwice(before);
        fromPacks += nginx.requests().filter(({ path, range }) => path.endsWith('.pack') && (range?.[0] ?? 0) > 0).length;
      }
      if (kills >= KILLS) hacktreeOk([`--repo=${repo}`, 'pull', 'm', 'main']);
      completed++;
      expect(hacktreeOk([`--repo=${repo}`, 'rev-parse', 'm:main'])).toBe(hacktreeOk([`--repo=${mirror}`, 'rev-parse', 'main']));
      expect(hacktree([`--repo=${repo}`, 'fsck', '--quiet'])).toMatchObject({ status: 0 });
      expect(stagingDirs(repo)).toEqual([]);
      fs.rmSync(repo, { recursive: true });
    }
    expect(completed).toBeGreaterThan(1);
    expect(continued).toBeGreaterThan(0);
    expect(fromPacks).toBeGreaterThan(completed);
  },
  600_000,
);
