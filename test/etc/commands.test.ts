/** The `etc` commands as a user runs them, on a sysroot with two roots whose /etc was merged. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { keptScratchDir } from '../helpers/scratch.ts';
import { TestSystem } from '../helpers/sysroot.ts';

const isAble = requireRoot() && requireTool('grub-editenv', 'unshare', 'git', 'setpriv');
const asRoot = isAble ? it : it.skip;

let template: TestSystem;
let system: TestSystem;

/** Two defaults, local changes in between: one file merged, one in conflict, one directory's mode in conflict. */
beforeAll(() => {
  if (!isAble) return;
  system = TestSystem.make(keptScratchDir());
  system.write('tree/etc/ssh/sshd_config', 'Port 22\n\n\n\nX11Forwarding no\n');
  system.write('tree/etc/motd', 'one\n');
  system.write('tree/etc/ssl/private/key', 'secret\n', 0o600);
  fs.chmodSync(`${system.tree}/etc/ssl/private`, 0o750);
  system.deploy('1.0');
  fs.writeFileSync(system.at('root-1.0', 'etc/ssh/sshd_config'), 'Port 2222\n\n\n\nX11Forwarding no\n');
  fs.writeFileSync(system.at('root-1.0', 'etc/motd'), 'mine\n');
  fs.writeFileSync(system.at('root-1.0', 'etc/added'), 'added\n');
  fs.chmodSync(system.at('root-1.0', 'etc/ssl/private'), 0o700);
  system.write('tree/etc/ssh/sshd_config', 'Port 22\n\n\n\nX11Forwarding yes\n');
  system.write('tree/etc/motd', 'two\n');
  fs.chmodSync(`${system.tree}/etc/ssl/private`, 0o710);
  system.deploy('2.0');
  template = system;
});

beforeEach(() => {
  if (isAble) system = TestSystem.copy(template);
});

const mode = (path: string): number => fs.statSync(system.at('root-2.0', path)).mode & 0o7777;
const unresolved = (root = 'root-2.0'): unknown => system.json('etc', 'status', root).unresolved;

const MOTD = { path: 'motd', beside: 'motd.hacktree-new', kind: 'new', details: null };
const PRIVATE = { path: 'ssl/private', beside: null, kind: 'new', details: 'mode 0700 here, 0710 in the new defaults' };

describe('etc status', () => {
  asRoot('lists local changes and what waits for a decision', () => {
    const { root, changes } = system.json('etc', 'status');
    expect([root, unresolved()]).toEqual(['root-2.0', [MOTD, PRIVATE]]);
    expect(changes).toEqual(
      expect.arrayContaining([
        { path: 'added', change: 'added' },
        { path: 'motd', change: 'modified' },
        { path: 'ssh/sshd_config', change: 'modified' },
        { path: 'ssl/private', change: 'attributes' },
      ]),
    );
    const text = system.run('etc', 'status');
    expect(text).toContain('2 conflicts to resolve');
    expect(text).toContain('motd: the new default is kept as motd.hacktree-new');
    expect(text).toContain('P    ssl/private (owner, mode or attributes)');
    expect(unresolved('root-1.0')).toEqual([]);
  });

  asRoot('is reflected by status, and carried on by further updates until somebody decides', () => {
    expect(system.run('status')).toContain('Conflicts: in /etc: motd, ssl/private; see: hacktree etc status root-2.0');
    system.deploy('3.0');
    expect(unresolved('root-3.0')).toEqual([MOTD, PRIVATE]);
    const roots = system.json('status').roots as { root: string; etcUnresolved: unknown }[];
    expect(roots.map(({ root, etcUnresolved }) => [root, etcUnresolved])).toEqual([
      ['root-3.0', [MOTD, PRIVATE]],
      ['root-2.0', [MOTD, PRIVATE]],
      ['root-1.0', []],
    ]);
  });

  asRoot('says what an unprivileged caller may not read', () => {
    for (const dir of [system.dir, dirname(system.dir)]) fs.chmodSync(dir, 0o755);
    const command = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
    const args = ['bin/hacktree.js', 'etc', 'status', `--sysroot=${system.root}`];
    const text = runOk('setpriv', [...command, ...args]);
    expect(text).toContain('?    ssl/private (you may not read it)');
    expect(text).toContain('ssl/private: mode 0700 here, 0710 in the new defaults');
  });
});

