/** The commands around deployed roots as a user runs them, on a sysroot in a scratch directory. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startHostileServer } from '../helpers/hostile-server.ts';
import { startProxy } from '../helpers/proxy.ts';
import { HACKTREE, hacktreeMeanwhile, hacktreeOk, requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { keptScratchDir } from '../helpers/scratch.ts';
import { TestSystem } from '../helpers/sysroot.ts';
import { makeTinyRoot } from '../helpers/tiny-root.ts';

const isAble = requireRoot() && requireTool('grub-editenv', 'unshare', 'setpriv', 'ldd');
const asRoot = isAble ? it : it.skip;

let template: TestSystem;
let system: TestSystem;

/** Two versions of a tree with a few programs in it. */
beforeAll(() => {
  if (!isAble) return;
  template = TestSystem.make(keptScratchDir());
  makeTinyRoot(template.tree, ['sh', 'cat', 'id', 'ls', 'touch']);
  template.write('tree/usr/lib/hacktree/kargs.d/10.conf', '# of the tree\ntree.arg=1\n');
  template.deploy('1.0');
  template.deploy('2.0');
});

beforeEach(() => {
  if (isAble) system = TestSystem.copy(template);
});

interface Root {
  readonly root: string;
  readonly [key: string]: unknown;
}

const status = (): { default: string; rollback: string; roots: Root[] } => system.json('status') as ReturnType<typeof status>;
const names = (): string[] => status().roots.map(({ root }) => root);
const rootStatus = (name: string): Root | undefined => status().roots.find(({ root }) => root === name);
const markGood = (root: string): void =>
  system.write(`sys/gnomeos/state/${root}/good`, `time=${Math.floor(Date.now() / 1000)}\n`);

/** Exit status and first line of an error. */
const fails = (...args: string[]): [number, string] => {
  const { status: code, stderr } = system.try(...args);
  return [code, stderr.split('\n')[0] ?? ''];
};

/** Runs a command as nobody, who may pass through the directories that lead there. */
function asNobody(...args: string[]): ReturnType<typeof run> {
  for (const dir of [system.dir, dirname(system.dir)]) fs.chmodSync(dir, 0o755);
  const line = [process.execPath, HACKTREE, ...args, `--sysroot=${system.root}`];
  return run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...line]);
}

describe('sysroot init', () => {
  asRoot('changes nothing on an existing sysroot', () => {
    const config = join(system.root, 'gnomeos/repo/config');
    fs.appendFileSync(config, '# mine\n');
    const before = fs.readFileSync(config, 'utf8');
    expect(system.run('sysroot', 'init')).toContain('is ready');
    expect(fs.readFileSync(config, 'utf8')).toBe(before);
    expect(names()).toEqual(['root-2.0', 'root-1.0']);
  });

  asRoot('is what a command asks for where there is none', () => {
    const { status: code, stderr } = run(process.execPath, [HACKTREE, 'status', `--sysroot=${system.dir}/none`]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`hint: make it with: hacktree sysroot init --sysroot=${system.dir}/none`),
    ]);
  });
});

