/** Pull from nginx in front of a repository that ostree made, in every mode; ostree is the judge of what arrived. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addRemote, pull, pullLocal } from '../../src/remote/index.ts';
import { fsck, initRepo, listAllRefs, loadCommit, openRepo, type Repo, resolveRev } from '../../src/repo/index.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { compareTrees, initOstreeRepo, ostree, ostreeCheckout, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, run } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { makeSmallTree } from '../helpers/trees.ts';

const withTools = requireTool('ostree', 'nginx') && requireRoot() ? it : it.skip;

let dir: string;
let mirror: string;
let nginx: Nginx;
let first: string;
let second: string;

beforeAll(async () => {
  dir = keptScratchDir();
  mirror = join(dir, 'mirror');
  makeSmallTree(join(dir, 'tree'));
  initOstreeRepo(mirror, 'archive');
  first = ostreeCommit(mirror, join(dir, 'tree'));
  fs.writeFileSync(join(dir, 'tree/new'), 'new file\n');
  second = ostreeCommit(mirror, join(dir, 'tree'), '--timestamp=@1700000100');
  nginx = await startNginx(mirror, join(dir, 'nginx'));
});

afterAll(() => nginx.stop());

/** A repository with the mirror as remote `m`. */
function client(mode: string): Repo {
  const repo = initRepo(join(scratchDir(), 'repo'), { mode });
  addRemote(repo, { name: 'm', url: nginx.url, noGpgVerify: true });
  return openRepo(repo.path);
}

async function expectSound(repo: Repo): Promise<void> {
  expect(ostreeFsck(repo.path)).toBe('');
  expect((await fsck(repo, { threads: 0 })).findings).toEqual([]);
}

describe.each(['bare', 'bare-user', 'archive'])('pull into %s', (mode) => {
  withTools('brings what ostree committed, and both fsck agree', async () => {
    const repo = client(mode);
    const report = await pull(repo, 'm', { refs: ['main'] });
    expect(report.refs).toEqual([{ ref: 'main', commit: second, previous: undefined }]);
    expect(ostree(repo.path, 'rev-parse', 'm:main')).toBe(second);
    await expectSound(repo);
    expect(fs.readdirSync(join(repo.path, 'state'))).toEqual([]);
    ostreeCheckout(repo.path, 'm:main', join(dir, `out-${mode}`));
    ostreeCheckout(mirror, 'main', join(dir, `reference-${mode}`));
    expect(compareTrees(join(dir, `out-${mode}`), join(dir, `reference-${mode}`), { linkCounts: false, times: false })).toEqual(
      [],
    );
    const bytes = report.contentBytesWritten;
    const again = await pull(repo, 'm', { refs: ['main'] });
    expect(bytes).toBeGreaterThan(3_000_000);
    // Asking for detached metadata counts as one, as it does for ostree.
    expect([again.metadataFetched, again.contentFetched]).toEqual([1, 0]);
  });

  withTools('goes on from a partial pull', async () => {
    const repo = client(mode);
    await pull(repo, 'm', { refs: ['main'], commitMetadataOnly: true });
    expect(fs.existsSync(join(repo.path, `state/${second}.commitpartial`))).toBe(true);
    await pull(repo, 'm', { refs: ['main'], subpaths: ['/shapes'] });
    expect(run('ostree', [`--repo=${repo.path}`, 'ls', 'm:main', '/shapes/wide/file-1']).status).toBe(0);
    expect(run('ostree', [`--repo=${repo.path}`, 'ls', 'm:main', '/sizes']).status).not.toBe(0);
    await pull(repo, 'm', { refs: ['main'], depth: -1 });
    expect(fs.readdirSync(join(repo.path, 'state'))).toEqual([]);
    expect(loadCommit(repo, resolveRev(repo, 'm:main^'))).toMatchObject({ parent: undefined });
    expect(resolveRev(repo, 'm:main^')).toBe(first);
    await expectSound(repo);
  });

  withTools.each(['bare', 'bare-user', 'archive'])('pull-local from %s', async (from) => {
    const source = join(scratchDir(), 'source');
    initOstreeRepo(source, from);
    ostree(source, 'pull-local', mirror, 'main');
    const trusted = client(mode);
    const report = await pullLocal(trusted, openRepo(source), {});
    expect(report.refs).toEqual([{ ref: 'main', commit: second, previous: undefined }]);
    expect(listAllRefs(trusted).map(({ ref, remote }) => [ref, remote])).toEqual([['main', undefined]]);
    await expectSound(trusted);
    const untrusted = client(mode);
    await pullLocal(untrusted, openRepo(source), { refs: ['main'], untrusted: true, remote: 'm' });
    expect(ostree(untrusted.path, 'rev-parse', 'm:main')).toBe(second);
    await expectSound(untrusted);
  });

  withTools('ostree pulls from what hacktree mirrored', async () => {
    const repo = client('archive');
    ostree(mirror, 'summary', '-u');
    await pull(repo, 'm', { mirror: true });
    fs.rmSync(join(mirror, 'summary'));
    expect(fs.existsSync(join(repo.path, 'summary'))).toBe(true);
    const server = await startNginx(repo.path, join(scratchDir(), 'nginx'));
    try {
      const target = join(scratchDir(), 'target');
      initOstreeRepo(target, mode);
      ostree(target, 'remote', 'add', '--no-gpg-verify', 'h', server.url);
      ostree(target, 'pull', 'h', 'main');
      expect(ostree(target, 'rev-parse', 'h:main')).toBe(second);
      expect(ostreeFsck(target)).toBe('');
    } finally {
      await server.stop();
    }
  });
});

withTools('says what is not there', async () => {
  const repo = client('bare');
  await expect(pull(repo, 'm', { refs: ['nothing'] })).rejects.toMatchObject({ code: 'ref-not-found' });
  await expect(pull(repo, 'm')).rejects.toMatchObject({ code: 'remote-config' });
  await expect(pull(repo, 'm', { mirror: true })).rejects.toMatchObject({ code: 'remote-config' });
  await expect(pull(repo, 'other')).rejects.toMatchObject({ code: 'remote-not-found' });
  expect(listAllRefs(repo)).toEqual([]);
});
