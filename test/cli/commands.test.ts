/** What `hacktree` adds to ostree's commands: warnings, dry runs, repair, the content index, limits on nonsense. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hacktree, hacktreeOk, requireTool, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

interface Place {
  readonly repo: string;
  readonly tree: string;
}

/** A repository with two commits of `main`. */
function setUp(mode = 'archive'): Place {
  const base = scratchDir();
  const place = { repo: join(base, 'repo'), tree: join(base, 'tree') };
  mkdirSync(join(place.tree, 'etc'), { recursive: true });
  hacktreeOk(['init', `--mode=${mode}`, place.repo]);
  for (const name of ['one', 'two']) {
    writeFileSync(join(place.tree, 'etc/name'), `${name}\n`);
    writeFileSync(join(place.tree, 'etc/passwd'), 'root:x:0:0::/:\ndaemon:x:7:7::/:\n');
    commit(place, '--branch=main', `--subject=${name}`);
  }
  return place;
}

function commit({ repo, tree }: Place, ...options: string[]): string {
  return hacktreeOk(['commit', `--repo=${repo}`, ...options, tree]);
}

/** Paths of the loose objects with an ending. */
function objects({ repo }: Place, suffix: string): string[] {
  return readdirSync(join(repo, 'objects'), { recursive: true })
    .map((name) => join(repo, 'objects', String(name)))
    .filter((name) => name.endsWith(suffix))
    .sort();
}

