/** Both tools against each other through nginx: who makes the mirror, with deltas or not, signed or not; and docs/mirrors.md as it stands. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { dropIn } from '../helpers/front-ends.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { compareTrees, ostreeFsck } from '../helpers/oracle.ts';
import { hacktree, hacktreeOk, PROJECT_DIR, type RunResult, requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { makeSmallTree, noise } from '../helpers/trees.ts';

const isReady = requireTool('ostree', 'nginx', 'gpg') && requireRoot();
const withTools = isReady ? it : it.skip;

let dir: string;
let home: GpgHome;
let key: string;
let nginx: Nginx | undefined;

beforeAll(() => {
  if (!isReady) return;
  dir = keptScratchDir();
  home = makeGpgHome();
  key = home.makeKey('Good <good@example.com>');
  fs.writeFileSync(join(dir, 'key.asc'), home.gpg(['--armor', '--export', key]));
  for (const version of ['v1', 'v2']) {
    const tree = join(dir, version);
    makeSmallTree(tree);
    fs.writeFileSync(join(tree, 'large'), Buffer.concat([noise(300_000, 'large'), Buffer.from(version)]));
  }
});

afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
});

afterAll(() => home?.remove());

type Tool = 'ostree' | 'hacktree';
const toolOf =
  (tool: Tool) =>
  (args: readonly string[]): RunResult =>
    tool === 'ostree' ? run('ostree', args) : dropIn(args);

function ok({ status, stdout, stderr }: RunResult): string {
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout.trimEnd();
}

interface Made {
  readonly withDeltas: boolean;
  readonly isSigned: boolean;
}

/** Two versions of `main`, and of `plain` for repositories that keep no owners. */
function makeMirror(tool: Tool, path: string, { withDeltas, isSigned }: Made): void {
  const make = (...args: string[]): string => ok(toolOf(tool)([`--repo=${path}`, ...args]));
  const sign = isSigned ? [`--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`] : [];
  make('init', '--mode=archive');
  for (const version of ['v1', 'v2']) {
    make('commit', '--branch=main', `--add-metadata-string=version=${version}`, ...sign, join(dir, version));
    make('commit', '--branch=plain', '--canonical-permissions', '--no-xattrs', ...sign, join(dir, version));
  }
  for (const ref of withDeltas ? ['main', 'plain'] : []) make('static-delta', 'generate', ref);
  make('summary', '-u', ...sign);
}

const CASES = (['ostree', 'hacktree'] as const).flatMap((maker) =>
  [false, true].flatMap((withDeltas) => [false, true].map((isSigned) => ({ maker, withDeltas, isSigned }))),
);

describe.each(CASES)('a mirror made by $maker, deltas $withDeltas, signed $isSigned', ({ maker, ...made }) => {
  const puller: Tool = maker === 'ostree' ? 'hacktree' : 'ostree';
  // All modes where nothing else is special, else one with owners and one without.
  const modes =
    made.withDeltas || made.isSigned ? ['bare', 'bare-user-only'] : ['bare', 'bare-user', 'bare-user-only', 'archive'];

  withTools(`gives all to ${puller} in mode ${modes.join(', ')}`, async () => {
    const mirror = join(scratchDir(), 'mirror');
    makeMirror(maker, mirror, made);
    nginx = await startNginx(mirror, join(scratchDir(), 'nginx'));
    for (const mode of modes) {
      const repo = join(scratchDir(), 'repo');
      const client = (...args: string[]): string => ok(toolOf(puller)([`--repo=${repo}`, ...args]));
      const ref = mode === 'bare-user-only' ? 'plain' : 'main';
      client('init', `--mode=${mode}`);
      const trust = made.isSigned ? ['--set=gpg-verify-summary=true'] : ['--no-gpg-verify'];
      client('remote', 'add', ...trust, 'm', nginx.url);
      if (made.isSigned) client('remote', 'gpg-import', '-k', join(dir, 'key.asc'), 'm');
      const parent = runOk('ostree', [`--repo=${mirror}`, 'rev-parse', `${ref}^`]);
      client('pull', 'm', `${ref}@${parent}`);
      const line = client('pull', 'm', ref);
      expect(line).toMatch(made.withDeltas ? /^1 delta parts/ : /metadata, 1 content objects fetched/);
      expect(client('rev-parse', `m:${ref}`)).toBe(runOk('ostree', [`--repo=${mirror}`, 'rev-parse', ref]));
      expect(ostreeFsck(repo)).toBe('');
      expect(hacktree([`--repo=${repo}`, 'fsck', '--quiet'])).toMatchObject({ status: 0, stdout: '' });
      if (mode !== 'bare') continue;
      client('checkout', `m:${ref}`, join(repo, '../tree'));
      runOk('ostree', [`--repo=${mirror}`, 'checkout', ref, join(repo, '../expected')]);
      expect(compareTrees(join(repo, '../tree'), join(repo, '../expected'), { times: false, linkCounts: false })).toEqual([]);
    }
  });
});

