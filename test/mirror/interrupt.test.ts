/** An interrupted pull ends, whatever its server does, and the next one goes on. */
import * as fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type PullOptions, pull } from '../../src/remote/index.ts';
import { fsck, initRepo, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type HostileServer, startHostileServer } from '../helpers/hostile-server.ts';
import { hacktreeOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

/** So many that threads fetch them. */
const MANY = 300;

let dir: string;
let mirror: string;
let server: HostileServer;
let repo: Repo;

beforeEach(async () => {
  dir = scratchDir();
  mirror = join(dir, 'mirror');
  fs.mkdirSync(join(dir, 'tree'));
  for (let i = 0; i < MANY; i++) fs.writeFileSync(join(dir, 'tree', `file-${i}`), noise(500, `file ${i}`));
  hacktreeOk([`--repo=${mirror}`, 'init', '--mode=archive']);
  hacktreeOk([`--repo=${mirror}`, 'commit', '--branch=many', join(dir, 'tree')]);
  for (let i = 2; i < MANY; i++) fs.rmSync(join(dir, 'tree', `file-${i}`));
  hacktreeOk([`--repo=${mirror}`, 'commit', '--branch=few', join(dir, 'tree')]);
  hacktreeOk([`--repo=${mirror}`, 'summary', '-u']);
  server = await startHostileServer(mirror);
  repo = initRepo(join(dir, 'client'), { mode: 'bare-user' });
  hacktreeOk([`--repo=${repo.path}`, 'remote', 'add', '--no-gpg-verify', 'm', server.url]);
  repo = openRepo(repo.path);
});

afterEach(() => server.stop());

function notThere(response: ServerResponse): true {
  response.writeHead(404).end();
  return true;
}

it.each([
  ['the summary', 'few', /^summary /],
  ['directories', 'few', /\.dirtree /],
  ['few files', 'few', /\.filez /],
  ['many files', 'many', /\.filez /],
  ["a pack's table", 'many', /\.pack bytes=0-/],
  ['a run of files in a pack', 'many', /\.pack bytes=[1-9]/],
])(
  'ends while a server sends nothing of %s',
  async (_, ref, paths) => {
    const interrupt = new AbortController();
    server.misbehave = ({ path, headers }, response, file) => {
      if (paths.test('.filez ') && path.includes('mirror-packs/')) return notThere(response);
      if (!paths.test(`${path} ${headers.range ?? ''}`)) return false;
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      const length = start === undefined ? file?.length : Number(end) + 1 - Number(start);
      const range = start === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${file?.length}` };
      response.writeHead(start === undefined ? 200 : 206, { 'content-length': length ?? 0, ...range }).flushHeaders();
      interrupt.abort();
      return true;
    };
    const options: PullOptions = { refs: [ref], threads: 2, signal: interrupt.signal };
    await expect(pull(repo, 'm', options)).rejects.toMatchObject({ code: 'interrupted' });
    expect(interrupt.signal.aborted).toBe(true);
    server.misbehave = () => false;
    await pull(repo, 'm', { refs: [ref] });
    expect(resolveRev(repo, `m:${ref}`)).toBe(hacktreeOk([`--repo=${mirror}`, 'rev-parse', ref]).trim());
    expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
  },
  100_000,
);

it('ends while it waits for a server that asked for patience', async () => {
  const interrupt = new AbortController();
  server.misbehave = ({ path }, response) => {
    if (!path.endsWith('.filez')) return false;
    response.writeHead(503, { 'retry-after': '29' }).end();
    setImmediate(() => interrupt.abort());
    return true;
  };
  await expect(pull(repo, 'm', { refs: ['few'], signal: interrupt.signal })).rejects.toMatchObject({ code: 'interrupted' });
  expect(server.requests.filter((path) => path.endsWith('.filez')).length).toBeLessThanOrEqual(2);
}, 100_000);
