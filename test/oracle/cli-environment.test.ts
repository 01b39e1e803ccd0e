/** Debugging aids in the environment beside the real ostree: traffic shown, no cache, faults acted out. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, OSTREE_JS, type Outcome } from '../helpers/front-ends.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { type RunOptions, requireTool, run, runOk } from '../helpers/run.ts';
import { compareSides, contents, copySides, type Sides } from '../helpers/side-by-side.ts';

const isReady = requireTool('ostree', 'nginx', 'gpg');
const withTools = isReady ? it : it.skip;

const base = fixtureDir();
const start = join(base, 'start');
let nginx: Nginx;
let home: GpgHome;

const FIXED = { OSTREE_DUMMY_SIGN_ENABLED: '1', SOURCE_DATE_EPOCH: '1700000000' };

/** A mirror with a signed summary behind nginx; a repository that verifies it. */
beforeAll(async () => {
  if (!isReady) return;
  const mirror = join(base, 'mirror');
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'tree/file'), 'content\n');
  initOstreeRepo(mirror, 'archive');
  home = makeGpgHome();
  const signed = [`--gpg-sign=${home.makeKey('Good <good@example.com>')}`, `--gpg-homedir=${home.dir}`];
  ostreeCommit(mirror, join(base, 'tree'), ...signed);
  ostree(mirror, 'summary', '-u', ...signed);
  nginx = await startNginx(base, join(base, 'nginx'));
  const repo = join(start, 'r');
  mkdirSync(join(start, 'cache'), { recursive: true });
  runOk('cp', ['-a', join(base, 'tree'), join(start, 'tree')]);
  initOstreeRepo(repo, 'bare-user');
  ostreeCommit(repo, join(base, 'tree'));
  ostreeCommit(repo, join(base, 'tree'), '--subject=second');
  writeFileSync(join(base, 'key.gpg'), home.gpg(['--export']));
  const verify = [`--gpg-import=${join(base, 'key.gpg')}`, '--set=gpg-verify-summary=true'];
  ostree(repo, 'remote', 'add', ...verify, 'm', `${nginx.url}/mirror`);
});

afterAll(async () => {
  await nginx?.stop();
  home?.remove();
});

describe('OSTREE_REPO_TEST_ERROR', () => {
  const lines: [string, string][] = [
    ['commit --branch=main tree', 'pre-commit'],
    ['commit --orphan tree', 'PRE_COMMIT'],
    ['commit --branch=new tree', 'invalid-cache:pre-commit;unknown'],
    ['commit --branch=new tree', 'all'],
    ['commit --branch=new tree', 'all,pre-commit'],
    ['commit --branch=new tree', 'precommit'],
    ['commit --branch=main --skip-if-unchanged tree', 'pre-commit'],
    ['reset main main^', 'pre-commit'],
    ['refs --create=new main', 'pre-commit'],
    ['sign -s dummy main KEY', 'pre-commit'],
    ['prune --refs-only', 'pre-commit'],
    ['summary --update', 'pre-commit'],
    ['pull-local MIRROR main', 'pre-commit'],
  ];
  withTools.each(lines)('%s with %s', (line, value) => {
    const args = line.replace('MIRROR', `${base}/mirror`).split(' ');
    const env = { ...FIXED, OSTREE_REPO_TEST_ERROR: value };
    compareSides(args, { start, env, names: line.startsWith('summary') ? [] : ['r'] });
  });

  withTools('stops the commit that summary -u makes in a collection', () => {
    const prepare = (dir: string): void => void ostree(join(dir, 'r'), 'config', 'set', 'core.collection-id', 'org.x.Y');
    const env = { ...FIXED, OSTREE_REPO_TEST_ERROR: 'pre-commit' };
    expect(compareSides(['summary', '-u'], { start, prepare, env, names: ['r'] }).status).toBe(1);
  });

  withTools('what a failed commit stored is published by the next one', () => {
    const sides = copySides(start);
    const line = ['--repo=r', 'commit', '--branch=main', 'tree'];
    both(line, sides, { env: { ...FIXED, OSTREE_REPO_TEST_ERROR: 'pre-commit' } });
    const [ours, real] = both(line, sides, { env: FIXED });
    expect(ours).toEqual(real);
    expect(contents(join(sides.ours, 'r'))).toEqual(contents(join(sides.real, 'r')));
  });
});

