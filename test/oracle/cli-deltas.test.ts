/**
 * `static-delta` beside the real ostree: the same lines say the same, and each applies what the other generates.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeEd25519Keys } from '../helpers/ed25519-keys.ts';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, dropIn, type Outcome } from '../helpers/front-ends.ts';
import { noise } from '../helpers/noise.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { type RunOptions, requireTool, run } from '../helpers/run.ts';
import { copySides, type Sides } from '../helpers/side-by-side.ts';

const withOstree = requireTool('ostree') ? it : it.skip;
const DUMMY = { OSTREE_DUMMY_SIGN_ENABLED: '1' };
const NONE = 'a'.repeat(64);

const start = join(fixtureDir(), 'start');
let from: string;
let to: string;

/** An archive `r` with two commits, a clone `c` of the first one, and a repository `n` with nothing. */
beforeAll(() => {
  const tree = join(start, 'tree');
  mkdirSync(join(tree, 'd'), { recursive: true });
  writeFileSync(join(tree, 'd/big'), noise(300_000, 1));
  writeFileSync(join(tree, 'text'), 'one\n'.repeat(5000));
  initOstreeRepo(join(start, 'r'), 'archive');
  from = ostreeCommit(join(start, 'r'), tree);
  appendFileSync(join(tree, 'd/big'), 'more');
  appendFileSync(join(tree, 'text'), 'two\n');
  writeFileSync(join(tree, 'new'), 'new\n');
  to = ostreeCommit(join(start, 'r'), tree, '--add-detached-metadata-string=note=kept');
  for (const [name, mode] of [
    ['c', 'bare-user'],
    ['n', 'archive'],
  ] as const) {
    initOstreeRepo(join(start, name), mode);
  }
  ostree(join(start, 'c'), 'pull-local', join(start, 'r'), from);
});

/** Runs lines on both sides in order; each must say the same. */
function compareLines(lines: readonly string[][], env: RunOptions['env'] = {}): { sides: Sides; said: Outcome[] } {
  const sides = copySides(start);
  const said = lines.map((line) => {
    const [ours, real] = both(line, sides, { env });
    // The real ostree lists in the order of the directory, and talks of its progress on standard error.
    const plain = ({ status, stdout, message }: Outcome): Outcome => ({
      status,
      stdout: line.includes('list') ? stdout.split('\n').sort().join('\n') : stdout,
      message: status === 0 ? '' : message,
    });
    expect([line, plain(ours)]).toEqual([line, plain(real)]);
    return ours;
  });
  return { sides, said };
}

const delta = (...words: string[]): string[] => ['--repo=r', 'static-delta', ...words];

