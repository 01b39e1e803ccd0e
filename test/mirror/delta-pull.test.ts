/** Pull by static deltas that ostree made, and what happens when they are damaged. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Progress } from '../../src/core/index.ts';
import { addRemote, pull } from '../../src/remote/index.ts';
import { initRepo, openRepo, type Repo } from '../../src/repo/index.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const withTools = requireTool('ostree', 'nginx') && requireRoot() ? it : it.skip;

let mirror: string;
let nginx: Nginx;
let first: string;
let second: string;

beforeAll(async () => {
  const dir = keptScratchDir();
  mirror = join(dir, 'mirror');
  const tree = join(dir, 'tree');
  fs.mkdirSync(join(tree, 'dir'), { recursive: true });
  fs.writeFileSync(join(tree, 'dir/text'), 'line\n'.repeat(20_000));
  fs.writeFileSync(join(tree, 'noise'), noise(200_000, 'one'));
  initOstreeRepo(mirror, 'archive');
  first = ostreeCommit(mirror, tree);
  fs.writeFileSync(join(tree, 'noise'), Buffer.concat([noise(200_000, 'one'), Buffer.from('more')]));
  fs.writeFileSync(join(tree, 'dir/new'), noise(500, 'new'));
  second = ostreeCommit(mirror, tree, '--timestamp=@1700000100');
  ostree(mirror, 'static-delta', 'generate', 'main');
  ostree(mirror, 'summary', '-u');
  nginx = await startNginx(mirror, join(dir, 'nginx'));
});

afterAll(() => nginx.stop());

async function clientAtFirst(mode: string): Promise<Repo> {
  const made = initRepo(join(scratchDir(), 'repo'), { mode });
  addRemote(made, { name: 'm', url: nginx.url, noGpgVerify: true });
  const repo = openRepo(made.path);
  await pull(repo, 'm', { refs: [`main@${first}`], threads: 0 });
  nginx.forget();
  return repo;
}

describe.each(['bare', 'bare-user'])('into %s', (mode) => {
  withTools('uses the delta and no object', async () => {
    const repo = await clientAtFirst(mode);
    const progress: Progress[] = [];
    const onProgress = (each: Progress): unknown => progress.push(each);
    const report = await pull(repo, 'm', { refs: ['main'], threads: 0, requireStaticDeltas: true, onProgress });
    expect(report.deltaParts).toBe(1);
    expect(report.deltaBytesSaved).toBeGreaterThan(150_000);
    expect(progress.find(({ phase }) => phase === 'Applying static delta')?.savedBytes).toEqual({
      byIndex: 0,
      byDeltas: report.deltaBytesSaved,
    });
    expect(report.contentFetched).toBe(0);
    expect(nginx.requests().filter(({ path }) => /\.(filez|dirtree|dirmeta)$/.test(path))).toEqual([]);
    expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(second);
    expect(ostreeFsck(repo.path)).toBe('');
  });
});

withTools('falls back to objects when a part is damaged', async () => {
  const repo = await clientAtFirst('bare-user');
  const part = findPart(mirror);
  const sound = fs.readFileSync(part);
  fs.writeFileSync(part, Buffer.from(sound).fill(0, 20, 60));
  try {
    await expect(pull(repo, 'm', { refs: ['main'], threads: 0, requireStaticDeltas: true })).rejects.toMatchObject({
      code: 'delta-invalid',
    });
    expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(first);
    const report = await pull(repo, 'm', { refs: ['main'], threads: 0 });
    expect([report.deltaParts, report.contentFetched]).toEqual([0, 2]);
    expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(second);
    expect(ostreeFsck(repo.path)).toBe('');
  } finally {
    fs.writeFileSync(part, sound);
  }
});

withTools('says when there is none', async () => {
  const repo = await clientAtFirst('bare-user');
  await expect(pull(repo, 'm', { refs: [second], threads: 0, disableStaticDeltas: true })).resolves.toMatchObject({
    deltaParts: 0,
  });
  const archive = await clientAtFirst('archive');
  await expect(pull(archive, 'm', { refs: ['main'], threads: 0, requireStaticDeltas: true })).rejects.toMatchObject({
    code: 'repo-mode',
  });
});

/** The file of the only part of the only delta. */
function findPart(repo: string): string {
  const paths = fs.readdirSync(join(repo, 'deltas'), { recursive: true, encoding: 'utf8' });
  return join(repo, 'deltas', paths.find((path) => path.endsWith('/0')) ?? 'none');
}

withTools('takes only signed deltas where the remote says so', async () => {
  const sign = (...args: string[]): void => {
    runOk('ostree', [`--repo=${mirror}`, 'static-delta', 'generate', ...args, 'main'], {
      env: { OSTREE_DUMMY_SIGN_ENABLED: '1' },
    });
    ostree(mirror, 'summary', '-u');
  };
  const repo = await clientAtFirst('bare-user');
  for (const [key, value] of Object.entries({ 'sign-verify-deltas': 'true', 'verification-dummy-key': 'K1' })) {
    ostree(repo.path, 'config', 'set', '--group=remote "m"', key, value);
  }
  const options = { refs: ['main'], threads: 0, requireStaticDeltas: true, trust: { dummyEnabled: true } };
  const attempt = (): Promise<unknown> => pull(openRepo(repo.path), 'm', options);
  await expect(attempt()).rejects.toMatchObject({ code: 'signature-missing' });
  sign('--sign-type=dummy', '--sign=K2');
  await expect(attempt()).rejects.toMatchObject({ code: 'signature-invalid' });
  expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(first);
  sign('--sign-type=dummy', '--sign=K2', '--sign=K1');
  await expect(attempt()).resolves.toMatchObject({ deltaParts: 1 });
  expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(second);
});