describe('status', () => {
  asRoot('needs no privileges, and says what each root is', () => {
    system.run('pin', '1.0', '--reason=works');
    const { status: code, stdout } = asNobody('status', '--size');
    expect(code).toBe(0);
    expect(stdout).toContain('Booted: host   Default: root-2.0   If that fails: host   Boot loader: grub\n');
    expect(stdout).toMatch(/^ {2}root-2\.0 \(default.*\)$/m);
    expect(stdout).toMatch(/^ {2}root-1\.0 \(pinned\)$/m);
    expect(stdout).toContain('    Pinned: works\n');
    expect(stdout).toMatch(/^ {4}Size: \d+ bytes of its own, \d+ shared$/m);
    expect(rootStatus('root-1.0')).toMatchObject({ version: '1.0', refspec: 'os', pin: { reason: 'works' }, isDefault: false });
  });

  asRoot('works on a full and on a read-only disk, where changes fail', () => {
    const script = `set -e
      mount -t tmpfs -o size=48m,mode=755 full /mnt; cp -a ${system.root} /mnt/sys
      dd if=/dev/zero of=/mnt/fill bs=64k 2>/dev/null || true
      "$0" ${HACKTREE} status --sysroot=/mnt/sys | head -1
      "$0" ${HACKTREE} deploy os --sysroot=/mnt/sys && exit 1
      mount -o remount,ro /mnt
      "$0" ${HACKTREE} status --sysroot=/mnt/sys | head -1
      "$0" ${HACKTREE} rollback --sysroot=/mnt/sys && exit 1
      exit 0`;
    const { status: code, stdout, stderr } = run('unshare', ['--mount', 'sh', '-c', script, process.execPath]);
    expect(code).toBe(0);
    expect(stdout.match(/^Booted: host {3}Default: root-2\.0 /gm)).toHaveLength(2);
    expect(stderr).toContain('error: Not enough space to deploy: root file system: ');
    expect(stderr).toContain('Read-only file system');
  });

  asRoot('shows a root that is gone, and one that failed', () => {
    fs.rmSync(system.at('root-1.0'), { recursive: true });
    system.write('sys/gnomeos/state/root-2.0/failed', 'time=1700000000\nreason=health\ncheck=/etc/hacktree/health.d/web\n');
    const text = system.run('status');
    expect(text).toMatch(/^ {2}root-1\.0 \(missing: its directory was deleted\)$/m);
    expect(text).toContain('    Failed: the check /etc/hacktree/health.d/web failed, 2023-11-14T22:13:20Z\n');
  });
});

describe('deploy', () => {
  asRoot('says in a dry run what the menu is now and then, what goes, and what it takes', () => {
    system.write('sys/etc/hacktree/retention.conf', 'keep-last=1\n');
    system.commit('3.0');
    const text = system.run('deploy', 'os', '-n');
    expect(text).toMatch(/root file system: \d+ bytes and \d+ inodes needed, \d+ bytes free/);
    expect(text).toContain('boot menu now:  [root-2.0], root-1.0, host\nboot menu then: [root-3.0], host');
    expect(text).toContain('  remove root-1.0\n');
    expect(names()).toEqual(['root-2.0', 'root-1.0']);
    expect(system.run('deploy', 'os')).toBe(
      'Deployed root-3.0; it boots next\nRemoved by the retention policy: root-1.0, root-2.0',
    );
    expect(names()).toEqual(['root-3.0']);
  });

  asRoot('makes room only where that is enough', () => {
    const script = `mount -t tmpfs -o size=40m,mode=755 small /mnt && cp -a ${system.root} /mnt/sys
      deploy() { "$0" ${HACKTREE} deploy os --sysroot=/mnt/sys "$@"; }
      leave() { dd if=/dev/zero of=/mnt/fill bs=1k count=$(($(stat -f -c '%a * %S / 1024' /mnt) - $1)) 2>/dev/null; }
      leave 100
      deploy --make-room; echo "first: $?"
      rm /mnt/fill; dd if=/dev/zero of=/mnt/sys/gnomeos/root-1.0/etc/big bs=1k count=8192 2>/dev/null; leave 1000
      deploy; echo "second: $?"
      deploy --make-room; echo "third: $?"`;
    const { stdout, stderr } = run('unshare', ['--mount', 'sh', '-c', script, process.execPath]);
    expect(stdout).toContain('first: 1\nsecond: 1\n');
    expect(stderr).toMatch(/^hint: removing root-1\.0 would free .*, which is not enough$/m);
    expect(stderr).toMatch(/^hint: --make-room: removing root-1\.0 would free \d{7,} bytes on the root file system/m);
    expect(stderr + stdout).toContain('Removed to make room: root-1.0\nthird: 0\n');
  });

  asRoot('merges with the default, not with what was rolled back from', () => {
    fs.writeFileSync(system.at('root-1.0', 'etc/mine'), 'of 1.0\n');
    system.run('set-default', '1.0');
    expect(system.deploy('3.0').stderr).toContain('/etc: merged with that of root-1.0');
    expect(system.read('root-3.0', 'etc/mine')).toBe('of 1.0\n');
  });

  asRoot('shares /var and carries /etc on among roots of one OS name, unless told otherwise', () => {
    const vars = join(system.root, 'gnomeos/var');
    fs.writeFileSync(system.at('root-2.0', 'etc/mine'), 'mine\n');
    fs.writeFileSync(join(vars, 'default/state'), 'kept');
    system.write('tree/var/log/fresh', 'fresh\n');
    system.commit('3.0');
    const varOf = (root: string): string => fs.readFileSync(join(system.root, 'gnomeos/state', root, 'boot'), 'utf8');
    const hasMine = (root: string): boolean => fs.existsSync(system.at(root, 'etc/mine'));
    system.run('deploy', 'os', '--name=shared', '--retain');
    system.run('deploy', 'os', '--name=own', '--own-var', '--retain');
    system.run('deploy', 'os', '--name=other', '--os=other', '--retain');
    system.run('deploy', 'os', '--name=fresh', '--no-merge', '--retain');
    expect(['root-shared', 'root-own', 'root-other', 'root-fresh'].map((root) => [varOf(root), hasMine(root)])).toEqual([
      ['var=default\n', true],
      ['var=root-own\n', true],
      ['var=other\n', false],
      ['var=default\n', false],
    ]);
    expect(fs.readdirSync(vars).sort()).toEqual(['default', 'other', 'root-own']);
    expect(fs.existsSync(join(vars, 'default/log/fresh'))).toBe(false);
    expect(fs.readFileSync(join(vars, 'root-own/log/fresh'), 'utf8')).toBe('fresh\n');
    expect(names()).toHaveLength(6);
    system.run('set-default', 'shared');
    system.run('undeploy', 'own');
    expect(fs.existsSync(join(vars, 'root-own'))).toBe(false);
  });

  asRoot('refuses what cannot be, and changes nothing', () => {
    expect(fails('deploy', 'nothing')).toEqual([1, "error: Refspec 'nothing' not found"]);
    expect(fails('deploy', 'os', '--tries=12')).toEqual([2, 'error: --tries must be 0 to 9, not 12']);
    expect(fails('deploy', 'os', '--name=1.0')).toEqual([1, 'error: A root named root-1.0 exists already']);
    expect(fails('deploy', 'os', '--bootloader=lilo')[0]).toBe(2);
    expect(asNobody('deploy', 'os').stderr).toContain('Permission denied');
    expect(names()).toEqual(['root-2.0', 'root-1.0']);
  });
});

