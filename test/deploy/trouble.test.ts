/**
 * Deploying where something is in the way: full disks, a read-only /boot, another hacktree, damage. Each is refused with a clear
 * message and the documented exit status, and the boot menu is what it was: every entry complete, the old default.
 *
 * The command itself is run, on small file systems of its own: the root file system and /boot are two tmpfs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { lockSysroot, openSysroot, readState } from '../../src/deploy/index.ts';
import { judgeLinux } from '../crash/lab/judge.ts';
import { commitArguments, makeSmallHost, markGood, writeSmallTree } from '../crash/lab/small-system.ts';
import { HACKTREE, hacktree, hacktreeOk, type RunResult, requireRoot, requireTool, runOk } from '../helpers/run.ts';

const asRoot = requireRoot() && requireTool('grub-editenv') ? it : it.skip;

let dir: string;
let top: string;

beforeAll(() => {
  if (!requireRoot()) return;
  dir = fs.mkdtempSync(join(tmpdir(), 'hacktree-test-'));
  mountAt(join(dir, 'base'));
  commitVersion('1.0');
  hacktreeOk(['deploy', '--sysroot', top, 'os']);
  commitVersion('2.0');
});

afterAll(() => {
  if (dir === undefined) return;
  runOk('umount', ['-R', join(dir, 'base')]);
  fs.rmSync(dir, { recursive: true });
});

// Each test has a copy, on file systems of its own.
beforeEach(() => {
  if (requireRoot()) mountAt(join(dir, 'sys'), join(dir, 'base'));
});

afterEach(() => {
  runOk('umount', ['-R', top]);
});

/** Mounts two tmpfs and puts a host there, or what another place has. */
function mountAt(place: string, from?: string): void {
  top = place;
  const boot = join(top, 'boot');
  fs.mkdirSync(top, { recursive: true });
  runOk('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=755', 'root', top]);
  fs.mkdirSync(boot);
  runOk('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=755', 'boot', boot]);
  if (from === undefined) makeSmallHost(top);
  else runOk('cp', ['-a', `${from}/.`, top]);
}

function commitVersion(version: string): string {
  const tree = join(dir, version);
  writeSmallTree(tree, version);
  return hacktreeOk(commitArguments(top, tree, version));
}

const deployIt = (...words: string[]): RunResult => hacktree(['deploy', '--exit-code', '--sysroot', top, ...words]);

/** Requires a failed command that says this, and a system that is as before. */
function expectRefused({ status, stdout, stderr }: RunResult, expected: { status: number; says: RegExp }): void {
  expect({ status, stdout }).toEqual({ status: expected.status, stdout: '' });
  expect(stderr).toMatch(/^error: /m);
  expect(stderr).toMatch(expected.says);
  expect(judgeLinux(top)).toEqual({ defaultId: 'root-1.0', problems: [] });
  expect(rootsOnDisk()).toEqual(['root-1.0']);
}

const rootsOnDisk = (): string[] => fs.readdirSync(join(top, 'gnomeos')).filter((name) => name.includes('root-'));

/** Fills a file system up to so many free bytes. */
function fill(place: string, leftBytes: number): string {
  const { bavail, bsize } = fs.statfsSync(place);
  const path = join(place, 'filler');
  runOk('fallocate', ['-l', String(bavail * bsize - leftBytes), path]);
  return path;
}

describe('no space', () => {
  asRoot('a full /boot: refused before the first write, saying what is needed; status still works', () => {
    const filler = fill(join(top, 'boot'), 100_000);
    expectRefused(deployIt('os'), { status: 20, says: /\/boot: \d+ bytes needed, \d+ available/ });
    expect(hacktreeOk(['status', '--sysroot', top])).toContain('root-1.0 (default');
    fs.rmSync(filler);
    expect(deployIt('os')).toMatchObject({ status: 0, stdout: 'Deployed root-2.0; it boots next\n' });
  });

  asRoot('a full root file system: the same', () => {
    fill(top, 100_000);
    expectRefused(deployIt('os'), { status: 20, says: /root file system: \d+ bytes needed, \d+ available/ });
    expect(hacktreeOk(['status', '--sysroot', top])).toContain('root-1.0 (default');
  });

  asRoot('a change of the default alone needs no space', () => {
    hacktreeOk(['deploy', '--not-as-default', '--sysroot', top, 'os']);
    fill(join(top, 'boot'), 0);
    fill(top, 0);
    hacktreeOk(['set-default', '--sysroot', top, 'root-2.0']);
    expect(judgeLinux(top)).toEqual({ defaultId: 'root-2.0', problems: [] });
  });

  asRoot('--make-room removes roots that need not stay', () => {
    hacktreeOk(['deploy', '--sysroot', top, '--retain', 'os']);
    commitVersion('3.0');
    hacktreeOk(['deploy', '--sysroot', top, '--retain', 'os']);
    commitVersion('4.0');
    fill(join(top, 'boot'), 1_200_000);
    expect(deployIt('--retain', 'os').status).toBe(20);
    const { status, stderr } = deployIt('--retain', '--make-room', 'os');
    expect([status, stderr]).toEqual([0, expect.anything()]);
    expect(judgeLinux(top)).toEqual({ defaultId: 'root-4.0', problems: [] });
    expect(rootsOnDisk()).not.toContain('root-2.0');
  });
});