describe('the cache of summaries', () => {
  const cached = (dir: string): string => join(dir, 'r/tmp/cache/summaries');
  const listed = (dir: string): string[] => (existsSync(cached(dir)) ? readdirSync(cached(dir)).sort() : []);
  const pull = (sides: Sides, env: RunOptions['env'], ...more: string[]): [Outcome, Outcome] => {
    const statusOnly = ({ status, message }: Outcome): Outcome => ({ status, stdout: '', message });
    const [ours, real] = both(['--repo=r', 'pull', 'm', 'main', ...more], sides, { env: { ...FIXED, ...env } });
    return [statusOnly(ours), statusOnly(real)];
  };
  /** What was asked for of the summary, by both sides. */
  const asked = (): string[] =>
    nginx
      .requests()
      .filter(({ path }) => path.startsWith('/mirror/summary'))
      .map(({ path, status }) => `${path} ${status}`);

  withTools('is neither written nor read with OSTREE_SKIP_CACHE, whatever its value', () => {
    const sides = copySides(start);
    for (const value of ['1', '']) {
      const [ours, real] = pull(sides, { OSTREE_SKIP_CACHE: value });
      expect(ours).toEqual(real);
      expect([listed(sides.ours), listed(sides.real)]).toEqual([[], []]);
    }
    pull(sides, {});
    expect([listed(sides.ours), listed(sides.real)]).toEqual([
      ['m', 'm.sig'],
      ['m', 'm.sig'],
    ]);
    nginx.forget();
    pull(sides, { OSTREE_SKIP_CACHE: '1' });
    const once = ['/mirror/summary.sig 200', '/mirror/summary 200'];
    expect(asked()).toEqual([...once, ...once]);
  });

  withTools('is used all the same where --cache-dir names one', () => {
    const sides = copySides(start);
    pull(sides, { OSTREE_SKIP_CACHE: '1' }, '--cache-dir=cache');
    const found = [sides.ours, sides.real].map((dir) => readdirSync(join(dir, 'cache/summaries')).sort());
    expect(found).toEqual([
      ['m', 'm.sig'],
      ['m', 'm.sig'],
    ]);
  });

  withTools('is replaced when it does not verify, and a failure with invalid-cache', () => {
    const sides = copySides(start);
    pull(sides, {});
    const good = readFileSync(join(cached(sides.ours), 'm'));
    for (const dir of Object.values(sides)) appendFileSync(join(cached(dir), 'm'), 'x');
    const [failed, realFailed] = pull(sides, { OSTREE_REPO_TEST_ERROR: 'invalid-cache' });
    expect(failed).toEqual(realFailed);
    expect(failed.status).toBe(1);
    const [healed, realHealed] = pull(sides, {});
    expect(healed).toEqual(realHealed);
    expect(healed.status).toBe(0);
    expect(readFileSync(join(cached(sides.ours), 'm'))).toEqual(good);
  });
});

describe('OSTREE_DEBUG_HTTP', () => {
  /** Objects that were asked for, and how often each status came back. */
  const traffic = (stderr: string): unknown => ({
    objects: [...stderr.matchAll(/^> GET \/mirror(\/objects\/\S+) HTTP/gm)].map(([, path]) => path).sort(),
    summaries: [...stderr.matchAll(/^> GET \/mirror(\/summary\S*) HTTP/gm)].map(([, path]) => path).sort(),
    answers: [...stderr.matchAll(/^< HTTP\/1\.1 (200 \S+)/gm)].length,
  });
  const pulled = (program: string, args: string[], dir: string, env: RunOptions['env']): { stdout: string; stderr: string } =>
    run(program, [...args, '--repo=r', 'pull', 'm', 'main'], { cwd: dir, env: { ...FIXED, ...env } });

  withTools.each(['1', ''])('shows what is asked and answered on standard error, value "%s"', (value) => {
    const sides = copySides(start);
    const env = { OSTREE_DEBUG_HTTP: value };
    const ours = pulled(process.execPath, [OSTREE_JS], sides.ours, env);
    const real = pulled('ostree', [], sides.real, env);
    // ostree asks for the mirror's configuration too.
    const realTraffic = traffic(real.stderr) as { answers: number };
    expect(traffic(ours.stderr)).toEqual({ ...realTraffic, answers: realTraffic.answers - 1 });
    expect(ours.stdout).toMatch(/^\d+ metadata, \d+ content objects fetched;/);
  });

  withTools('hides credentials and says what went wrong', () => {
    const [dir] = [copySides(start).ours];
    const url = nginx.url.replace('//', '//user:secret@');
    const args = [OSTREE_JS, '--repo=r', 'pull', `--url=${url}/nothing`, 'm', 'main'];
    const shown = run(process.execPath, args, { cwd: dir, env: { OSTREE_DEBUG_HTTP: '1' } }).stderr;
    expect(shown).toContain('> authorization: (hidden)\n');
    expect(shown).not.toContain(Buffer.from('user:secret').toString('base64'));
    const refused = [OSTREE_JS, '--repo=r', 'pull', '--url=http://127.0.0.1:1', '--network-retries=0', 'm', 'main'];
    const { stderr } = run(process.execPath, refused, { cwd: dir, env: { OSTREE_DEBUG_HTTP: '1' } });
    expect(stderr).toMatch(/^\* http:\/\/127\.0\.0\.1:1\/summary\.sig: .*ECONNREFUSED/m);
  });

  withTools('shows nothing without it', () => {
    const { stderr } = pulled(process.execPath, [OSTREE_JS], copySides(start).ours, {});
    expect(stderr).toBe('');
  });
});
