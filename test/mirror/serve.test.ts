/** `serve`: what it gives, what it refuses, and that both tools pull from it. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { addRemote, pull, type RunningServer, serveRepo } from '../../src/remote/index.ts';
import { commit, initRepo, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { initOstreeRepo, ostree } from '../helpers/oracle.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') && requireRoot() ? it : it.skip;

let dir: string;
let repo: Repo;
let server: RunningServer;

beforeEach(async () => {
  dir = scratchDir();
  fs.mkdirSync(join(dir, 'tree'));
  fs.writeFileSync(join(dir, 'tree/file'), 'content\n');
  repo = initRepo(join(dir, 'repo'), { mode: 'archive' });
  await commit(repo, { branch: 'main', timestampSec: 1n, trees: [{ kind: 'dir', path: join(dir, 'tree') }] });
  server = await serveRepo(repo, { listen: '127.0.0.1:0' });
});

afterEach(() => server.close());

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** Sends a path exactly as given. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

it('gives files whole, in ranges, and not when they are unchanged', async () => {
  const text = `${resolveRev(repo, 'main')}\n`;
  const whole = await ask('/refs/heads/main');
  expect([whole.status, whole.body]).toEqual([200, text]);
  const etag = String(whole.headers.etag);
  expect((await ask('/refs/heads/main', { 'if-none-match': etag })).status).toBe(304);
  expect(await ask('/refs/heads/main', { range: 'bytes=2-5' })).toMatchObject({ status: 206, body: text.slice(2, 6) });
  expect(await ask('/refs/heads/main', { range: 'bytes=-3' })).toMatchObject({ status: 206, body: text.slice(-3) });
  expect((await ask('/refs/heads/main', { range: 'bytes=900-' })).status).toBe(416);
  expect(await ask('/refs/heads/main', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  expect((await ask('/refs/heads/main', {}, 'PUT')).status).toBe(405);
});

it('gives nothing that is not a mirror’s business', async () => {
  fs.writeFileSync(join(dir, 'secret'), 'secret');
  fs.writeFileSync(join(repo.path, 'm.cookies.txt'), 'secret');
  fs.symlinkSync(join(dir, 'secret'), join(repo.path, 'refs/heads/link'));
  fs.symlinkSync(dir, join(repo.path, 'refs/out'));
  fs.writeFileSync(join(repo.path, 'tmp/x'), 'secret');
  const paths = ['/../secret', '/refs/../../secret', '/refs/%2e%2e/%2e%2e/secret', '/refs/heads/link', '/refs/out/secret'];
  for (const path of [
    ...paths,
    '/m.cookies.txt',
    '/tmp/x',
    '/.lock',
    '/',
    '/refs/heads',
    '/refs//heads/main',
    '/%00',
    '/%zz',
    '/state/x',
  ]) {
    expect([path, (await ask(path)).status]).toEqual([path, 404]);
  }
});

it('serves pull', async () => {
  const client = initRepo(join(dir, 'client'), { mode: 'bare-user' });
  addRemote(client, { name: 'm', url: server.url, noGpgVerify: true });
  await pull(openRepo(client.path), 'm', { refs: ['main'], threads: 0 });
  expect(resolveRev(client, 'm:main')).toBe(resolveRev(repo, 'main'));
});

withOstree('serves ostree', async () => {
  const client = join(dir, 'ostree');
  initOstreeRepo(client, 'bare-user');
  ostree(client, 'remote', 'add', '--no-gpg-verify', 'm', server.url);
  // The server lives in this process, so the client must not block it.
  const child = spawn('ostree', [`--repo=${client}`, 'pull', 'm', 'main'], { stdio: 'ignore' });
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  expect(ostree(client, 'rev-parse', 'm:main')).toBe(resolveRev(repo, 'main'));
});
