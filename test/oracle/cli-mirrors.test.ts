/** `remote` and `summary` beside the real ostree: configuration, keys, cookies, what mirrors offer. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, dropIn, type Outcome } from '../helpers/front-ends.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { type Nginx, startNginx } from '../helpers/nginx.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { type RunOptions, requireTool, run } from '../helpers/run.ts';
import { compareSides, copySides } from '../helpers/side-by-side.ts';

const isReady = requireTool('ostree', 'nginx', 'gpg');
const withTools = isReady ? it : it.skip;

const base = fixtureDir();
const start = join(base, 'start');
let nginx: Nginx;
let home: GpgHome;
let key: string;

/** A mirror with two refs and a signed summary, behind nginx; a repository with remotes of all kinds; keys in files. */
beforeAll(async () => {
  if (!isReady) return;
  home = makeGpgHome();
  key = home.makeKey('Good <good@example.com>');
  const other = home.makeKey('Other <other@example.org>');
  const mirror = join(base, 'mirror');
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'tree/file'), 'content\n');
  initOstreeRepo(mirror, 'archive');
  ostreeCommit(mirror, join(base, 'tree'), '--add-metadata-string=version=1.0');
  ostreeCommit(mirror, join(base, 'tree'), '--branch=os/other');
  ostree(mirror, 'summary', '-u', '-m', "x.y=('z', 7)", `--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`);
  mkdirSync(join(base, 'empty'));
  nginx = await startNginx(base, join(base, 'nginx'));
  mkdirSync(start);
  writeFileSync(join(start, 'good.asc'), home.gpg(['--armor', '--export', key]));
  writeFileSync(join(start, 'good.gpg'), home.gpg(['--export', key]));
  writeFileSync(join(start, 'both.gpg'), home.gpg(['--export', key, other]));
  const repo = join(start, 'r');
  initOstreeRepo(repo, 'archive');
  ostreeCommit(repo, join(base, 'tree'), '--add-metadata-string=version=1.0');
  ostree(repo, 'static-delta', 'generate', '--empty', 'main');
  const add = (...args: string[]): void => void ostree(repo, 'remote', 'add', ...args);
  add('--no-gpg-verify', 'm', `${nginx.url}/mirror`);
  add('--no-gpg-verify', 'longer-name', `${nginx.url}/empty`);
  add('--set=gpg-verify-summary=true', 'signed', `${nginx.url}/mirror`);
  ostree(repo, 'remote', 'gpg-import', '-k', join(start, 'good.asc'), 'signed');
  add('--set=gpg-verify-summary=true', 'keyless', `${nginx.url}/mirror`);
});

afterAll(async () => {
  await nginx?.stop();
  home?.remove();
});

function compare(args: readonly string[], prepare?: (dir: string) => void, env?: RunOptions['env']): Outcome {
  return compareSides(args, { start, prepare, env, names: ['r'] });
}