describe('commit', () => {
  it('warns when a number means another user, and fails with --strict-ids', () => {
    const place = setUp();
    writeFileSync(join(place.tree, 'etc/passwd'), 'root:x:0:0::/:\nmail:x:7:7::/:\n');
    const loose = hacktree(['commit', `--repo=${place.repo}`, '--branch=main', place.tree]);
    expect([loose.status, loose.stderr]).toEqual([0, expect.stringContaining('warning: uid 7 was daemon, is now mail')]);
    hacktreeOk(['reset', `--repo=${place.repo}`, 'main', 'main^']);
    const strict = hacktree(['commit', `--repo=${place.repo}`, '--branch=main', '--strict-ids', '--exit-code', place.tree]);
    expect([strict.status, strict.stdout, strict.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('uid 7 was daemon, is now mail'),
    ]);
  });

  it('fails for a FIFO, or leaves it out and says so', () => {
    const place = setUp();
    runOk('mkfifo', [join(place.tree, 'etc/fifo')]);
    const args = ['commit', `--repo=${place.repo}`, '--branch=main', place.tree];
    const failed = hacktree(args);
    expect([failed.status, failed.stdout, failed.stderr]).toEqual([1, '', expect.stringContaining('/etc/fifo')]);
    const skipped = hacktree([...args, '--skip-special']);
    expect([skipped.status, skipped.stderr]).toEqual([0, 'warning: left out, a special file: /etc/fifo\n']);
  });

  it('translates owners with --id-map', () => {
    const place = setUp();
    const map = join(place.repo, '../map');
    writeFileSync(map, `uid ${process.getuid?.()} 4711\ngid ${process.getgid?.()} 4712\n`);
    commit(place, '--branch=mapped', `--id-map=${map}`);
    expect(hacktreeOk(['ls', `--repo=${place.repo}`, '-d', 'mapped', '/etc/name'])).toMatch(/^-\d{5} 4711 4712 /);
  });

  it.each([
    [['--branch=b', '--orphan'], '--orphan and --branch exclude each other'],
    [['--branch=b', '--tree=dir=.'], 'PATH and --tree exclude each other'],
    [['--branch=b', '--sign-type=nothing'], "Invalid value 'nothing' for --sign-type"],
    [[], 'A branch must be specified with --branch, or use --orphan'],
  ])('refuses %j', (options, message) => {
    const { repo, tree } = setUp();
    const { status, stderr } = hacktree(['commit', `--repo=${repo}`, ...options, tree]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('refuses a --tar-pathname-filter that is none, where there is a tar', () => {
    const { repo } = setUp();
    const args = ['commit', `--repo=${repo}`, '--branch=b', '--tar-pathname-filter=x', '--tree=tar=/dev/null'];
    const { status, stderr } = hacktree(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining("Bad option for tar-pathname-filter: 'x'")]);
  });

  const withGpg = requireTool('gpg') ? it : it.skip;
  withGpg('signs with GnuPG and with bare keys', () => {
    const place = setUp();
    const home = join(scratchDir(), 'gnupg');
    mkdirSync(home, { mode: 0o700 });
    chmodSync(home, 0o700);
    const gpg = [
      '--homedir',
      home,
      '--batch',
      '--passphrase',
      '',
      '--quick-generate-key',
      'Test <test@example.org>',
      'rsa2048',
      'sign',
      'never',
    ];
    runOk('gpg', gpg);
    const dummy = { env: { OSTREE_DUMMY_SIGN_ENABLED: '1' } };
    const options = [`--gpg-homedir=${home}`, '--gpg-sign=test@example.org', '--sign-type=dummy', '--sign=secret'];
    hacktreeOk(['commit', `--repo=${place.repo}`, '--branch=signed', ...options, place.tree], dummy);
    run('gpgconf', ['--homedir', home, '--kill', 'all']);
    const keys = hacktreeOk(['show', `--repo=${place.repo}`, '--list-detached-metadata-keys', 'signed']);
    expect(keys.split('\n')).toEqual(['ostree.gpgsigs', 'ostree.sign.dummy']);
  });
});

describe('prune --dry-run', () => {
  it('says what would go and leaves it', () => {
    const place = setUp();
    const before = objects(place, '').length;
    const args = ['prune', `--repo=${place.repo}`, '--refs-only', '--depth=0'];
    const dry = hacktreeOk([...args, '--dry-run']);
    expect(dry).toMatch(
      /^Total objects: \d+\nWould delete commit [0-9a-f]{64}\nWould delete: 4 objects, freeing .*\nDisk space: .* would be freed$/,
    );
    expect(objects(place, '').length).toBe(before);
    expect(hacktreeOk(args)).toMatch(/^Total objects: \d+\nDeleted 4 objects, .* freed\nDisk space: .* freed$/);
    expect(hacktreeOk(['fsck', `--repo=${place.repo}`, '--quiet'])).toBe('');
  });

  it('lists every object on request', () => {
    const { repo } = setUp();
    const { stderr } = hacktree(['prune', `--repo=${repo}`, '--refs-only', '--depth=0', '--dry-run', '--verbose']);
    expect(stderr.match(/^[0-9a-f]{64}\.(?:commit|dirtree|file) \(\d+ bytes\)$/gm)).toHaveLength(4);
  });
});

describe('fsck', () => {
  it('names refs and paths, and repairs from another repository', () => {
    const place = setUp();
    const mirror = join(place.repo, '../mirror');
    runOk('cp', ['-a', place.repo, mirror]);
    const [, , , , checksum = ''] = hacktreeOk(['ls', `--repo=${place.repo}`, '-C', 'main', '/etc/passwd']).split(/ +/);
    rmSync(join(place.repo, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.filez`));
    const found = hacktree(['fsck', `--repo=${place.repo}`]);
    expect(found.status).toBe(1);
    expect(found.stderr).toMatch(/^Object missing in commits .*\n {2}refs: main\n {2}path: \/etc\/\w+\n/);
    expect(found.stderr).toMatch(/error: Repository corruption encountered\n$/);
    const repaired = hacktree(['fsck', `--repo=${place.repo}`, '--repair', `--from=${mirror}`]);
    expect([repaired.status, repaired.stdout]).toEqual([0, expect.stringMatching(/ - 1 errors repaired\.\n$/)]);
    expect(hacktree(['fsck', `--repo=${place.repo}`, '-q'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('wants --repair and --from together', () => {
    const { repo } = setUp();
    expect(hacktree(['fsck', `--repo=${repo}`, '--repair']).status).toBe(2);
    expect(hacktree(['fsck', `--repo=${repo}`, '--from=x']).status).toBe(2);
  });
});

describe('du', () => {
  it('says what refs, commits and paths need alone and with others', () => {
    const { repo } = setUp();
    const all = hacktreeOk(['du', `--repo=${repo}`, '--apparent-size']);
    expect(all).toMatch(/^Total: .* in \d+ objects\nNeeded by no commit: 0 bytes in 0 objects\n/);
    expect(all).toMatch(/^ +\d\S* \S+ +0 bytes {2}main \(2 commits\)$/m);
    expect(all.match(/^ .* {2}[0-9a-f]{64} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:\[main\] two|one)$/gm)).toHaveLength(2);
    const paths = hacktreeOk(['du', `--repo=${repo}`, '--apparent-size', 'main', '/etc']);
    expect(paths).toMatch(/^ +EXCLUSIVE +SHARED {2}PATH\n .* {2}\/etc\/name\n +0 bytes .* {2}\/etc\/passwd$/);
  });
});

describe('index', () => {
  it('finds content by file and by digest, rebuilds and checks', () => {
    const place = setUp();
    const file = join(place.tree, 'etc/passwd');
    const digest = runOk('sha256sum', [file]).slice(0, 64);
    const byFile = hacktreeOk(['index', 'find', `--repo=${place.repo}`, file]);
    expect(byFile).toMatch(
      /^object [0-9a-f]{64} {2}0\d+ \d+:\d+ \d+ bytes\n {2}commit .*\n {2}commit .*\n {2}path \/etc\/passwd$/,
    );
    expect(hacktreeOk(['index', 'find', `--repo=${place.repo}`, digest])).toBe(byFile);
    expect(hacktreeOk(['index', 'find', `--repo=${place.repo}`, '0'.repeat(64)])).toBe('');
    expect(hacktreeOk(['index', 'rebuild', `--repo=${place.repo}`])).toBe('3 contents of 3 file objects indexed');
    expect(hacktreeOk(['index', 'check', `--repo=${place.repo}`])).toContain('3 records of 3 contents in 1 segments');
  });
});

describe('export', () => {
  it('writes a file, with a directory as prefix, and leaves none behind when it fails', () => {
    const place = setUp();
    const tar = join(place.repo, '../out.tar');
    hacktreeOk(['export', `--repo=${place.repo}`, '--prefix=a/b', `--output=${tar}`, 'main']);
    expect(runOk('tar', ['--list', '--file', tar]).split('\n')).toEqual(['a/b/', 'a/b/etc/', 'a/b/etc/name', 'a/b/etc/passwd']);
    copyFileSync(tar, `${tar}.kept`);
    rmSync(objects(place, '.filez')[0] ?? '');
    rmSync(objects(place, '.filez')[0] ?? '');
    expect(hacktree(['export', `--repo=${place.repo}`, `--output=${tar}`, 'main']).status).toBe(1);
    expect([existsSync(tar), existsSync(`${tar}.kept`)]).toEqual([false, true]);
  });
});

describe('show and log', () => {
  it('print less or more than ostree on request', () => {
    const { repo } = setUp();
    expect(hacktreeOk(['log', `--repo=${repo}`, '-n', '1', 'main']).match(/^commit /gm)).toHaveLength(1);
    expect(hacktreeOk(['show', `--repo=${repo}`, '--list-metadata-keys', 'main'])).toBe('ostree.ref-binding');
  });
});

it('says what is wrong with a configuration instead of writing it', () => {
  const { repo } = setUp();
  const { status, stderr } = hacktree(['config', 'set', 'core.fsync', 'perhaps', `--repo=${repo}`]);
  expect([status, stderr]).toEqual([1, expect.stringContaining("Invalid value 'perhaps' of core.fsync")]);
  expect(hacktree(['refs', `--repo=${repo}`]).status).toBe(0);
});