describe('etc diff', () => {
  asRoot('shows local changes, roots and defaults by lines', () => {
    expect(system.run('etc', 'diff')).toContain('-Port 22\n+Port 2222\n');
    expect(system.run('etc', 'diff')).toContain('ssl/private: directory 0710 0:0 -> directory 0700 0:0');
    expect(system.run('etc', 'diff', 'root-1.0')).toContain('-X11Forwarding no\n+X11Forwarding yes');
    const defaults = system.run('etc', 'diff', '--defaults', '1.0', '2.0');
    expect(defaults).toContain('-one\n+two\n');
    expect(defaults).not.toContain('2222');
    const { from, to, changes } = system.json('etc', 'diff', 'root-2.0', 'root-1.0', '--name-only');
    expect([from, to]).toEqual([
      { root: 'root-2.0', isDefaults: false },
      { root: 'root-1.0', isDefaults: false },
    ]);
    expect(changes).toContainEqual({ path: 'motd.hacktree-new', change: 'removed' });
  });
});

describe('etc log and show', () => {
  asRoot('tell what changed a path, and what it was', () => {
    const subjects = (...args: string[]): string[] =>
      (system.json('etc', 'log', ...args).commits as { subject: string }[]).map(({ subject }) => subject);
    expect(subjects('--from=root-2.0', '-n', '2')).toEqual([
      'Merge into root-2.0 (2.0)',
      'Local /etc of root-1.0 before deploying root-2.0',
    ]);
    expect(subjects('/etc/added')).toEqual(['Local /etc of root-1.0 before deploying root-2.0']);
    expect(system.run('etc', 'log', 'motd')).toContain('    Defaults of root-2.0 (2.0)\n');
    expect(system.run('etc', 'show', 'root-2.0')).toContain('-X11Forwarding no\n+X11Forwarding yes');
    expect(system.run('etc', 'show', 'root-2.0', 'motd')).toBe('mine');
    expect(system.run('etc', 'show', 'upstream', '/etc/motd')).toBe('two');
    expect(system.json('etc', 'show', 'root-1.0', 'ssl/private/key')).toEqual({
      path: 'ssl/private/key',
      type: 'file',
      uid: 0,
      gid: 0,
      mode: '0600',
      contentBase64: Buffer.from('secret\n').toString('base64'),
    });
  });
});

describe('etc restore', () => {
  asRoot('puts back what was deployed, or what another commit had, and keeps what stood there in the history', () => {
    fs.writeFileSync(system.at('root-2.0', 'etc/motd'), 'oops\n');
    expect(system.run('etc', 'restore', '/etc/motd')).toMatch(/^Restored motd in \/etc of root-2.0 from [0-9a-f]{10}$/);
    expect(system.read('root-2.0', 'etc/motd')).toBe('mine\n');
    expect(system.run('etc', 'show', 'root-2.0', 'motd')).toBe('oops');
    system.run('etc', 'restore', 'motd', '--from=upstream');
    expect(system.read('root-2.0', 'etc/motd')).toBe('two\n');
    system.run('etc', 'restore', 'motd');
    expect(system.read('root-2.0', 'etc/motd')).toBe('mine\n');
    system.run('etc', 'restore', 'ssh', '--root=root-1.0');
    expect(system.read('root-1.0', 'etc/ssh/sshd_config')).toContain('Port 22\n');
    expect(system.read('root-2.0', 'etc/ssh/sshd_config')).toContain('Port 2222\n');
  });
});