describe('the configuration of nginx in docs/mirrors.md', () => {
  /** The indented block below the heading, without the lines that a test must set itself. */
  function documented(root: string): string {
    const page = fs.readFileSync(join(PROJECT_DIR, 'docs/mirrors.md'), 'utf8');
    const block = /^## nginx\n+((?: {4}.*\n|\n)+)/m.exec(page)?.[1] ?? '';
    expect(block).toContain('server {');
    expect(block).toContain('root /srv/os;');
    const inner = block
      .trim()
      .replace(/^server \{/, '')
      .replace(/\}$/, '');
    return inner
      .replace(/^\s*listen .*;$/m, '')
      .replace(/^\s*root .*;$/m, '')
      .replaceAll('/srv/os', root);
  }

  const headers = (path: string, ...more: string[]): string =>
    runOk('curl', ['--silent', '--show-error', '--dump-header', '-', '--output', '/dev/null', ...more, `${nginx?.url}/${path}`]);

  withTools('serves both tools, says how long files last, and keeps the rest to itself', async () => {
    requireTool('curl');
    const mirror = join(scratchDir(), 'mirror');
    makeMirror('hacktree', mirror, { withDeltas: true, isSigned: true });
    hacktreeOk([`--repo=${mirror}`, 'remote', 'add', 'up', 'http://example.com']);
    hacktreeOk([`--repo=${mirror}`, 'remote', 'gpg-import', '-k', join(dir, 'key.asc'), 'up']);
    hacktreeOk([`--repo=${mirror}`, 'remote', 'add-cookie', 'up', 'example.com', '/', 'a', 'b']);
    nginx = await startNginx(mirror, join(scratchDir(), 'nginx'), documented(mirror));
    for (const puller of ['ostree', 'hacktree'] as const) {
      const repo = join(scratchDir(), 'repo');
      const client = (...args: string[]): string => ok(toolOf(puller)([`--repo=${repo}`, ...args]));
      client('init', '--mode=bare');
      client('remote', 'add', '--set=gpg-verify-summary=true', 'm', nginx.url);
      client('remote', 'gpg-import', '-k', join(dir, 'key.asc'), 'm');
      client('pull', 'm', 'main');
      expect(ostreeFsck(repo)).toBe('');
    }
    const commit = hacktreeOk([`--repo=${mirror}`, 'rev-parse', 'main']);
    const object = (type: string): string => `objects/${commit.slice(0, 2)}/${commit.slice(2)}.${type}`;
    const names = fs.readdirSync(mirror, { recursive: true }).map(String);
    const find = (suffix: string): string => names.find((name) => name.endsWith(suffix)) ?? suffix;
    for (const path of [object('commit'), find('.filez'), find('.dirtree'), find('superblock'), find('.idx')])
      expect([path, headers(path)]).toEqual([path, expect.stringMatching(/ 200 [\s\S]*immutable/)]);
    for (const path of ['summary', 'summary.sig', 'refs/heads/main', find('.index'), find('/current'), object('commitmeta')])
      expect([path, headers(path)]).toEqual([path, expect.stringMatching(/ 200 [\s\S]*no-cache/)]);
    expect(headers('config')).toMatch(/ 200 /);
    expect(headers(find('.filez'), '--range', '2-5')).toMatch(/ 206 [\s\S]*content-length: 4\r/i);
    fs.writeFileSync(join(mirror, 'tmp/secret'), 'x');
    for (const path of ['tmp/secret', '.lock', 'up.trustedkeys.gpg', 'up.cookies.txt'])
      expect([path, fs.existsSync(join(mirror, path)), headers(path)]).toEqual([path, true, expect.stringMatching(/ 404 /)]);
  });
});