describe('lines', () => {
  withOstree('list, indexes, delete, if-not-exists', () => {
    compareLines([
      delta('list'),
      delta('indexes'),
      delta('generate', 'main'),
      delta('generate', '-n', 'main'),
      delta('generate', '--empty', '--to=main'),
      delta('list'),
      delta('list', 'extra'),
      delta('reindex'),
      delta('indexes'),
      delta('reindex', `--to=${to}`),
      delta('delete', `${from}-${to}`),
      delta('delete', `${from}-${to}`),
      delta('list'),
      delta('indexes'),
      delta('delete', to),
      delta('reindex', `--to=${from}`),
      delta('indexes'),
      delta('reindex'),
      delta('indexes'),
      ['--repo=r', 'config', 'get', 'core.indexed-deltas'],
    ]);
  });

  withOstree('mistakes', () => {
    compareLines([
      delta('generate'),
      delta('generate', 'nothing'),
      delta('generate', '--from=nothing', 'main'),
      delta('generate', '--from=main', '--empty', 'main'),
      delta('generate', 'main^'),
      delta('generate', '--set-endianness=x', 'main'),
      delta('delete'),
      delta('delete', 'xyz'),
      delta('delete', NONE),
      delta('show'),
      delta('show', 'xyz'),
      delta('verify'),
      delta('verify', '--sign-type=nothing', NONE),
      delta('reindex', '--to=main'),
      delta('apply-offline'),
      ['static-delta', 'unheard-of'],
      delta('list', '--unheard-of'),
    ]);
  });

  withOstree('generate with each option', () => {
    const { sides } = compareLines([
      delta('generate', '--from=main^', '--to=main', '--inline'),
      delta('generate', '--disable-bsdiff', '--max-chunk-size=1', '--min-fallback-size=0', '--max-bsdiff-size=1', 'main'),
      delta('generate', '--set-endianness=B', '--filename=swapped', 'main'),
      delta('generate', '--swap-endianness', '--inline', '--filename=inline', 'main'),
      delta('generate', '--swap-endianness', '--set-endianness=B', '--inline', '--filename=plain', 'main'),
    ]);
    for (const [file, order] of [
      ['inline', 'big'],
      ['plain', 'little'],
    ]) {
      for (const dir of Object.values(sides)) {
        const { stdout } = run('ostree', delta('show', join(dir, file as string)), { cwd: dir });
        expect(stdout).toContain(`Endianness: ${order}`);
      }
    }
  });

  withOstree('show of the same delta', () => {
    const sides = copySides(start);
    for (const args of [['main'], ['--empty', 'main'], ['--from=main', '--set-endianness=B', '--to=main^']]) {
      expect(run('ostree', delta('generate', ...args), { cwd: sides.real }).status).toBe(0);
    }
    for (const name of [`${from}-${to}`, to, `${to}-${from}`]) {
      const line = delta('show', name);
      const real = run('ostree', line, { cwd: sides.real });
      const ours = dropIn(line, { cwd: sides.real });
      expect([ours.status, ours.stdout]).toEqual([0, real.stdout]);
      expect(ours.stdout).toContain(`To: ${name.slice(-64)}`);
    }
  });
});

describe('what one generates the other applies', () => {
  withOstree.each([
    ['a directory', ['main'], 'c'],
    ['inline', ['--inline', 'main'], 'c'],
    ['big-endian', ['--set-endianness=B', 'main'], 'c'],
    ['from scratch', ['--empty', '--min-fallback-size=0', 'main'], 'n'],
  ])('%s', (_, args, client) => {
    const sides = copySides(start);
    mkdirSync(join(sides.ours, 'd'));
    mkdirSync(join(sides.real, 'd'));
    const made = dropIn(delta('generate', '--filename=d/superblock', ...args), { cwd: sides.ours });
    expect(made).toMatchObject({ status: 0 });
    expect(run('ostree', delta('generate', '--filename=d/superblock', ...args), { cwd: sides.real })).toMatchObject({
      status: 0,
    });
    const apply = (path: string): string[] => [`--repo=${client}`, 'static-delta', 'apply-offline', path];
    // The directory or the file, each by the other.
    const byReal = run('ostree', apply(join(sides.ours, 'd')), { cwd: sides.real });
    const byOurs = dropIn(apply(join(sides.real, 'd/superblock')), { cwd: sides.ours });
    expect([byReal.status, byOurs]).toEqual([0, { status: 0, stdout: '', stderr: '' }]);
    for (const dir of Object.values(sides)) {
      const repo = join(dir, client);
      expect(ostree(repo, 'ls', '-RCX', to)).toBe(ostree(join(start, 'r'), 'ls', '-RCX', to));
      expect(ostree(repo, 'show', '--print-detached-metadata-key=note', to)).toBe("'kept'");
      expect(ostreeFsck(repo)).toBe('');
    }
  });

  withOstree('says why one cannot be applied', () => {
    const lines = [
      delta('generate', '--inline', '--filename=small', 'main'),
      ['--repo=n', 'static-delta', 'apply-offline', 'small'],
      ['--repo=n', 'refs'],
    ];
    compareLines(lines);
    const sides = copySides(start);
    run('ostree', delta('generate', '--empty', '--inline', '--filename=whole', 'main'), { cwd: sides.ours });
    const bytes = readFileSync(join(sides.ours, 'whole'));
    bytes[bytes.length - 3000] = (bytes[bytes.length - 3000] as number) ^ 1;
    writeFileSync(join(sides.ours, 'whole'), bytes);
    const broken = dropIn(['--repo=n', 'static-delta', 'apply-offline', 'whole'], { cwd: sides.ours });
    expect(broken.status).toBe(1);
    expect(run('ostree', ['--repo=n', 'show', to], { cwd: sides.ours }).status).toBe(1);
  });
});

