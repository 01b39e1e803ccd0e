/** `pull` and `pull-local` beside the real ostree: the same line, the same repository, the same summary at the end. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, type Outcome } from '../helpers/front-ends.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireTool } from '../helpers/run.ts';
import { contents, copySides, type Sides } from '../helpers/side-by-side.ts';

const isReady = requireTool('ostree', 'nginx');
const withTools = isReady ? it : it.skip;

const base = fixtureDir();
const start = join(base, 'start');
let nginx: Nginx;
let commits: string[];

/** A mirror with history, a ref from elsewhere, one that is not plain, and a delta; clients that have nothing or the parent. */
beforeAll(async () => {
  if (!isReady) return;
  const mirror = join(base, 'mirror');
  const tree = join(base, 'tree');
  mkdirSync(join(tree, 'sub/deep'), { recursive: true });
  for (const name of ['a', 'sub/b', 'sub/deep/c']) writeFileSync(join(tree, name), `content of ${name}\n`);
  symlinkSync('a', join(tree, 'link'));
  initOstreeRepo(mirror, 'archive');
  commits = [1, 2, 3].map((version) => {
    writeFileSync(join(tree, 'a'), `version ${version}\n`.repeat(100));
    return ostreeCommit(mirror, tree, `--timestamp=@170000000${version}`, `--add-metadata-string=version=${version}`);
  });
  ostreeCommit(mirror, tree, '--branch=os/older', '--timestamp=@1600000000');
  chmodSync(join(tree, 'a'), 0o4755);
  ostreeCommit(mirror, tree, '--branch=setuid', '--timestamp=@1700000009');
  ostree(mirror, 'refs', '--create=unbound', 'main');
  ostree(mirror, 'static-delta', 'generate', 'main');
  ostree(mirror, 'summary', '-u');
  nginx = await startNginx(base, join(base, 'nginx'));
  mkdirSync(start);
  for (const [name, mode] of [
    ['r', 'bare-user'],
    ['z', 'archive'],
    ['parent', 'bare-user'],
  ] as const) {
    const repo = join(start, name);
    initOstreeRepo(repo, mode);
    const add = (...args: string[]): void => void ostree(repo, 'remote', 'add', '--no-gpg-verify', ...args);
    add('m', `${nginx.url}/mirror`);
    add('branches', `${nginx.url}/mirror`, 'main', 'os/older');
    add('f', `file://${mirror}`);
    add('broken', `${nginx.url}/nothing`);
    add('custom', `${nginx.url}/mirror`, '--custom-backend=other');
    add('closed', `${nginx.url}/mirror`, '--set=unconfigured-state=Buy a licence');
    add('collection', `${nginx.url}/mirror`, '--collection-id=org.example.Os');
    ostree(repo, 'remote', 'add', 'strict', `${nginx.url}/mirror`);
    ostree(repo, 'remote', 'add', '--set=gpg-verify-summary=true', 'stricter', `${nginx.url}/mirror`);
  }
  ostree(join(start, 'parent'), 'pull', 'm', `main@${commits[1]}`);
});

afterAll(() => nginx?.stop());

/** Equal words, equal refs and objects, and what ostree finds sound. */
function expectEqual(sides: Sides, [ours, real]: readonly [Outcome, Outcome], repo: string): void {
  expect(ours).toEqual(real);
  const [left, right] = [sides.ours, sides.real].map((dir) => contents(join(dir, repo)));
  // A pull that failed leaves a mark of ostree's for the commit that it did not get.
  const isMark = (path: string): boolean => real.status !== 0 && path.startsWith('state/');
  expect(left).toEqual(Object.fromEntries(Object.entries(right ?? {}).filter(([path]) => !isMark(path))));
  if (ours.status === 0) expect(ostreeFsck(join(sides.ours, repo))).toBe('');
}

/** What is counted or timed in another way: how long it took; bytes and objects of a static delta; contents of an archive that are copied. */
function masked({ stdout, message, ...rest }: Outcome): Outcome {
  return {
    ...rest,
    stdout: stdout
      .replace(/in \d+ seconds/, 'in N seconds')
      .replace(/(delta parts), .*/, '$1')
      .replace(/(imported); .*/, '$1'),
    message: message.replace('; use --allow-downgrade to permit', '').replace(/ (at|in) \S+( summary)?$/, ''),
  };
}

/** MIRROR and COMMITn are replaced, since they are not known when tests are named. */
function compare(repo: string, args: readonly string[]): Outcome {
  const sides = copySides(start);
  const line = args.map((word) =>
    word.replace('MIRROR', join(base, 'mirror')).replace(/COMMIT(\d)/, (_, i) => commits[i - 1] ?? ''),
  );
  const outcomes = both([`--repo=${repo}`, ...line], sides);
  expectEqual(sides, [masked(outcomes[0]), masked(outcomes[1])], repo);
  return outcomes[0];
}