describe('remote add, delete, show-url, list', () => {
  withTools('take the repository of a system root', () => {
    const dirs = { real: join(base, 'sysroot-real'), ours: join(base, 'sysroot-ours') };
    const tools = { real: (args: string[]) => run('ostree', args), ours: (args: string[]) => dropIn(args) };
    const results = (['real', 'ours'] as const).map((side) => {
      mkdirSync(dirs[side]);
      expect(run('ostree', ['admin', 'init-fs', dirs[side]]).status).toBe(0);
      const call = (...args: string[]): number => tools[side](['remote', ...args]).status;
      const at = `--sysroot=${dirs[side]}`;
      const statuses = [call('add', at, 'one', 'http://x/'), call('add', at, 'two', 'http://y/'), call('delete', at, 'one')];
      return [statuses, readFileSync(join(dirs[side], 'ostree/repo/config'), 'utf8')];
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[0]?.[0]).toEqual([0, 0, 0]);
  });

  withTools.each([
    [['add']],
    [['add', 'new']],
    [['add', 'new', 'http://example.com/os']],
    [['add', 'new', 'http://example.com/os', 'a', 'b/c']],
    [['add', 'new', 'metalink=http://example.com/os.metalink', 'a']],
    [['add', 'new', 'mirrorlist=http://example.com/list']],
    [['add', 'new', 'file:///nowhere', '--no-gpg-verify']],
    [['add', 'new', 'http://example.com', '--no-sign-verify']],
    [['add', 'new', 'http://example.com', '--set=a=b=c', '--set=tls-permissive=true', '--set=gpg-verify=false']],
    [['add', 'new', 'http://example.com', '--set=a']],
    [['add', 'new', 'http://example.com', '--contenturl=http://example.org', '--collection-id=org.example.Os']],
    [['add', 'new', 'http://example.com', '--custom-backend=ociarchive']],
    [['add', 'new', '--custom-backend=ociarchive']],
    [['add', 'new', 'http://example.com', '--sign-verify=dummy=inline:abc=']],
    [['add', 'new', 'http://example.com', '--sign-verify=dummy=file:/keys', '--no-gpg-verify']],
    [['add', 'new', 'http://example.com', '--sign-verify=dummy']],
    [['add', 'new', 'http://example.com', '--sign-verify=dummy=else:k']],
    [['add', 'new', 'http://example.com', '--sign-verify=nothing=inline:k']],
    [['add', 'new', 'http://example.com', '--sign-verify=dummy=inline:k', '--no-sign-verify']],
    [['add', 'm', 'http://example.com']],
    [['add', 'm', 'http://example.com', '--if-not-exists']],
    [['add', 'm', 'http://example.com', '--force', 'x']],
    [['add', 'm', 'http://example.com', '--force', '--if-not-exists']],
    [['add', 'bad/name', 'http://example.com']],
    [['add', 'new', 'http://example.com', '--sysroot=/nowhere']],
    [['add', '-bad', 'http://example.com']],
    [['delete']],
    [['delete', 'm']],
    [['delete', 'signed']],
    [['delete', 'nothing']],
    [['delete', '--if-exists', 'nothing']],
    [['delete', '--if-exists', 'm']],
    [['show-url']],
    [['show-url', 'm']],
    [['show-url', 'nothing']],
    [['list']],
    [['list', '-u']],
    [['list', '--show-urls']],
  ])('%j', (args) => {
    compare(['remote', ...args]);
  });

  withTools('of a remote without a URL', () => {
    const addMetalink = (dir: string): void => {
      ostree(join(dir, 'r'), 'remote', 'add', 'n', 'metalink=http://example.com/os.metalink');
    };
    compare(['remote', 'show-url', 'n'], addMetalink);
    compare(['remote', 'list', '-u'], addMetalink);
    compare(['remote', 'refs', 'n', '--bad'], addMetalink);
  });
});

describe('remote refs and summary', () => {
  withTools.each([
    [['refs']],
    [['refs', 'm']],
    [['refs', 'signed']],
    [['refs', 'longer-name']],
    [['refs', 'nothing']],
    [['summary']],
    [['summary', 'longer-name']],
    [['summary', 'nothing']],
    [['summary', '--raw', 'm']],
    [['summary', '--raw', 'signed']],
  ])('%j', (args) => {
    compare(['remote', ...args]);
  });

  withTools.each([['m'], ['signed']])('summary %s, whose metadata ostree lists in the order of a hash table', (name) => {
    const [ours, real] = both(['--repo=r', 'remote', 'summary', name], copySides(start));
    const sorted = ({ stdout, ...rest }: Outcome): object => ({ ...rest, lines: stdout.split('\n').sort() });
    expect(sorted(ours)).toEqual(sorted(real));
    expect(ours.stdout).toContain('Version (ostree.commit.version): 1.0');
    expect(ours.stdout.includes('Good signature from "Good <good@example.com>"')).toBe(name === 'signed');
  });

  withTools('refuse a summary signed by an unknown key', () => {
    const [ours, real] = both(['--repo=r', 'remote', 'refs', 'keyless'], copySides(start));
    expect([real.status, ours.status]).toEqual([1, 1]);
    expect([real.stdout, ours.stdout]).toEqual(['', '']);
    expect(ours.message).toContain('public key not found');
  });

  withTools('keep the summary in a directory of the caller', () => {
    const sides = copySides(start);
    for (const dir of Object.values(sides)) mkdirSync(join(dir, 'cache'));
    const [ours, real] = both(['--repo=r', 'remote', 'refs', '--cache-dir=cache', 'signed'], sides);
    expect(ours).toEqual(real);
    for (const name of ['signed', 'signed.sig'])
      expect(readFileSync(join(sides.ours, 'cache/summaries', name))).toEqual(
        readFileSync(join(sides.real, 'cache/summaries', name)),
      );
  });
});

describe('remote gpg-import and gpg-list-keys', () => {
  withTools.each([
    [['gpg-import']],
    [['gpg-import', 'm', '-k', 'good.asc']],
    [['gpg-import', 'm', '--keyring=good.gpg', '--keyring=both.gpg']],
    [['gpg-import', 'signed', '--keyring=good.asc']],
    [['gpg-import', 'signed', '--keyring=both.gpg']],
    [['gpg-import', 'nothing', '-k', 'good.asc']],
    [['gpg-import', 'm', '-k', 'good.asc', '--stdin']],
    [['gpg-list-keys', 'm']],
    [['gpg-list-keys', 'nothing']],
  ])('%j', (args) => {
    const sides = copySides(start);
    const [ours, real] = both(['--repo=r', 'remote', ...args], sides);
    expect(ours).toEqual(real);
    const list = (dir: string): string => run('ostree', ['--repo=r', 'remote', 'gpg-list-keys', 'm'], { cwd: dir }).stdout;
    const listed = (dir: string): string[] => list(dir).split('\n').sort();
    expect(listed(sides.ours)).toEqual(listed(sides.real));
  });

  withTools('import the keys that are named, also from standard input and from the keyring of GnuPG', () => {
    // The real ostree does not see GNUPGHOME; both see a home that has nothing.
    const env = { HOME: base };
    for (const [args, options] of [
      [['-k', 'both.gpg', 'm', key.slice(-16)], {}],
      [['--stdin', 'm'], { input: home.gpg(['--export', key]) }],
      [['m'], { env }],
    ] as [string[], RunOptions][]) {
      const sides = copySides(start);
      const [ours, real] = both(['--repo=r', 'remote', 'gpg-import', ...args], sides, options);
      expect([args, ours]).toEqual([args, real]);
      const [listed, expected] = both(['--repo=r', 'remote', 'gpg-list-keys', 'm'], sides);
      const sorted = ({ stdout }: Outcome): string[] => stdout.split('\n').sort();
      expect(sorted(listed)).toEqual(sorted(expected));
    }
  });

  withTools('import from the keyring of the user', () => {
    const { ours } = copySides(start);
    const options = { cwd: ours, env: { GNUPGHOME: home.dir } };
    const { stdout } = dropIn(['--repo=r', 'remote', 'gpg-import', 'm', key], options);
    expect(stdout).toBe('Imported 1 GPG key to remote "m"\n');
    expect(run('ostree', ['--repo=r', 'remote', 'gpg-list-keys', 'm'], options).stdout).toContain(`Key: ${key}\n`);
  });

  withTools('import while adding', () => {
    const [ours, real] = both(
      ['--repo=r', 'remote', 'add', '--gpg-import=both.gpg', 'new', 'http://example.com'],
      copySides(start),
    );
    expect(ours).toEqual(real);
    const [bad, expected] = both(['--repo=r', 'remote', 'add', '--gpg-import=none', 'new', 'http://a'], copySides(start));
    expect(bad).toEqual(expected);
  });
});

describe('remote cookies', () => {
  /** The jar without the times, which are 25 years from now. */
  const jar = (dir: string): string => readFileSync(join(dir, 'r/m.cookies.txt'), 'utf8').replace(/\t\d{10}\t/g, '\tTIME\t');

  withTools('add and delete', () => {
    const sides = copySides(start);
    const step = (...args: string[]): Outcome => {
      const [ours, real] = both(['--repo=r', 'remote', ...args], sides);
      expect([args, ours]).toEqual([args, real]);
      return ours;
    };
    step('add-cookie', 'm');
    step('add-cookie', 'm', 'example.com', '/', 'session', 'abc');
    step('add-cookie', 'm', '.example.org', '/os', 'other', 'd e f');
    expect(jar(sides.ours)).toBe(jar(sides.real));
    step('delete-cookie', 'm', 'example.com', '/');
    step('delete-cookie', 'm', 'example.com', '/', 'session');
    expect(jar(sides.ours)).toBe(jar(sides.real));
    expect(step('delete-cookie', 'm', 'example.com', '/', 'session').status).toBe(1);
    step('list-cookies');
  });
});

describe('summary', () => {
  withTools.each([[[]], [['-u', '-m', 'x']], [['-u', '--sign-type=q', '--sign=x']]])('%j', (args) => {
    const { status } = compare(['summary', ...args]);
    expect(status).toBe(1);
  });

  withTools.each([[['-v']], [['--raw']], [['-u', '-m', 'x=bad value']]])('%j fails, in words of its own', (args) => {
    const [ours, real] = both(['--repo=r', 'summary', ...args], copySides(start));
    expect([ours.status, ours.stdout]).toEqual([real.status, real.stdout]);
    expect(ours.status).toBe(1);
    if (args.length === 1) expect(ours.message.split(': ').at(-1)).toBe(real.message.split(': ').at(-1));
  });

  /** 2022.7 and hacktree both write the time of writing, which is taken out. */
  const lines = (text: string): string[] =>
    text
      .replace(/Last-Modified.*/, 'Last-Modified')
      .replace(/(last-modified': <uint64) \d+/, '$1')
      .split('\n')
      .sort();

  withTools.each([
    [['-u']],
    [['-u', '-m', "a.b='c'", '-m', 'n=uint32 7']],
    [['-u', "--add-metadata=deep={'k': <[(1, true)]>}"]],
    [['--update', '--sign-type=dummy', '--sign=KEY']],
  ])('%j writes what both show alike', (args) => {
    const sides = copySides(start);
    const env = { OSTREE_DUMMY_SIGN_ENABLED: '1' };
    const [ours, real] = both(['--repo=r', 'summary', ...args], sides, { env });
    expect(ours).toEqual(real);
    for (const view of ['-v', '--raw']) {
      const [shown, expected] = both(['--repo=r', 'summary', view], sides);
      expect(lines(shown.stdout)).toEqual(lines(expected.stdout));
      // Each shows the other's file too.
      const crossed = both(['--repo=r', 'summary', view], { ours: sides.real, real: sides.ours });
      expect(lines(crossed[0].stdout)).toEqual(lines(crossed[1].stdout));
    }
    const config = (dir: string): string => readFileSync(join(dir, 'r/config'), 'utf8');
    expect(config(sides.ours)).toBe(config(sides.real));
  });

  withTools('signed with GnuPG verifies in the other', () => {
    const sides = copySides(start);
    const [ours, real] = both(['--repo=r', 'summary', '-u', `--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`], sides);
    expect(ours).toEqual(real);
    for (const dir of Object.values(sides)) {
      ostree(join(dir, 'r'), 'remote', 'add', '--set=gpg-verify-summary=true', 'o', `file://${sides.ours}/r`);
      ostree(join(dir, 'r'), 'remote', 'gpg-import', '-k', join(start, 'good.asc'), 'o');
    }
    const [shown, expected] = both(['--repo=r', 'remote', 'summary', 'o'], sides);
    expect(lines(shown.stdout)).toEqual(lines(expected.stdout));
    expect(shown.stdout).toContain('Good signature');
  });

  withTools('of a collection also writes the ref that describes it', () => {
    const setId = (dir: string): void => void ostree(join(dir, 'r'), 'config', 'set', 'core.collection-id', 'org.example.Os');
    const sides = copySides(start);
    for (const dir of Object.values(sides)) setId(dir);
    const [ours, real] = both(['--repo=r', 'summary', '-u', '-m', "a='b'"], sides);
    expect(ours).toEqual(real);
    const facts = (dir: string): string[] =>
      ostree(join(dir, 'r'), 'show', '--raw', 'ostree-metadata')
        .replace(/uint64 \d+/, '')
        .split('\n')
        .slice(1);
    expect(facts(sides.ours)).toEqual(facts(sides.real));
    const [shown, expected] = both(['--repo=r', 'summary', '-v'], sides);
    const general = (text: string): string[] =>
      lines(text.replace(/[0-9a-f]{64}/g, 'CHECKSUM').replace(/\d{4}-\d\d-\d\dT\S+/g, 'TIME'));
    expect(general(shown.stdout)).toEqual(general(expected.stdout));
  });
});

describe('a repository that wants its summary kept up', () => {
  const ask = (dir: string): void => void ostree(join(dir, 'r'), 'config', 'set', 'core.auto-update-summary', 'true');

  withTools.each([
    [['commit', '-b', 'new', '--orphan', '--timestamp=@5', '.']],
    [['commit', '-b', 'new', '--timestamp=@5', '.']],
    [['pull', '--mirror', 'm']],
    [['refs', '--create=copy', 'main']],
  ])('%j', (args) => {
    const sides = copySides(start);
    for (const dir of Object.values(sides)) {
      ask(dir);
      mkdirSync(join(dir, 't'));
    }
    const line = args.map((word) => (word === '.' ? 't' : word));
    const [ours, real] = both(['--repo=r', ...line], sides);
    expect([ours.status, ours.message]).toEqual([real.status, real.message]);
    const [shown, expected] = both(['--repo=r', 'summary', '-v'], sides);
    expect(shown.stdout.split('\n').filter((text) => text.startsWith('* '))).toEqual(
      expected.stdout.split('\n').filter((text) => text.startsWith('* ')),
    );
  });
});

withTools('commit writes a ref of a remote', () => {
  const tree = (dir: string): void => {
    mkdirSync(join(dir, 't'));
    writeFileSync(join(dir, 't/f'), 'x');
  };
  compare(['commit', '--branch=m:deep/ref', '--timestamp=@5', 't'], tree);
  compare(['commit', '--branch=m:', '--timestamp=@5', 't'], tree);
});