describe('rollback, set-default, undeploy, pin', () => {
  asRoot('change what boots, and keep what must stay', () => {
    markGood('root-1.0');
    expect(system.run('rollback')).toBe('root-1.0 boots next; it was root-2.0');
    expect(status()).toMatchObject({ default: 'root-1.0', rollback: 'host' });
    expect(system.run('set-default', '2.0', '--once')).toBe('root-2.0 boots at the next start only');
    expect([status().default, rootStatus('root-2.0')?.isNextOnce]).toEqual(['root-1.0', true]);
    system.run('set-default', '2.0');
    expect(fails('undeploy', '1.0')).toEqual([1, 'error: root-1.0 cannot be removed: it is what boots if the default fails']);
    expect(system.run('set-default', 'host')).toBe('host boots by itself from now on');
    system.run('pin', '2.0');
    expect(fails('undeploy', '2.0')).toEqual([1, 'error: root-2.0 cannot be removed: it is pinned']);
    system.run('unpin', '2.0');
    system.run('undeploy', 'root-2.0');
    expect([names(), fs.existsSync(system.at('root-2.0'))]).toEqual([['root-1.0'], false]);
    expect(fails('set-default', '9')).toEqual([1, 'error: No deployed root named 9']);
    system.run('undeploy', 'root-1.0');
    expect(system.run('status')).toContain('No deployed roots.');
    expect(fs.readdirSync(join(system.root, 'boot/hacktree')).filter((name) => name.length === 64)).toEqual([]);
  });
});

