/**
 * `ostree admin deploy --karg*` as oracle for the editing of kernel arguments.
 *
 * Left out: deleting a key that is not there, which 2022.7 refuses and later releases ignore, as hacktree does.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { editKargs, joinKargs, type KargEdit, splitKargs } from '../../src/bootloader/index.ts';
import { writeFiles } from '../helpers/boot-menu.ts';
import { requireRoot, requireTool, run, runOk } from '../helpers/run.ts';

const withOstree = requireTool('ostree', 'chattr') && requireRoot() ? it : it.skip;
const FLAGS = { replace: '--karg', append: '--karg-append', delete: '--karg-delete' } as const;

let sysroot: string;

beforeAll(() => {
  if (!requireTool('ostree', 'chattr') || !requireRoot()) return;
  const dir = mkdtempSync(join(tmpdir(), 'hacktree-test-'));
  sysroot = join(dir, 'sysroot');
  const tree = join(dir, 'tree');
  writeFiles(tree, {
    'usr/lib/modules/6.1/vmlinuz': 'k',
    'usr/lib/modules/6.1/initramfs.img': 'i',
    'usr/etc/x': '',
    'usr/lib/os-release': 'ID=x\nPRETTY_NAME=X\n',
  });
  writeFiles(sysroot, { '.keep': '' });
  runOk('ostree', ['admin', 'init-fs', sysroot]);
  runOk('ostree', ['admin', 'os-init', `--sysroot=${sysroot}`, 'os']);
  runOk('ostree', [`--repo=${sysroot}/ostree/repo`, 'commit', '--branch=main', '--fsync=false', tree]);
});

afterAll(() => {
  if (sysroot === undefined) return;
  run('chattr', ['-R', '-f', '-i', sysroot]);
  rmSync(join(sysroot, '..'), { recursive: true, force: true });
});

const deploy = (...args: string[]): { status: number; stderr: string } =>
  run('ostree', ['admin', 'deploy', `--sysroot=${sysroot}`, '--os=os', ...args, 'main']);

/** Kernel arguments of the newest deployment, without ostree's own. */
function newestOptions(): string {
  const dir = join(sysroot, 'boot/loader/entries');
  const texts = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
  const version = (text: string): number => Number(/^version (\d+)$/m.exec(text)?.[1]);
  const newest = texts.sort((a, b) => version(b) - version(a))[0] ?? '';
  const words = splitKargs(/^options (.*)$/m.exec(newest)?.[1] ?? '');
  return joinKargs(words.filter((word) => !word.startsWith('ostree=')));
}

describe('editing kernel arguments', () => {
  withOstree.each<[string, [keyof typeof FLAGS, string][]]>([
    ['c=2 x', [['delete', 'c']]],
    ['c=2 c', [['delete', 'c']]],
    ['q q', [['delete', 'q']]],
    ['q q=', [['delete', 'q']]],
    ['q= q=1', [['delete', 'q']]],
    ['q=', [['delete', 'q']]],
    ['q=', [['delete', 'q=']]],
    ['c=2', [['delete', 'c=5']]],
    ['b=1 b=1', [['delete', 'b=1']]],
    ['b=1 b=1', [['delete', 'b']]],
    ['a=1 b c=2', [['replace', 'b']]],
    ['a=1 b c=2', [['replace', 'b=']]],
    ['a=1 b a=2 c', [['replace', 'a']]],
    [
      'a=1 b a=2 c',
      [
        ['replace', 'a=7'],
        ['replace', 'a=8'],
      ],
    ],
    [
      'a=1 b',
      [
        ['append', 'x="y z"'],
        ['append', 'b'],
      ],
    ],
    ['root=UUID=1 ro', [['replace', 'root=UUID=2']]],
  ])('%s %j', (words, steps) => {
    const base = splitKargs(words).map((word) => `--karg-append=${word}`);
    expect(deploy('--no-merge', '--karg-none', ...base)).toMatchObject({ status: 0 });
    const { status, stderr } = deploy(...steps.map(([op, argument]) => `${FLAGS[op]}=${argument}`));
    const edits: KargEdit[] = steps.map(([op, argument]) => ({ op, argument }));
    let mine: string;
    try {
      mine = joinKargs(editKargs(splitKargs(words), edits));
    } catch (error) {
      expect(stderr.trim().split('\n').at(-1)).toBe(`error: ${(error as Error).message}`);
      return;
    }
    expect([status, newestOptions()]).toEqual([0, mine]);
  });
});
