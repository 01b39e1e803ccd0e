/** Key files against the real ostree: the same values are read, the same lines refused, and each reads what the other wrote. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { KeyFile } from '../../src/format/index.ts';
import { initOstreeRepo, ostree } from '../helpers/oracle.ts';
import { requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;
const CORE = '[core]\nrepo_version=1\nmode=bare\n';

function makeRepo(): { repo: string; config: string } {
  const repo = join(scratchDir(), 'repo');
  initOstreeRepo(repo);
  return { repo, config: join(repo, 'config') };
}

/** What `ostree config get` prints, undefined when it refuses. */
function theirs(repo: string, group: string, key: string): string | undefined {
  const { status, stdout } = run('ostree', [`--repo=${repo}`, 'config', 'get', `--group=${group}`, key]);
  return status === 0 ? stdout.replace(/\n$/, '') : undefined;
}

function ours(config: string, group: string, key: string): string | undefined {
  try {
    return KeyFile.parse(readFileSync(config, 'utf8')).getString(group, key);
  } catch {
    return undefined;
  }
}

describe('KeyFile', () => {
  withOstree('reads the values that ostree reads', () => {
    const { repo, config } = makeRepo();
    const values = [
      'x',
      ' x',
      'x ',
      '',
      '\\sa\\tb\\\\c\\nd\\re',
      'a\\q',
      'a\\',
      'a;b',
      'a\\;b',
      '"quoted"',
      '#no comment',
      'a=b',
      'é',
      'a\tb',
    ];
    writeFileSync(
      config,
      `${CORE}dup=1\ndup=2\n${values.map((value, i) => `k${i} = ${value}\n`).join('')}[ odd ]\nk0=1\n[core]\nagain=1\n`,
    );
    const keys = [...values.map((_, i) => `k${i}`), 'dup', 'again', 'nope'];
    expect(keys.map((key) => ours(config, 'core', key))).toEqual(keys.map((key) => theirs(repo, 'core', key)));
    expect(ours(config, ' odd ', 'k0')).toBe(theirs(repo, ' odd ', 'k0'));
    expect(ours(config, 'odd', 'k0')).toBe(theirs(repo, 'odd', 'k0'));
  });

  withOstree('refuses the files that ostree refuses', () => {
    const { repo, config } = makeRepo();
    const heads = [
      '',
      '# c\n',
      '  # c\n',
      '; c\n',
      'x\n',
      'x=1\n',
      '[a\n',
      '[]\n',
      '[a[b]]\n',
      '[a] x\n',
      '[a] \n',
      '\ufeff[a]\n',
      ' [a]\n',
    ];
    const bodies = [
      'x\n',
      '=5\n',
      'k=1\n',
      ' k = 1\n',
      'k[x=1\n',
      'k[x]=1\n',
      'k]=1\n',
      'k b=1\n',
      'k/=1\n',
      '\tk\t=\t1\n',
      'k=1\r\n',
      '\u00a0k=1\n',
    ];
    for (const text of [...heads, ...bodies.map((body) => `[a]\n${body}`)]) {
      writeFileSync(config, `${text}${CORE}`);
      expect([text, ours(config, 'core', 'mode')]).toEqual([text, theirs(repo, 'core', 'mode')]);
      expect([text, ours(config, 'a', 'k')]).toEqual([text, theirs(repo, 'a', 'k')]);
    }
  });

  withOstree('writes what ostree reads, and reads what ostree writes', () => {
    const { repo, config } = makeRepo();
    const values = [
      'x',
      ' lead',
      '\tlead',
      'trail ',
      'a;b',
      'back\\slash',
      'two\nlines',
      'in\tside',
      'cr\r',
      'é',
      '',
      '  \t x',
      '#',
    ];
    const file = KeyFile.parse(CORE);
    values.forEach((value, i) => {
      file.setString('remote "a.b"', `k${i}`, value);
    });
    writeFileSync(config, file.print());
    values.forEach((value, i) => {
      expect(theirs(repo, 'remote "a.b"', `k${i}`)).toBe(value);
    });
    writeFileSync(config, CORE);
    values.forEach((value, i) => {
      ostree(repo, 'config', 'set', '--group=remote "a.b"', `k${i}`, value);
    });
    values.forEach((value, i) => {
      expect(ours(config, 'remote "a.b"', `k${i}`)).toBe(value);
    });
    expect(file.print()).toBe(readFileSync(config, 'utf8'));
    ostree(repo, 'remote', 'add', '--no-gpg-verify', 'origin', 'http://x', 'b1', 'b/2');
    expect(KeyFile.parse(readFileSync(config, 'utf8')).getList('remote "origin"', 'branches')).toEqual(['b1', 'b/2']);
  });
});