describe('upgrade and switch', () => {
  asRoot('tell booted, deployed and available apart', () => {
    system.run('set-default', '1.0');
    const check = (): Record<string, unknown> => system.json('upgrade', '--check');
    expect(check()).toMatchObject({ refspec: 'os', booted: null, available: { version: '2.0' }, isNewer: false });
    expect(system.run('upgrade')).toBe('No update available.\nroot-2.0 has it; to boot it: hacktree set-default root-2.0');
    system.commit('3.0');
    expect(check()).toMatchObject({ deployed: { version: '1.0' }, available: { version: '3.0' }, isNewer: true });
    expect(system.run('upgrade', '--check')).toContain('Update available.');
    expect(system.run('upgrade')).toContain('Deployed root-3.0; it boots next');
    expect(system.run('upgrade')).toBe('No update available.\nroot-3.0 has it and boots by itself.');
  });

  asRoot('never take a network failure for no update', () => {
    const repo = `--repo=${system.root}/gnomeos/repo`;
    hacktreeOk(['remote', 'add', '--no-gpg-verify', 'gone', 'http://127.0.0.1:9/', repo]);
    hacktreeOk(['refs', '--create=gone:os', 'os', repo]);
    system.run('deploy', 'gone:os', '--name=far');
    const { status: code, stdout, stderr } = system.try('upgrade', '--check', '--exit-code');
    expect([code, stdout]).toEqual([21, '']);
    expect(stderr).toMatch(/^error: /);
  });

  asRoot('ask a mirror without privileges, and without anything to write to', async () => {
    const mirror = join(system.dir, 'mirror');
    const repo = `--repo=${system.root}/gnomeos/repo`;
    hacktreeOk(['init', '--mode=archive', `--repo=${mirror}`]);
    hacktreeOk(['remote', 'add', '--no-gpg-verify', 'near', `file://${mirror}`, repo]);
    const publish = (...summary: string[]): void => {
      hacktreeOk(['pull-local', `${system.root}/gnomeos/repo`, 'os', `--repo=${mirror}`]);
      if (summary.length > 0) hacktreeOk([...summary, `--repo=${mirror}`]);
    };
    publish();
    hacktreeOk(['pull', 'near', 'os', repo]);
    system.run('deploy', 'near:os', '--name=near');
    system.run('set-default', 'near');
    for (const summary of [[], ['summary', '--update']]) {
      system.commit(`3.${summary.length}`);
      publish(...summary);
      const { status: code, stdout, stderr } = asNobody('upgrade', '--check');
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Following near:os\n');
      expect(stdout).toMatch(summary.length === 0 ? /^Available: {1,}[0-9a-f]{64}$/m : /^Available: +[0-9a-f]{64} \(3\.2\)$/m);
      expect(stdout).toContain('Update available.');
    }
    hacktreeOk(['refs', '--delete', 'os', `--repo=${mirror}`]);
    hacktreeOk(['summary', '--update', `--repo=${mirror}`]);
    expect(fails('upgrade', '--check')).toEqual([1, "error: The remote 'near' has no ref 'os'"]);
  });

  asRoot('reach a mirror through the proxy of the environment', async () => {
    const mirror = join(system.dir, 'mirror');
    const repo = `--repo=${system.root}/gnomeos/repo`;
    const publish = (): void => void hacktreeOk(['pull-local', `${system.root}/gnomeos/repo`, 'os', `--repo=${mirror}`]);
    hacktreeOk(['init', '--mode=archive', `--repo=${mirror}`]);
    publish();
    hacktreeOk(['remote', 'add', '--no-gpg-verify', 'far', 'http://mirror.invalid:80/', repo]);
    hacktreeOk(['refs', '--create=far:os', 'os', repo]);
    const server = await startHostileServer(mirror);
    const proxy = await startProxy(new URL(server.url).host);
    const asked = async (...args: string[]): Promise<[number, string]> => {
      proxy.asked.length = 0;
      const { status: code, stdout } = await hacktreeMeanwhile([...args, `--sysroot=${system.root}`], { http_proxy: proxy.url });
      expect(new Set(proxy.asked)).toEqual(new Set(['mirror.invalid:80']));
      return [code, stdout];
    };
    try {
      expect(await asked('switch', 'far:os')).toEqual([0, expect.stringContaining('Upgrades follow far:os')]);
      system.commit('3.0');
      publish();
      hacktreeOk(['refs', '--delete', 'os', repo]);
      expect(await asked('upgrade', '--check')).toEqual([0, expect.stringContaining('Update available.')]);
      expect(await asked('upgrade')).toEqual([0, expect.stringContaining('Deployed root-3.0')]);
    } finally {
      proxy.stop();
      await server.stop();
    }
  });

  asRoot('refuse what is older unless told to take it', () => {
    const older = ['--timestamp=2001-01-01', '--add-metadata-string=version=0.9', '--branch=os'];
    hacktreeOk(['commit', `--repo=${system.root}/gnomeos/repo`, ...older, system.tree]);
    const [code, message] = fails('upgrade');
    expect([code, message]).toEqual([1, expect.stringContaining('is chronologically older than current revision')]);
    expect(system.run('upgrade', '--allow-downgrade')).toContain('Deployed root-0.9');
  });

  asRoot('follow another ref after a switch', () => {
    hacktreeOk(['refs', '--create=next', 'os', `--repo=${system.root}/gnomeos/repo`]);
    expect(system.run('switch', 'next')).toBe('Deployed root-2.0.2; it boots next\nUpgrades follow next');
    expect(system.json('upgrade', '--check')).toMatchObject({ refspec: 'next', isNewer: false });
    expect(fails('switch', 'none')).toEqual([1, "error: Refspec 'none' not found"]);
  });
});