describe('what cannot be written', () => {
  asRoot('a read-only /boot: an error before the menu changes, and nothing is left of the new root', () => {
    runOk('mount', ['-o', 'remount,ro', join(top, 'boot')]);
    expectRefused(deployIt('os'), { status: 1, says: /[Rr]ead-only/ });
    expect(hacktreeOk(['status', '--sysroot', top])).toContain('root-1.0 (default');
    runOk('mount', ['-o', 'remount,rw', join(top, 'boot')]);
    expect(deployIt('os').status).toBe(0);
  });

  asRoot('no boot loader: says so, and what to do for an image', () => {
    fs.renameSync(join(top, 'boot/grub'), join(top, 'boot/other'));
    const { status, stderr } = deployIt('os');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/No supported boot loader[\s\S]*--bootloader=none/)]);
    expect(hacktree(['cleanup', '--sysroot', top]).stdout).not.toContain('root-1.0');
    expect(rootsOnDisk()).toEqual(['root-1.0']);
  });

  asRoot('a boot menu that was lost: roots that came up once stay until they are undeployed', () => {
    markGood(top, 'root-1.0');
    fs.rmSync(join(top, 'boot/grub/hacktree.cfg'));
    hacktreeOk(['deploy', '--sysroot', top, 'os']);
    commitVersion('3.0');
    hacktreeOk(['deploy', '--sysroot', top, 'os']);
    expect(hacktreeOk(['status', '--sysroot', top])).toContain('Not in the boot menu, kept: root-1.0');
    expect(judgeLinux(top)).toEqual({ defaultId: 'root-3.0', problems: [] });
    hacktreeOk(['undeploy', '--sysroot', top, '1.0']);
    expect(rootsOnDisk().sort()).toEqual(['root-2.0', 'root-3.0']);
  });
});

describe('two at once', () => {
  asRoot('the second names the first, or waits for it with --wait', async () => {
    const lock = await lockSysroot(openSysroot(top), { command: 'long job', wait: false });
    expectRefused(deployIt('os'), { status: 23, says: new RegExp(`pid ${process.pid}, command long job`) });
    const waiting = spawn(process.execPath, [HACKTREE, 'deploy', '--wait', '--sysroot', top, 'os']);
    let said = '';
    waiting.stderr.on('data', (text) => {
      said += text;
    });
    const exited = once(waiting, 'close');
    while (!said.includes('Waiting for')) await once(waiting.stderr, 'data');
    expect(said).toContain(`Waiting for pid ${process.pid}, command long job`);
    expect(readState(openSysroot(top)).menu.defaultId).toBe('root-1.0');
    lock.release();
    expect(await exited).toEqual([0, null]);
    expect(judgeLinux(top)).toEqual({ defaultId: 'root-2.0', problems: [] });
  });
});

describe('damage', () => {
  asRoot('a damaged kernel object is not put into the menu', () => {
    const kernel = objectOf('usr/lib/modules/6.1/vmlinuz');
    fs.writeFileSync(kernel, fs.readFileSync(kernel).fill(0, 5000, 6000));
    expectRefused(deployIt('os'), { status: 24, says: /vmlinuz/ });
  });

  asRoot('a missing object is named, and nothing is left of the new root', () => {
    fs.rmSync(objectOf('usr/share/d0/f30'));
    expectRefused(deployIt('os'), { status: 24, says: /[0-9a-f]{64}/ });
  });

  asRoot('a root deleted by hand is shown as missing; it leaves the menu with the next change', () => {
    hacktreeOk(['deploy', '--sysroot', top, 'os']);
    fs.rmSync(join(top, 'gnomeos/root-1.0'), { recursive: true });
    expect(hacktreeOk(['status', '--sysroot', top])).toMatch(/root-1\.0 \(.*missing: its directory was deleted\)/);
    commitVersion('3.0');
    expect(deployIt('os').status).toBe(0);
    expect(judgeLinux(top)).toEqual({ defaultId: 'root-3.0', problems: [] });
  });
});

describe('what cannot be deployed', () => {
  asRoot('a commit without a kernel names the places that were looked at', () => {
    const tree = join(dir, '2.0');
    fs.rmSync(join(tree, 'usr/lib/modules'), { recursive: true });
    hacktreeOk(commitArguments(top, tree, '2.0'));
    expectRefused(deployIt('os'), { status: 1, says: /No kernel in .*usr\/lib\/modules.*boot\/vmlinuz/ });
  });

  asRoot.each(['../x', '/etc', 'a/b', '.hidden', 'x y', ''])('the name %j', (name) => {
    expectRefused(deployIt(`--name=${name}`, 'os'), { status: 1, says: /name/ });
    expect(fs.existsSync(join(top, 'x'))).toBe(false);
  });

  asRoot('a ref and a root that are not there', () => {
    expectRefused(deployIt('nothing'), { status: 1, says: /nothing/ });
    expectRefused(hacktree(['undeploy', '--sysroot', top, 'root-9']), { status: 1, says: /root-9[\s\S]*deployed: root-1\.0/ });
  });
});

/** Path of a file's object in the repository. */
function objectOf(path: string): string {
  const wanted = fs.readFileSync(join(dir, '2.0', path));
  const objects = join(top, 'gnomeos/repo/objects');
  const found = fs
    .readdirSync(objects, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.file'))
    .map((name) => join(objects, name))
    .find((file) => fs.readFileSync(file).equals(wanted));
  if (found === undefined) throw new Error(`no object for ${path}`);
  return found;
}
