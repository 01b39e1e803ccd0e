/**
 * Options, arguments, help and mistakes: the drop-in against the real ostree, line by line.
 *
 * Compared are exit status, standard output, and the last line of standard error. Help is compared by its options and
 * commands, since its sentences are our own.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isIn } from '../../src/commands/spec.ts';
import { COMMANDS } from '../../src/commands/table/index.ts';
import { both, copyRepo, dropIn } from '../helpers/front-ends.ts';
import { initOstreeRepo, ostreeCommit } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;

/** A repository `r` with a ref `x`, once for each side. */
function setUp(): { real: string; ours: string } {
  const base = scratchDir();
  const dirs = { real: join(base, 'real'), ours: join(base, 'ours') };
  mkdirSync(dirs.real);
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'tree/a'), 'hi\n');
  initOstreeRepo(join(dirs.real, 'r'), 'bare-user');
  ostreeCommit(join(dirs.real, 'r'), join(base, 'tree'), '--branch=x');
  copyRepo(dirs.real, dirs.ours);
  return dirs;
}

describe('lines as ostree cuts them', () => {
  withOstree.each([
    ['--repo=r', 'rev-parse', 'x'],
    ['rev-parse', '--repo', 'r', 'x'],
    ['rev-parse', 'x', '--repo', 'r'],
    ['rev-parse', '--repo=nothing', 'x', '--repo=r'],
    ['--repo=nothing', 'rev-parse', 'x', '--repo=r'],
    ['rev-parse', '--repo=r', '--', 'x'],
    ['rev-parse', '--repo=r', 'x', '--', 'x'],
    ['rev-parse', '--repo=r', '--', '--', 'x'],
    ['rev-parse', '--', 'x', '--repo=r'],
    ['--', 'rev-parse', '--repo=r', 'x'],
    ['--repo', 'r', 'rev-parse', 'x'],
    ['-v', 'refs', '--repo=r'],
    ['refs', '-vv', '--repo=r'],
    ['refs', '--repo=r', '-vA'],
    ['refs', '--repo=r', '-vz'],
    ['refs', '--repo=r', '-A=3'],
    ['refs', '--repo=r', '--list=3', 'x'],
    ['refs', '--repo=r', '--lis'],
    ['refs', '--repo=r', '---list'],
    ['refs', '--repo=r', '--=list'],
    ['refs', '--repo'],
    ['refs', '--repo=nothing'],
    ['refs', '--bogus', '--repo=r'],
    ['refs', '--bogus=3', '--help'],
    ['rev-parse', '--repo=r'],
    ['rev-parse', '--repo=r', 'x', 'x'],
    ['rev-parse', '--repo=r', 'nothing'],
    ['rev-parse', '--repo=r', 'x^'],
    ['rev-parse', '--repo=r', '-'],
    ['rev-parse', '-S', '--repo=r'],
    ['rev-parse', '-S', '--repo=r', 'x'],
    ['rev-parse'],
    ['reset', '--repo=r', 'x'],
    ['reset', '--repo=r', 'nothing', 'x'],
    ['reset', '--repo=r', 'x', 'nothing'],
    ['config', '--repo=r'],
    ['config', '--repo=r', 'get'],
    ['config', '--repo=r', 'gte', 'core.mode'],
    ['config', '--repo=r', 'get', 'core.mode'],
    ['config', '--repo=r', 'get', 'core.mode', 'b', 'c'],
    ['config', '--repo=r', 'get', 'mode'],
    ['config', '--repo=r', 'get', 'core.nothing'],
    ['config', '--repo=r', 'get', 'nothing.mode'],
    ['config', '--repo=r', 'get', '--group=core', 'mode'],
    ['config', '--repo=r', 'set', 'core.mode'],
    ['config', '--repo=r', 'set', '--group=core', 'mode'],
    ['config', '--repo=r', 'unset'],
    ['config', '--repo=r', 'unset', '--group=core'],
    ['init', '--repo=r', '--mode=archive', 'more'],
    ['init', '--repo=s', '--mode=nothing'],
    ['init', '--repo=s', '--mode'],
    ['nothing'],
    ['nothing', '--repo=r'],
    ['--bogus'],
    ['--repo=r'],
    ['', '--repo=r'],
    ['-'],
    ['-', 'nothing'],
    ['--'],
    [],
  ])('%s %s %s %s %s', (...args) => {
    const [ours, real] = both(args, setUp(), { env: { OSTREE_REPO: undefined, HACKTREE_REPO: undefined } });
    expect(ours).toEqual(real);
  });
});

describe('the repository', () => {
  withOstree('is named by OSTREE_REPO, or is the current directory', () => {
    const dirs = setUp();
    const viaEnv = both(['refs'], dirs, { env: { OSTREE_REPO: 'r' } });
    expect(viaEnv[0]).toEqual(viaEnv[1]);
    expect(viaEnv[0].stdout).toBe('x\n');
    const inside = both(
      ['refs'],
      { real: join(dirs.real, 'r'), ours: join(dirs.ours, 'r') },
      { env: { OSTREE_REPO: undefined } },
    );
    expect(inside[0]).toEqual(inside[1]);
    expect(inside[0].stdout).toBe('x\n');
  });
});