describe('kargs', () => {
  const origins = (): Record<string, string> => {
    const { kargs } = system.json('kargs') as { kargs: { argument: string; origin: string }[] };
    return Object.fromEntries(kargs.map(({ argument, origin }) => [argument, origin]));
  };

  asRoot('come from host, tree and machine, and say so', () => {
    system.run('kargs', '--append=mine=1', '--replace=console=ttyS1', '--delete=quiet');
    expect(origins()).toMatchObject({
      'root=UUID=1234-abcd': 'host',
      'boot=hacktree': 'hacktree',
      'tree.arg=1': 'tree',
      'mine=1': 'machine',
      'console=ttyS1': 'machine',
    });
    expect(Object.keys(origins())).not.toContain('quiet');
    expect(system.run('kargs')).toContain('machine  console=ttyS1\n');
    expect(fs.readFileSync(join(system.root, 'boot/grub/hacktree.cfg'), 'utf8')).toContain('console=ttyS1');
    system.deploy('3.0', '--karg=console=ttyS2');
    expect(origins()).toMatchObject({ 'mine=1': 'machine', 'console=ttyS2': 'machine' });
  });

  asRoot('can be for the next start only', () => {
    system.run('kargs', '--append=debug', '--once');
    expect(Object.keys(origins())).not.toContain('debug');
    expect(rootStatus('root-2.0')).toMatchObject({ isNextOnce: true, onceKargs: expect.arrayContaining(['debug']) });
    expect(system.run('status')).toMatch(/^ {4}Next boot only: .* debug$/m);
  });

  asRoot('cannot take away what the root needs to be found', () => {
    expect(fails('kargs', '--delete=boot')).toEqual([
      1,
      'error: The root could not be booted without the kernel argument boot=hacktree',
    ]);
    expect(fails('kargs', '--replace=hacktree=/gnomeos/root-1.0')[0]).toBe(1);
    expect(fails('kargs', '--once')).toEqual([2, 'error: --once needs an argument to change, such as --append=K=V']);
    expect(origins()['boot=hacktree']).toBe('hacktree');
  });
});

describe('cleanup', () => {
  asRoot('follows the policy file, shows first, and removes leftovers', () => {
    expect(system.run('cleanup', '-n')).toContain('Nothing to remove\n');
    system.deploy('3.0');
    for (const name of ['.new-root-9', '.run-999999999-x', `.run-${process.pid}-x`]) fs.mkdirSync(system.at(name));
    system.write('sys/etc/hacktree/retention.conf', '# newest only\nkeep-last=1\nkeep-version=1.*\n');
    const dry = system.run('cleanup', '--dry-run');
    expect(dry).toMatch(
      /^Would remove \.new-root-9\nWould remove \.run-999999999-x\nWould remove root-2\.0\n[\s\S]*That would free \d+ bytes on the root file system and \d+ in/,
    );
    expect(names()).toEqual(['root-3.0', 'root-2.0', 'root-1.0']);
    expect(system.run('cleanup')).toContain('Removed root-2.0\n');
    expect(names()).toEqual(['root-3.0', 'root-1.0']);
    expect(fs.readdirSync(join(system.root, 'gnomeos')).filter((name) => /^\.(new|run)-/.test(name))).toEqual([
      `.run-${process.pid}-x`,
    ]);
    system.write('sys/etc/hacktree/retention.conf', 'keep=1\n');
    expect(fails('cleanup')[1]).toContain(
      "retention.conf, line 1: expected keep-last=N, keep-days=N or keep-version=GLOB, found 'keep=1'",
    );
  });
});