describe('signed deltas', () => {
  const dummy = ['--sign-type=dummy'];

  withOstree('by several keys, checked by both', () => {
    compareLines(
      [
        delta('generate', ...dummy, '--sign=K1', '--sign=K2', 'main'),
        delta('generate', '--empty', '--to=main'),
        delta('verify', ...dummy, `${from}-${to}`, 'K1'),
        delta('verify', ...dummy, `${from}-${to}`, 'K3', 'K2'),
        delta('generate', ...dummy, '--inline', '--sign=K1', '--filename=signed', 'main'),
        ['--repo=c', 'static-delta', 'apply-offline', ...dummy, 'signed', 'K1'],
        ['--repo=c', 'show', to],
      ],
      DUMMY,
    );
  });

  withOstree('refuses wrong keys and missing signatures', () => {
    const sides = copySides(start);
    for (const args of [
      ['--sign-type=dummy', '--sign=K1', 'main'],
      ['--empty', 'main'],
      ['--inline', '--sign-type=dummy', '--sign=K1', '--filename=signed', 'main'],
      ['--inline', '--filename=unsigned', 'main'],
    ]) {
      expect(dropIn(delta('generate', ...args), { cwd: sides.ours, env: DUMMY }).status).toBe(0);
    }
    const refused = (repo: string, ...words: string[]): string => {
      const line = [`--repo=${repo}`, 'static-delta', ...words];
      const { status, stdout, stderr } = dropIn(line, { cwd: sides.ours, env: DUMMY });
      expect([line, status]).toEqual([line, 1]);
      return stdout + stderr;
    };
    expect(refused('r', 'verify', ...dummy, `${from}-${to}`, 'K3')).toMatch(/^Verification fails\nerror: /);
    expect(refused('r', 'verify', ...dummy, to, 'K1')).toBe('Verification fails\nerror: no signatures in static-delta\n');
    refused('c', 'apply-offline', ...dummy, 'signed', 'K2');
    refused('c', 'apply-offline', ...dummy, 'unsigned', 'K1');
    dropIn(['--repo=c', 'config', 'set', 'core.sign-verify-deltas', 'true'], { cwd: sides.ours });
    refused('c', 'apply-offline', 'signed');
    refused('c', 'apply-offline', 'unsigned');
    expect(run('ostree', ['--repo=c', 'show', to], { cwd: sides.ours }).status).toBe(1);
  });

  it('signs with ed25519 keys of a file, and checks with keys of a file or a directory', () => {
    const sides = copySides(start);
    const [mine, other] = [makeEd25519Keys(), makeEd25519Keys()];
    writeFileSync(join(sides.ours, 'secret'), `${mine.secret}\n`);
    writeFileSync(join(sides.ours, 'public'), `${other.public}\n${mine.public}\n`);
    mkdirSync(join(sides.ours, 'keys'));
    writeFileSync(join(sides.ours, 'keys/trusted.ed25519'), `${mine.public}\n`);
    const say = (...words: string[]): [number, string] => {
      const { status, stdout } = dropIn(['--repo=r', 'static-delta', ...words], { cwd: sides.ours });
      return [status, stdout.trimEnd().split('\n').at(-1) ?? ''];
    };
    expect(say('generate', '--inline', '--keys-file=secret', 'main')[0]).toBe(0);
    const name = `${from}-${to}`;
    expect(say('verify', name, mine.public)).toEqual([0, 'Verification OK']);
    expect(say('verify', name, '--keys-file=public')).toEqual([0, 'Verification OK']);
    expect(say('verify', name, '--keys-dir=keys')).toEqual([0, 'Verification OK']);
    expect(say('verify', name, other.public)).toEqual([1, 'Verification fails']);
    writeFileSync(join(sides.ours, 'keys/revoked.ed25519'), `${mine.public}\n`);
    expect(say('verify', name, '--keys-dir=keys')).toEqual([1, 'Verification fails']);
  });
});