describe.each(['r', 'z'])('pull into %s', (repo) => {
  withTools.each([
    [['m', 'main', '--disable-static-deltas']],
    [['m:main', '--disable-static-deltas']],
    [['m', 'main', 'os/older', '--disable-static-deltas']],
    [['m', 'main', '--depth=1', '--disable-static-deltas']],
    [['m', 'main', '--depth=-1', '--disable-static-deltas']],
    [['m', 'main@COMMIT2']],
    [['m', 'COMMIT1']],
    [['m', 'main', '--commit-metadata-only']],
    [['m', 'main', '--subpath=/sub', '--disable-static-deltas']],
    [['m', 'main', '--subpath=/sub/deep', '--subpath=/link', '--disable-static-deltas']],
    [['branches', '--disable-static-deltas']],
    [['m', 'main', '--mirror', '--disable-static-deltas']],
    [['m', '--mirror', '--depth=-1', '--disable-static-deltas', '--disable-verify-bindings']],
    [['m', 'main', '--disable-fsync', '--disable-static-deltas']],
    [['m', 'main', '--per-object-fsync', '--disable-static-deltas']],
    [['m', 'main', '--http-trusted', '--untrusted', '--disable-static-deltas']],
    [['m', 'main', '--http-header=X-Test=1', '--update-frequency=1', '--network-retries=1', '--disable-static-deltas']],
    [['m', 'unbound']],
    [['m', 'unbound', '--disable-verify-bindings', '--disable-static-deltas']],
    [['m', 'setuid', '--bareuseronly-files', '--disable-static-deltas']],
    [['m', 'main', '--bareuseronly-files', '--disable-static-deltas']],
    [['f', 'main']],
    [['f', 'main', '--untrusted']],
  ])('%j', (args) => {
    compare(repo, ['pull', ...args]);
  });

  withTools.each([['strict'], ['stricter']])('refuses what is not signed: %s', (remote) => {
    const [ours, real] = both([`--repo=${repo}`, 'pull', remote, 'main'], copySides(start));
    expect([ours.status, ours.stdout]).toEqual([real.status, real.stdout]);
    expect(real.message).toContain('GPG verification enabled, but no s');
    expect(ours.message).toContain('GPG verification enabled, but no s');
    expect(ours.message).toContain(`'${remote}'`);
  });
});

describe('pull says what is wrong', () => {
  withTools.each([
    [['m', '--dry-run', 'main']],
    [['m', '--depth=deep', 'main']],
    [['m', '--http-header=x', 'main']],
    [['m', 'nothing']],
    [['m', 'main@nothing']],
    [['m']],
    [['nothing', 'main']],
    [['custom', 'main']],
    [['m', 'main', '--timestamp-check-from-rev=nothing']],
    [[]],
  ])('%j', (args) => {
    expect(compare('r', ['pull', ...args]).status).toBe(1);
  });
});

describe('pull where the parent is', () => {
  withTools.each([
    [['m', 'main']],
    [['m', 'main', '--require-static-deltas']],
    [['m', 'main', '--require-static-deltas', '--dry-run']],
    [['m', 'main', '--disable-static-deltas']],
    [['m', 'os/older', '--require-static-deltas']],
    [['m', 'main', '-T', '--disable-static-deltas']],
    [['m', 'os/older', '--timestamp-check-from-rev=m:main']],
    [['m', 'main@COMMIT1', '-T']],
    [['m', 'main@COMMIT2', '--disable-static-deltas']],
    [['m', 'main', '--subpath=/sub', '--disable-static-deltas']],
    [['m', 'main', '--commit-metadata-only']],
    [['m', 'main', '--localcache-repo=z', '--disable-static-deltas']],
    [['m', 'main', '-L', 'nothing', '--disable-static-deltas']],
  ])('%j', (args) => {
    compare('parent', ['pull', ...args]);
  });

  withTools('twice', () => {
    const sides = copySides(start);
    for (const args of [['main'], ['main', '--disable-static-deltas'], ['main', '--depth=-1', '--disable-static-deltas']]) {
      const [ours, real] = both(['--repo=parent', 'pull', 'm', ...args], sides);
      expect([args, ours.status, masked(ours)]).toEqual([args, 0, masked(real)]);
      expect(contents(join(sides.ours, 'parent'))).toEqual(contents(join(sides.real, 'parent')));
    }
  });
});

describe.each(['r', 'z'])('pull-local into %s', (repo) => {
  withTools.each([
    [[]],
    [['nothing']],
    [['MIRROR']],
    [['MIRROR', 'main']],
    [['MIRROR', 'nothing']],
    [['MIRROR', 'main', 'os/older', '--depth=-1']],
    [['MIRROR', '--remote=m', 'main']],
    [['MIRROR', '--remote=unknown', 'main']],
    [['MIRROR', 'main', '--untrusted']],
    [['MIRROR', 'main', '--commit-metadata-only']],
    [['MIRROR', 'main', '--bareuseronly-files']],
    [['MIRROR', 'setuid', '--bareuseronly-files']],
    [['MIRROR', 'unbound']],
    [['MIRROR', 'unbound', '--disable-verify-bindings']],
    [['MIRROR', 'main', '--disable-fsync', '--per-object-fsync']],
    [['MIRROR', 'main', '--gpg-verify']],
    [['MIRROR', 'main', '--gpg-verify-summary']],
    [['parent', 'm:main']],
  ])('%j', (args) => {
    compare(repo, ['pull-local', ...args]);
  });
});