describe('run', () => {
  const inRoot = (...args: string[]): ReturnType<typeof run> =>
    run(process.execPath, [HACKTREE, 'run', `--sysroot=${system.root}`, ...args]);

  asRoot('runs in a root with everything private, /usr read-only, and writes thrown away', () => {
    const script = 'echo new >/etc/written && cat /etc/written; touch /usr/x; ls /proc/1/exe; exit 7';
    const { status: code, stdout, stderr } = inRoot('root-2.0', '--', 'sh', '-c', script);
    expect([code, stdout]).toEqual([7, 'new\n/proc/1/exe\n']);
    expect(stderr).toContain('Read-only file system');
    expect(fs.existsSync(system.at('root-2.0', 'etc/written'))).toBe(false);
  });

  asRoot('runs a ref that is not deployed, and keeps what is written on request', () => {
    system.write('tree/usr/lib/which', 'ref');
    system.commit('3.0');
    const kept = join(system.dir, 'kept');
    const script = 'cat /usr/lib/which; cat /etc/written; echo again >/etc/written';
    expect(inRoot('os', '--', 'sh', '-c', script).stdout).toBe('ref');
    expect(inRoot('root-2.0', `--persist=${kept}`, '--', 'sh', '-c', script).stdout).toBe('');
    expect(inRoot('root-2.0', `--persist=${kept}`, '--', 'cat', '/etc/written').stdout).toBe('again\n');
    expect(fs.readdirSync(join(system.root, 'gnomeos')).filter((name) => name.startsWith('.run-'))).toEqual([]);
  });

  asRoot('says what is missing', () => {
    expect(fails('run', 'nothing')).toEqual([1, 'error: No deployed root named nothing']);
    expect(inRoot('root-2.0', '--', '/no/such/program').status).toBe(127);
  });

  asRoot('needs no privileges where the kernel lets users make namespaces', () => {
    for (const dir of [system.dir, dirname(system.dir)]) fs.chmodSync(dir, 0o755);
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const isAllowed = run('setpriv', [...nobody, 'unshare', '--user', '--map-root-user', '--mount', 'true']).status === 0;
    const line = [process.execPath, HACKTREE, 'run', `--sysroot=${system.root}`, 'root-2.0', '--', 'id', '-u'];
    const { status: code, stdout } = run('setpriv', [...nobody, ...line]);
    expect([code === 0, stdout]).toEqual([isAllowed, isAllowed ? '0\n' : '']);
  });
});

asRoot('every change takes the lock, and --wait waits for it', () => {
  system.write('sys/gnomeos/root-2.0/etc/hacktree/deploy.d/wait', '#!/bin/sh\necho >/var/started\ncat /var/fifo\n', 0o755);
  const [vars, command] = [join(system.root, 'gnomeos/var/default'), `"$0" ${HACKTREE} --sysroot=${system.root}`];
  runOk('mkfifo', [join(vars, 'fifo')]);
  const script = `${command} deploy os >/dev/null 2>&1 &
    until [ -e ${vars}/started ]; do sleep 0.05; done
    ${command} rollback
    (until [ -s ${system.dir}/waits ]; do sleep 0.05; done; echo >${vars}/fifo) &
    ${command} rollback --wait 2>${system.dir}/waits
    wait; cat ${system.dir}/waits >&2`;
  const { stdout, stderr } = run('sh', ['-c', script, process.execPath]);
  expect(stderr).toMatch(
    /^error: Another hacktree works on this sysroot: pid \d+, command deploy os\n.*\nhint: --wait waits until/,
  );
  expect(stderr).toMatch(/^Waiting for pid \d+, command deploy os\.\.\.$/m);
  expect(stdout).toBe('root-2.0 boots next; it was root-2.0.2\n');
});
