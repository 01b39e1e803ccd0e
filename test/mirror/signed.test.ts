/** Remotes that demand signatures: what ostree signed is taken; unsigned, unknown and damaged are refused and leave no ref. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { addRemote, importRemoteKeys, listRemoteKeys, pull, remoteRefs } from '../../src/remote/index.ts';
import { initRepo, listAllRefs, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';

const isReady = requireTool('ostree', 'nginx', 'gpg') && requireRoot();
const withTools = isReady ? it : it.skip;

let home: GpgHome;
let mirror: string;
let nginx: Nginx;
let good: string;
let stranger: string;
let repo: Repo;

beforeAll(async () => {
  if (!isReady) return;
  home = makeGpgHome();
  good = home.makeKey('Good <good@example.com>');
  stranger = home.makeKey('Stranger <stranger@example.com>');
  const dir = keptScratchDir();
  mirror = join(dir, 'mirror');
  fs.mkdirSync(join(dir, 'tree'));
  fs.writeFileSync(join(dir, 'tree/file'), 'content\n');
  initOstreeRepo(mirror, 'archive');
  const sign = (key: string): string[] => [`--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`];
  ostreeCommit(mirror, join(dir, 'tree'), ...sign(good));
  ostreeCommit(mirror, join(dir, 'tree'), '--branch=strange', ...sign(stranger));
  ostreeCommit(mirror, join(dir, 'tree'), '--branch=unsigned');
  ostree(mirror, 'summary', '-u', ...sign(good));
  nginx = await startNginx(mirror, join(dir, 'nginx'));
});

afterAll(async () => {
  await nginx?.stop();
  home?.remove();
});

beforeEach(() => {
  if (!isReady) return;
  const made = initRepo(join(scratchDir(), 'repo'), { mode: 'bare-user' });
  addRemote(made, { name: 'm', url: nginx.url, set: [['gpg-verify-summary', 'true']] });
  repo = openRepo(made.path);
  expect(importRemoteKeys(repo, 'm', [home.gpg(['--export', good])])).toBe(1);
});

const pullRef = (ref: string): Promise<unknown> => pull(repo, 'm', { refs: [ref], threads: 0 });

withTools('takes what the trusted key signed', async () => {
  await pullRef('main');
  expect(resolveRev(repo, 'm:main')).toBe(ostree(mirror, 'rev-parse', 'main'));
  expect((await remoteRefs(repo, 'm')).map(({ ref }) => ref)).toEqual(['main', 'strange', 'unsigned']);
  expect((await listRemoteKeys(repo, 'm')).map(({ fingerprint }) => fingerprint)).toEqual([good]);
});

withTools('refuses a signature by an unknown key, naming it and the remote', async () => {
  const message = expect.stringMatching(new RegExp(`'m'[^]*${stranger.slice(-16)}`));
  await expect(pullRef('strange')).rejects.toMatchObject({ code: 'signature-invalid', message });
  expect(listAllRefs(repo)).toEqual([]);
});

withTools('refuses an unsigned commit', async () => {
  await expect(pullRef('unsigned')).rejects.toMatchObject({ code: 'signature-missing', message: expect.stringContaining("'m'") });
  expect(listAllRefs(repo)).toEqual([]);
});

withTools('refuses a summary that was changed after signing', async () => {
  const path = join(mirror, 'summary');
  const sound = fs.readFileSync(path);
  ostree(mirror, 'summary', '-u', '--add-metadata=x="y"');
  const changed = fs.readFileSync(path);
  const signature = join(mirror, 'summary.sig');
  ostree(mirror, 'summary', '-u', `--gpg-sign=${good}`, `--gpg-homedir=${home.dir}`);
  const current = fs.readFileSync(path);
  fs.writeFileSync(path, changed);
  await expect(pullRef('main')).rejects.toMatchObject({ code: 'signature-invalid' });
  expect(listAllRefs(repo)).toEqual([]);
  fs.writeFileSync(path, current);
  await pullRef('main');
  expect([sound.equals(changed), fs.existsSync(signature)]).toEqual([false, true]);
});
