/** `find-remotes`, `create-usb` and `ostree-metadata` beside the real ostree. */
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findRemotes } from '../../src/remote/index.ts';
import { openRepo } from '../../src/repo/index.ts';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, dropIn, type Outcome } from '../helpers/front-ends.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { ostree, ostreeFsck } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { copySides, type Sides } from '../helpers/side-by-side.ts';

const isReady = requireTool('ostree', 'gpg');
const withTools = isReady ? it : it.skip;
const base = fixtureDir();
const start = join(base, 'start');
const source = join(base, 'source');
const OS = 'org.example.Os';
let gnupg: GpgHome;
let commit: string;

/** A signed repository `source` of the collection, and a client `r` whose remote `os` has that collection ID. */
beforeAll(() => {
  if (!isReady) return;
  gnupg = makeGpgHome();
  const key = gnupg.makeKey('Os <os@example.com>', 'rsa2048', 'sign', 'never');
  writeFileSync(join(base, 'ring.gpg'), gnupg.gpg(['--export']));
  const sign = [`--gpg-homedir=${gnupg.dir}`, `--gpg-sign=${key}`];
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'tree/file'), 'content\n');
  ostree(source, 'init', '--mode=archive', `--collection-id=${OS}`);
  commit = ostree(source, 'commit', '--branch=main', '--timestamp=@1700000000', ...sign, join(base, 'tree'));
  ostree(source, 'commit', '--branch=second', '--timestamp=@1700000000', ...sign, join(base, 'tree'));
  ostree(source, 'commit', '--branch=unsigned', '--timestamp=@1700000000', join(base, 'tree'));
  ostree(source, 'summary', '-u');
  mkdirSync(start);
  const client = join(start, 'r');
  ostree(client, 'init', '--mode=bare-user');
  ostree(client, 'remote', 'add', `--collection-id=${OS}`, `--gpg-import=${join(base, 'ring.gpg')}`, 'os', `file://${source}`);
  ostree(client, 'remote', 'add', '--collection-id=org.example.Gone', 'gone', `file://${base}/nothing`);
  mkdirSync(join(start, 'disk'));
});

afterAll(() => gnupg?.remove());

function compare(sides: Sides, ...line: string[]): Outcome {
  const [ours, real] = both(line, sides);
  expect([line, ours]).toEqual([line, real]);
  return ours;
}

describe('find-remotes', () => {
  withTools('finds configured remotes, and complains as ostree does', () => {
    const sides = copySides(start);
    const find = (...words: string[]): Outcome => compare(sides, '--repo=r', 'find-remotes', ...words);
    expect(find('--finders=config', OS, 'main').stdout).toContain(`(${OS}, main) = ${commit}`);
    find('--finders=config', OS, 'nothing');
    find('--finders=config', 'org.example.Other', 'main');
    find('--finders=config', 'org.example.Gone', 'main');
    find('--finders=mount', OS, 'main');
    find('--finders=nothing', OS, 'main');
    find('--finders=config,config', OS, 'main');
    find('--finders=', OS, 'main');
    find('--finders=config', '--mirror', OS, 'main');
    find('--finders=config', 'bad', 'main');
    find(OS);
    find();
  });

  withTools('pulls what is signed, into refs of the remote or into mirrored ones', () => {
    const sides = copySides(start);
    const find = (...words: string[]): Outcome => compare(sides, '--repo=r', 'find-remotes', '--finders=config', ...words);
    expect(find('--pull', OS, 'main').stdout).toContain('Pulled 1/1 refs successfully.');
    compare(sides, '--repo=r', 'refs', '-c');
    find('--pull', '--mirror', '--disable-fsync', OS, 'second');
    expect(find('--pull', OS, 'unsigned').status).toBe(1);
    for (const dir of Object.values(sides)) {
      const repo = join(dir, 'r');
      expect(ostree(repo, 'rev-parse', 'os:main')).toBe(commit);
      expect(ostree(repo, 'refs').split('\n')).toEqual(['os:main']);
      expect(ostree(repo, 'refs', '-c').split('\n').sort()).toEqual([`(${OS}, main)`, `(${OS}, second)`]);
      expect(ostreeFsck(repo)).toBe('');
    }
  });
});

describe('create-usb', () => {
  withTools('makes what ostree makes', () => {
    const sides = copySides(start);
    const make = (...words: string[]): Outcome => compare(sides, `--repo=${source}`, 'create-usb', 'disk', ...words);
    make(OS, 'main');
    make(OS, 'main', OS, 'second');
    make('--destination-repo=elsewhere/repo', `--commit=${commit}`, OS, 'main');
    make('--destination-repo=elsewhere/repo', '--disable-fsync', OS, 'second');
    make(OS, 'nothing');
    make('bad', 'main');
    make(OS);
    make();
    compare(sides, `--repo=${source}`, 'create-usb', 'nothing', OS);
    const refs = (repo: string): string[] => ostree(repo, 'refs', '-c').split('\n').sort();
    for (const dir of Object.values(sides)) {
      const link = join(dir, 'disk/.ostree/repos.d/00-generated');
      expect(readlinkSync(link)).toBe('../../elsewhere/repo');
      for (const repo of [join(dir, 'disk/.ostree/repo'), join(dir, 'disk/elsewhere/repo')]) {
        expect(refs(repo)).toEqual([`(${OS}, main)`, `(${OS}, second)`]);
        expect(ostreeFsck(repo)).toBe('');
        expect(ostree(repo, 'config', 'get', 'core.mode')).toBe('archive-z2');
        expect(run('ostree', [`--repo=${repo}`, 'summary', '-v']).stdout).toContain(`* (${OS}, main)`);
      }
    }
  });

  withTools('is found on a mounted disk, whose commits need a signature', async () => {
    const sides = copySides(start);
    expect(dropIn([`--repo=${source}`, 'create-usb', 'disk', OS, 'main'], { cwd: sides.ours }).status).toBe(0);
    const repo = openRepo(join(sides.ours, 'r'));
    const wanted = [{ collection: OS, ref: 'main' }];
    const found = await findRemotes(repo, wanted, { finders: ['config', 'mount'], mounts: [join(sides.ours, 'disk')] });
    expect(found.map(({ finder, keyring, priority, url }) => [finder, keyring, priority, url])).toEqual([
      ['mount', 'os', 50, `file://${join(sides.ours, 'disk/.ostree/repo')}`],
      ['config', 'os', 100, `file://${source}`],
    ]);
    expect(found[0]?.refs).toEqual([{ collection: OS, ref: 'main', commit }]);
  });
});

withTools('summary -u commits to ostree-metadata where there is a collection ID', () => {
  const sides = copySides(base);
  for (const line of [
    ['--repo=source', 'summary', '-u', "--add-metadata=extra='text'"],
    ['--repo=source', 'show', '--print-metadata-key=extra', 'ostree-metadata'],
    ['--repo=source', 'show', '--print-metadata-key=ostree.collection-binding', 'ostree-metadata'],
    ['--repo=source', 'ls', '-RCX', 'ostree-metadata'],
    ['--repo=source', 'refs', '-c'],
    ['--repo=source', 'rev-parse', 'ostree-metadata^'],
  ]) {
    const [ours, real] = both(line, sides);
    const sorted = ({ stdout, ...rest }: Outcome): unknown => ({ ...rest, stdout: stdout.split('\n').sort() });
    expect([line, sorted(ours)]).toEqual([line, sorted(real)]);
  }
  expect(ostreeFsck(join(sides.ours, 'source'))).toBe('');
});
