/**
 * hacktree-boot-complete run for real in a busybox root of its own: namespaces for mounts and processes, a systemctl that
 * only notes what it was asked for. /boot and /sysroot are read-only mounts, as in a deployed root.
 */
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { editGrubenv, emptyGrubenv } from '../../src/bootloader/grubenv.ts';
import { writeFiles } from '../helpers/boot-menu.ts';
import { PROJECT_DIR, requireRoot, requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const inNamespace = requireTool('unshare', 'busybox', 'mount') && requireRoot() ? it : it.skip;

const HARNESS = `
set -e
mount --bind "$1" "$1"
cd "$1"
cp /bin/busybox bin/busybox
for applet in sh mount umount mkdir cat readlink date sync mv rm dd tail tr timeout unshare; do ln -s busybox bin/$applet; done
mount -t proc proc proc
: >dev/console
for dir in boot sysroot; do
    mount --bind $dir $dir
    mount -o remount,bind,ro $dir
done
exec chroot . /bin/sh /run/hacktree/boot-complete
`;

const SYSTEMCTL = `#!/bin/sh
case "$*" in *is-active*) exit \${LAB_TARGET_STATUS:-0} ;; esac
echo "$*" >>/asked
`;

interface Machine {
  readonly dir: string;
  readonly status: number;
  readonly output: string;
  /** What systemctl was asked for. */
  readonly asked: string;
  readonly grubenv: string | undefined;
  /** Content of /gnomeos/state/PATH. */
  state(path: string): string | undefined;
}

function complete(files: Record<string, string>, variables?: Record<string, string>): Machine {
  const dir = scratchDir();
  writeFiles(dir, {
    'bin/systemctl': SYSTEMCTL,
    'run/hacktree/booted': 'root=root-2\nvar=os\nboot_id=B1\n',
    'run/hacktree/boot-complete': readFileSync(join(PROJECT_DIR, 'initramfs/hacktree-boot-complete')),
    'sysroot/gnomeos/state/root-1/boot': 'var=os\n',
    'sysroot/gnomeos/state/root-2/boot': 'var=os\n',
    ...Object.fromEntries(['proc', 'dev', 'boot', 'tmp'].map((name) => [`${name}/.keep`, ''])),
    ...(variables === undefined ? {} : { 'boot/grub/grubenv': editGrubenv(emptyGrubenv(), variables).toString() }),
    ...files,
  });
  chmodSync(join(dir, 'bin/systemctl'), 0o755);
  const checks = join(dir, 'etc/hacktree/health.d');
  if (existsSync(checks)) for (const name of readdirSync(checks)) if (name !== 'README') chmodSync(join(checks, name), 0o755);
  const { status, stdout, stderr } = run('unshare', ['-m', '-p', '--fork', 'sh', '-c', HARNESS, 'sh', dir]);
  const read = (path: string): string | undefined =>
    existsSync(join(dir, path)) ? readFileSync(join(dir, path), 'utf8') : undefined;
  return {
    dir,
    status,
    output: stdout + stderr,
    asked: read('asked') ?? '',
    grubenv: read('boot/grub/grubenv'),
    state: (path) => read(`sysroot/gnomeos/state/${path}`),
  };
}

const TRIAL = { saved_entry: 'x', hacktree_default: 'root-2', hacktree_previous: 'root-1', hacktree_tries: '2', odd: 'a\\b\nc' };
const { hacktree_tries: _tries, ...PROVEN } = TRIAL;
const block = (variables: Record<string, string>): string => editGrubenv(emptyGrubenv(), variables).toString();

describe('hacktree-boot-complete', () => {
  inNamespace('takes a root off its trial and notes that it is good', () => {
    const machine = complete({ 'sysroot/gnomeos/state/root-2/failed': 'old' }, TRIAL);
    expect(machine).toMatchObject({ status: 0, asked: '', grubenv: block(PROVEN) });
    expect(machine.state('root-2/good')).toMatch(/^boot_id=B1\ntime=[0-9]{10}\n$/);
    expect(machine.state('root-2/failed')).toBeUndefined();
  });

  inNamespace('runs the checks in order, those that can be run', () => {
    const check = (name: string): string => `#!/bin/sh\necho ran ${name}\n`;
    const machine = complete({
      'etc/hacktree/health.d/20-b': check('b'),
      'etc/hacktree/health.d/10-a': check('a'),
      'etc/hacktree/health.d/10-a~': 'exit 1',
      'etc/hacktree/health.d/README': 'exit 1',
    });
    expect(machine.status).toBe(0);
    expect(machine.output).toContain('ran a\nran b\n');
  });

  inNamespace('restarts a root on trial whose check fails, and says which', () => {
    const machine = complete({ 'etc/hacktree/health.d/web': '#!/bin/sh\nexit 7\n' }, TRIAL);
    expect(machine).toMatchObject({ status: 1, asked: '--no-block reboot\n', grubenv: block(TRIAL) });
    expect(machine.state('root-2/good')).toBeUndefined();
    expect(machine.state('root-2/failed')).toMatch(
      /^boot_id=B1\ntime=[0-9]{10}\nreason=health\ncheck=\/etc\/hacktree\/health.d\/web\nstatus=7\n$/,
    );
  });

  inNamespace('does not restart a proven root whose check fails', () => {
    const machine = complete({ 'etc/hacktree/health.d/web': '#!/bin/sh\nexit 7\n' }, PROVEN);
    expect(machine).toMatchObject({ status: 1, asked: '' });
    expect(machine.state('root-2/failed')).toContain('reason=health\n');
  });

  inNamespace("counts the tree's own boot-complete.target as a check", () => {
    const files = {
      'usr/lib/systemd/system/boot-complete.target': '',
      'bin/systemctl': SYSTEMCTL.replace('LAB_TARGET_STATUS:-0', 'LAB_TARGET_STATUS:-3'),
    };
    const machine = complete(files, TRIAL);
    expect(machine).toMatchObject({ status: 1, asked: '--no-block reboot\n' });
    expect(machine.state('root-2/failed')).toContain('check=boot-complete.target\nstatus=3\n');
  });

  inNamespace('leaves the trial of another root alone', () => {
    const other = { ...TRIAL, hacktree_default: 'root-3' };
    expect(complete({}, other)).toMatchObject({ status: 0, grubenv: block(other) });
  });

  inNamespace('notes why the boot loader gave a root up, unless a reason is there', () => {
    const fallenBack = { hacktree_default: 'root-2', hacktree_fell_back: 'root-1' };
    const machine = complete({}, fallenBack);
    expect(machine.state('root-1/failed')).toMatch(/^boot_id=B1\ntime=[0-9]{10}\nreason=tries\n$/);
    const known = complete({ 'sysroot/gnomeos/state/root-1/failed': 'reason=health\n' }, fallenBack);
    expect(known.state('root-1/failed')).toBe('reason=health\n');
  });

  inNamespace("renames systemd-boot's entry", () => {
    const entries = 'boot/loader/entries';
    const files = {
      'run/hacktree/booted': 'root=root-2+deb\nvar=os\nboot_id=B1\n',
      'sysroot/gnomeos/state/root-2+deb/boot': 'var=os\n',
      [`${entries}/hacktree-root-2%2Bdeb+2-1.conf`]: 'x',
      [`${entries}/hacktree-root-1.conf`]: '',
    };
    const machine = complete(files);
    expect(machine.status).toBe(0);
    expect(readdirSync(join(machine.dir, entries)).sort()).toEqual(['hacktree-root-1.conf', 'hacktree-root-2%2Bdeb.conf']);
  });

  inNamespace('refuses to run outside a deployed root', () => {
    const machine = complete({ 'run/hacktree/booted': 'host\n' });
    expect(machine.status).toBe(1);
    expect(machine.output).toContain('names no root');
  });
});