/** Option names of a help page, as its left column has them. */
function optionNames(page: string): string[] {
  return page
    .split('\n')
    .flatMap((line) => /^ {2}(?:(-\w), )?(--[a-z0-9-]+)/.exec(line)?.slice(1, 3) ?? [])
    .filter((name) => name !== undefined)
    .sort();
}

/** Options that only newer releases have, or that are ours. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  refs: ['--revision', '-r'],
  commit: ['--sign-from-file'],
  show: ['--list-metadata-keys', '--list-detached-metadata-keys'],
  // Builds with libsodium have these.
  sign: ['--keys-file', '--keys-dir'],
  'static-delta apply-offline': ['--keys-file', '--keys-dir'],
  'static-delta generate': ['--keys-file'],
  'static-delta verify': ['--keys-file', '--keys-dir'],
  pull: [
    '--disable-retry-on-network-errors',
    '--low-speed-limit-bytes',
    '--low-speed-time-seconds',
    '--max-outstanding-fetcher-requests',
  ],
  'pull-local': ['--disable-static-deltas'],
  summary: ['--list-metadata-keys', '--print-metadata-key', '--sign-from-file'],
  'remote refs': ['--revision', '-r'],
  'remote summary': ['--list-metadata-keys', '--print-metadata-key'],
};

describe('help', () => {
  const ids = COMMANDS.filter((spec) => isIn('ostree', spec) && spec.hidden !== true).map(({ id }) => id);

  withOstree.each(ids.map((id) => [id]))('of %s has the options of ostree', (id) => {
    const real = run('ostree', [...id.split(' '), '--help']);
    const ours = dropIn([...id.split(' '), '--help']);
    const added = new Set(ADDED[id] ?? []);
    expect(optionNames(ours.stdout).filter((name) => !added.has(name))).toEqual(optionNames(real.stdout));
    expect([ours.status, ours.stderr, ours.stdout.split('Usage:').length - 1]).toEqual([0, '', 1]);
  });

  withOstree('lists commands, on standard output when asked for and on standard error with a mistake', () => {
    const real = run('ostree', ['--help']);
    const ours = dropIn(['--help']);
    const names = (page: string): string[] =>
      (/Builtin Commands:\n((?: {2}\S.*\n)+)/.exec(page)?.[1] ?? '')
        .split('\n')
        .flatMap((line) => /^ {2}(\S+)/.exec(line)?.[1] ?? []);
    expect(
      names(real.stdout)
        .filter((name) => name !== 'admin')
        .sort(),
    ).toEqual(names(ours.stdout).sort());
    expect(names(ours.stdout).length).toBeGreaterThan(4);
    const mistake = dropIn(['nothing']);
    expect([mistake.stdout, names(mistake.stderr)]).toEqual(['', names(ours.stdout)]);
    expect(dropIn(['--help', 'nothing']).stdout).toBe(ours.stdout);
  });

  withOstree.each(['remote', 'static-delta'])('lists the subcommands of %s', (group) => {
    const names = (page: string): string[] =>
      (/Builtin "[a-z-]+" Commands:\n((?: {2}\S.*\n)+)/.exec(page)?.[1] ?? '')
        .split('\n')
        .flatMap((line) => /^ {2}(\S+)/.exec(line)?.[1] ?? []);
    const [ours, real] = [dropIn([group, '--help']), run('ostree', [group, '--help'])].map(({ stdout }) => names(stdout).sort());
    expect(real?.length).toBeGreaterThan(5);
    expect(ours).toEqual(real);
  });

  withOstree('prints the version as YAML', () => {
    const pattern = /^libostree:\n Version: '\d+\.\d+'\n(?: Git: .*\n)? Features:\n(?: {2}- [a-z0-9-]+\n)+$/;
    expect(run('ostree', ['--version']).stdout).toMatch(pattern);
    for (const args of [['--version'], ['refs', '--version'], ['--version', 'nothing']]) {
      expect(dropIn(args).stdout).toMatch(pattern);
    }
  });
});

describe('extension commands', () => {
  withOstree('get the whole line and give their status', () => {
    const dirs = setUp();
    const bin = join(dirs.real, '../bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'ostree-extra'), '#!/bin/sh\necho "$@"\nexit 7\n');
    chmodSync(join(bin, 'ostree-extra'), 0o755);
    const env = { PATH: `${bin}:${process.env.PATH}` };
    for (const args of [
      ['extra', 'a', '--b', 'c'],
      ['--repo=r', 'extra', '--help'],
      ['-v', 'extra'],
    ]) {
      const [ours, real] = both(args, dirs, { env });
      expect(ours).toEqual(real);
      expect(ours.status).toBe(7);
    }
  });
});