describe('etc resolve', () => {
  asRoot('takes the new default, or keeps the local version, of content and of attributes', () => {
    system.run('etc', 'resolve', 'motd', '--new');
    expect([system.read('root-2.0', 'etc/motd'), unresolved()]).toEqual(['two\n', [PRIVATE]]);
    system.run('etc', 'resolve', '/etc/ssl/private', '--new');
    expect([mode('etc/ssl/private'), unresolved()]).toEqual([0o710, []]);
    expect(fs.existsSync(system.at('root-2.0', 'etc/hacktree/unresolved'))).toBe(false);
    expect(system.read('root-2.0', 'etc/ssl/private/key')).toBe('secret\n');
    expect(system.run('etc', 'show', 'root-2.0', 'motd')).toBe('two');
    expect(system.run('etc', 'log', 'motd', '--from=root-2.0')).toContain('before resolve ssl/private --new');
  });

  asRoot('keeps the local version', () => {
    system.run('etc', 'resolve', 'motd', '--keep');
    system.run('etc', 'resolve', 'ssl/private', '--keep');
    expect([system.read('root-2.0', 'etc/motd'), mode('etc/ssl/private'), unresolved()]).toEqual(['mine\n', 0o700, []]);
    system.deploy('3.0');
    expect(unresolved('root-3.0')).toEqual([]);
    expect(system.read('root-3.0', 'etc/motd')).toBe('mine\n');
  });
});

describe('etc gc', () => {
  asRoot('bounds the history and leaves what deployed roots have', () => {
    fs.writeFileSync(system.at('root-2.0', 'etc/added'), 'changed\n');
    system.deploy('3.0');
    system.run('undeploy', 'root-1.0');
    const { branchesDeleted } = system.json('etc', 'gc', '--keep=1');
    expect(branchesDeleted).toEqual(['root-1.0']);
    expect(system.run('etc', 'show', 'root-2.0', 'motd')).toBe('mine');
    runOk('git', [`--git-dir=${system.root}/gnomeos/etc.git`, 'fsck', '--strict', '--no-dangling']);
  });
});

describe('mistakes', () => {
  asRoot('say what is wrong and change nothing', () => {
    const fails = (...args: string[]): [number, string] => {
      const { status, stderr } = system.try(...args);
      return [status, stderr.split('\n')[0] ?? ''];
    };
    expect(fails('etc', 'resolve', 'motd')).toEqual([
      2,
      'error: Say what is to stand: --keep the local version, or take the --new default',
    ]);
    expect(fails('etc', 'resolve', 'hosts', '--new')).toEqual([1, 'error: hosts has no unresolved conflict']);
    expect(fails('etc', 'restore', '../x')).toEqual([2, "error: Not a path in /etc: '../x'"]);
    expect(fails('etc', 'restore', '/usr/x')).toEqual([2, "error: Not a path in /etc: '/usr/x'"]);
    expect(fails('etc', 'restore', 'none')).toEqual([1, expect.stringMatching(/^error: [0-9a-f]{40} had no none$/)]);
    expect(fails('etc', 'show', 'root-9')).toEqual([1, "error: The history of /etc has no root or commit 'root-9'"]);
    expect(fails('etc', 'status', 'root-9')).toEqual([1, 'error: No deployed root named root-9']);
    expect(fails('etc', 'diff', '--defaults')).toEqual([2, 'error: --defaults compares two roots: name one or both']);
    expect(fails('etc', 'gc')).toEqual([2, 'error: --keep=N says how many deployments to keep, at least 1']);
    expect(unresolved()).toEqual([MOTD, PRIVATE]);
  });

  asRoot('without a deployed root there is no /etc to look at', () => {
    const { status, stderr } = TestSystem.make().try('etc', 'status');
    expect([status, stderr.split('\n')[0]]).toEqual([1, 'error: Nothing is deployed, so there is no /etc to look at']);
  });
});
