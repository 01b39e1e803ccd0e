/** What deployments make of /etc, as a user sees it: what comes from the host, dry runs, conflicts, local scripts. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { hacktreeOk, requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { TestSystem } from '../helpers/sysroot.ts';
import { makeTinyRoot } from '../helpers/tiny-root.ts';
import { readTree } from './trees.ts';

const isAble = requireRoot() && requireTool('grub-editenv', 'unshare', 'ldd', 'script');
const asRoot = isAble ? it : it.skip;

let system: TestSystem;

beforeEach(() => {
  if (isAble) system = TestSystem.make();
});

const mode = (path: string): string => (fs.lstatSync(path).mode & 0o7777).toString(8);
const stateOf = (root: string, name: string): string => join(system.root, 'gnomeos/state', root, name);

/** Everything below the sysroot but locks, which stay when nobody holds them: to see that nothing changed. */
const everything = (): unknown => {
  const { 'gnomeos/lock': _, 'gnomeos/repo/.lock': __, ...rest } = readTree(system.root);
  return rest;
};

describe('a first deployment', () => {
  const ACCOUNTS = { passwd: 'root:x:0:0::/root:/bin/sh\n', group: 'root:x:0:\n', shadow: 'root:*:1::::::\n' };
  const ANNA = { passwd: 'anna:x:1000:1000::/home/anna:/bin/zsh\n', group: 'anna:x:1000:\n', shadow: 'anna:$6$x:9::::::\n' };

  beforeEach(() => {
    if (!isAble) return;
    for (const [file, text] of Object.entries(ACCOUNTS)) {
      system.write(`tree/etc/${file}`, text);
      system.write(`sys/etc/${file}`, text + ANNA[file as keyof typeof ANNA]);
    }
    system.write('tree/etc/hostname', 'tree\n');
    system.write('tree/etc/machine-id', '');
    system.write('sys/etc/hostname', 'myhost\n');
    system.write('sys/etc/machine-id', '0123456789abcdef0123456789abcdef\n', 0o444);
    system.write('sys/etc/adjtime', '0.0 0 0.0\n0\nUTC\n');
    system.write('sys/etc/ssh/ssh_host_ed25519_key', 'PRIVATE', 0o600);
    system.write('sys/etc/ssh/sshd_config', 'of the host');
    system.write('sys/etc/motd', 'of the host');
  });

  const identity = (root: string): unknown =>
    ['hostname', 'machine-id', 'adjtime', 'ssh/ssh_host_ed25519_key', 'fstab'].map((name) => system.read(root, `etc/${name}`));
  const IDENTITY = [
    'myhost\n',
    '0123456789abcdef0123456789abcdef\n',
    '0.0 0 0.0\n0\nUTC\n',
    'PRIVATE',
    'UUID=5 /data ext4 x 0 2\n',
  ];

  asRoot("takes the host's accounts and identity and nothing else, and later ones carry them on", () => {
    fs.appendFileSync(join(system.root, 'etc/fstab'), 'UUID=5 /data ext4 x 0 2\n');
    const { stderr } = system.deploy('1.0');
    expect(stderr).toContain('/etc: the defaults, with what comes from the host');
    expect(stderr).toContain('accounts  users anna; groups anna');
    expect(stderr).toContain("conflict  accounts: the new root has no /bin/zsh, the shell of 'anna'; it got /bin/sh");
    expect(identity('root-1.0')).toEqual(IDENTITY);
    expect(mode(system.at('root-1.0', 'etc/ssh/ssh_host_ed25519_key'))).toBe('600');
    expect(fs.existsSync(system.at('root-1.0', 'etc/ssh/sshd_config'))).toBe(false);
    expect(fs.existsSync(system.at('root-1.0', 'etc/motd'))).toBe(false);
    expect(system.read('root-1.0', 'etc/shadow')).toBe(ACCOUNTS.shadow + ANNA.shadow);
    expect(system.read('root-1.0', 'usr/etc/hostname')).toBe('tree\n');
    system.write('tree/etc/hostname', 'newer\n');
    fs.writeFileSync(join(system.root, 'etc/hostname'), 'renamed host\n');
    system.deploy('2.0');
    expect(identity('root-2.0')).toEqual(IDENTITY);
    expect(system.read('root-2.0', 'etc/shadow')).toBe(ACCOUNTS.shadow + ANNA.shadow);
  });

  asRoot("finds a shell through the tree's own links", () => {
    makeTinyRoot(system.tree, ['sh']);
    fs.symlinkSync('/usr/bin/sh', join(system.tree, 'usr/bin/zsh'));
    expect(system.deploy('1.0').stderr).not.toContain('conflict');
    expect(system.read('root-1.0', 'etc/passwd')).toContain(':/bin/zsh\n');
  });

  asRoot("follows the host's policy file, which comes along with its scripts", () => {
    makeTinyRoot(system.tree, ['sh', 'cat']);
    system.write('sys/etc/hacktree/etc-policy.conf', 'hostname merge\nnetwork/** user\nlink user\n[accounts]\nuser daemon\n');
    system.write('sys/etc/hacktree/deploy.d/10-hello', '#!/bin/sh\ncat /etc/hostname\necho configured >/etc/by-script\n', 0o755);
    system.write('sys/etc/network/interfaces', 'auto lo\n');
    fs.symlinkSync('/run/elsewhere', join(system.root, 'etc/link'));
    system.write('sys/etc/passwd', `${ACCOUNTS.passwd}daemon:x:2:2::/:/bin/sh\n`);
    system.deploy('1.0');
    expect(system.read('root-1.0', 'etc/hostname')).toBe('tree\n');
    expect(system.read('root-1.0', 'etc/network/interfaces')).toBe('auto lo\n');
    expect(fs.readlinkSync(system.at('root-1.0', 'etc/link'))).toBe('/run/elsewhere');
    expect(system.read('root-1.0', 'etc/passwd')).toContain('daemon:x:2:2::/:/bin/sh\n');
    expect(system.read('root-1.0', 'etc/by-script')).toBe('configured\n');
    expect(fs.readFileSync(stateOf('root-1.0', 'scripts.log'), 'utf8')).toBe('== 10-hello: ended with status 0\ntree\n');
    expect(mode(system.at('root-1.0', 'etc/hacktree/deploy.d/10-hello'))).toBe('755');
  });

  asRoot('writes nothing outside the new root, wherever links of the tree lead', () => {
    system.write('outside/sshd', 'untouched');
    fs.symlinkSync(join(system.dir, 'outside'), join(system.tree, 'etc/ssh'));
    const { stderr } = system.deploy('1.0');
    expect(stderr).toContain('ignored   ssh: no directory in the new defaults; not taken from the host');
    expect(fs.readdirSync(join(system.dir, 'outside'))).toEqual(['sshd']);
  });
});

describe('deploy --dry-run', () => {
  asRoot('shows what would become of /etc and changes nothing', () => {
    system.write('tree/etc/motd', 'one\n');
    system.write('tree/etc/conf', 'a=1\n\n\n\nb=2\n');
    system.deploy('1.0');
    system.write('tree/etc/motd', 'two\n');
    system.write('tree/etc/conf', 'a=1\n\n\n\nb=3\n');
    system.write('tree/etc/fresh', 'fresh\n');
    system.commit('2.0');
    fs.writeFileSync(system.at('root-1.0', 'etc/motd'), 'mine\n');
    fs.writeFileSync(system.at('root-1.0', 'etc/conf'), 'a=7\n\n\n\nb=2\n');
    fs.writeFileSync(system.at('root-1.0', 'etc/added'), 'added\n');
    fs.rmSync(system.at('root-1.0', 'etc/os-release'));
    const before = everything();
    const text = system.run('deploy', 'os', '--dry-run');
    expect(text).toContain('/etc: merged with that of root-1.0 (1 conflict, 1 merged, ');
    expect(text).toMatch(/^ {2}conflict {2}motd: .*\(line 1 of the local file\); the other version: motd\.hacktree-new$/m);
    expect(text).toMatch(/^ {2}merged {4}conf: changed on both sides, merged$/m);
    expect(text).toMatch(/^ {2}kept {6}added: added here$/m);
    expect(text).toMatch(/^ {2}removed {3}os-release: removed here$/m);
    expect(text).toMatch(/^ {2}merge \/etc of root-1\.0$/m);
    const { etc } = system.json('deploy', 'os', '--dry-run') as { etc: { conflicts: string[]; from: string } };
    expect([etc.from, etc.conflicts]).toEqual(['root-1.0', ['motd']]);
    const refused = system.try('deploy', 'os', '--dry-run', '--etc-conflict=fail', '--exit-code');
    expect([refused.status, refused.stdout.includes('conflict  motd')]).toEqual([25, true]);
    expect(everything()).toEqual(before);
    const { stderr } = system.try('deploy', 'os');
    expect(stderr).toContain('  conflict  motd: ');
    expect(system.read('root-2.0', 'etc/conf')).toBe('a=7\n\n\n\nb=3\n');
  });

  asRoot('shows what would come from the host', () => {
    system.write('tree/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
    system.write('sys/etc/passwd', 'anna:x:1000:1000::/home/anna:\n');
    system.write('sys/etc/hostname', 'myhost\n');
    system.commit('1.0');
    const before = everything();
    const text = system.run('deploy', 'os', '--dry-run');
    expect(text).toContain('  accounts  users anna; groups none\n');
    expect(text).toContain("  kept      hostname: the host's\n");
    expect(everything()).toEqual(before);
  });

  asRoot('tells somebody who may not see it so', () => {
    system.write('tree/etc/shadow', 'root:*:1::::::\n', 0o600);
    system.deploy('1.0');
    fs.chmodSync(system.dir, 0o755);
    const args = ['bin/hacktree.js', 'deploy', 'os', '--dry-run', `--sysroot=${system.root}`];
    const { status, stdout, stderr } = run('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      ...args,
    ]);
    expect([status, stdout.startsWith('root-1.0.2: ')]).toEqual([0, true]);
    expect(stderr).toBe('warning: What would become of /etc is not shown: not all of it may be read by you\n');
  });
});

describe('--etc-conflict and the policy file', () => {
  beforeEach(() => {
    if (!isAble) return;
    system.write('tree/etc/motd', 'one\n');
    system.deploy('1.0');
    fs.writeFileSync(system.at('root-1.0', 'etc/motd'), 'mine\n');
    system.write('tree/etc/motd', 'two\n');
    system.commit('2.0');
  });

  const motd = (): (string | undefined)[] =>
    ['motd', 'motd.hacktree-new', 'motd.hacktree-user'].map((name) => {
      const path = system.at('root-2.0', `etc/${name}`);
      return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined;
    });

  asRoot.each([
    [['--etc-conflict=keep'], '', ['mine\n', 'two\n', undefined]],
    [['--etc-conflict=new'], '', ['two\n', undefined, 'mine\n']],
    [['--etc-conflict=fail'], 'motd new\n', ['two\n', undefined, 'mine\n']],
    [['--etc-conflict=new'], '/etc/motd keep\n', ['mine\n', 'two\n', undefined]],
  ])('%j with the policy %j', (options, policy, expected) => {
    fs.mkdirSync(system.at('root-1.0', 'etc/hacktree'));
    fs.writeFileSync(system.at('root-1.0', 'etc/hacktree/etc-policy.conf'), policy);
    system.run('deploy', 'os', ...options);
    expect(motd()).toEqual(expected);
  });

  asRoot('fail deploys nothing, from either place', () => {
    const refuses = (...options: string[]): void => {
      const before = everything();
      const { status, stderr } = system.try('deploy', 'os', '--exit-code', ...options);
      expect([status, stderr]).toEqual([
        25,
        expect.stringContaining('error: Local changes to /etc conflict with new defaults: motd ('),
      ]);
      expect(everything()).toEqual(before);
    };
    refuses('--etc-conflict=fail');
    fs.mkdirSync(system.at('root-1.0', 'etc/hacktree'));
    fs.writeFileSync(system.at('root-1.0', 'etc/hacktree/etc-policy.conf'), 'mot? fail\n');
    refuses();
    expect(system.json('status').default).toBe('root-1.0');
  });
});

describe('local scripts', () => {
  beforeEach(() => {
    if (isAble) makeTinyRoot(system.tree, ['sh', 'cat']);
  });

  asRoot('that fail undo the deployment, and say why', () => {
    system.deploy('1.0');
    system.write('sys/gnomeos/root-1.0/etc/hacktree/deploy.d/10-fails', '#!/bin/sh\necho no way\nexit 3\n', 0o755);
    system.commit('2.0');
    const before = everything();
    const { status, stderr } = system.try('deploy', 'os');
    expect([status, stderr]).toEqual([1, expect.stringContaining('The script 10-fails failed: ended with status 3')]);
    expect(stderr).toContain('hint: no way');
    expect(everything()).toEqual(before);
  });

  asRoot(
    '--shell-on-error opens a shell in the new root on a terminal, which Ctrl-C does not end, and goes on if it exits with 0',
    () => {
      system.write('sys/etc/hacktree/deploy.d/10-fails', '#!/bin/sh\nexit 3\n', 0o755);
      system.commit('1.0');
      const deployment = `${process.execPath} bin/hacktree.js deploy os --shell-on-error --sysroot=${system.root}`;
      // Ctrl-C reaches the shell around it too, which must live on to tell the status.
      const line = `trap : INT; ${deployment}; echo ended with $?`;
      const seen = join(system.dir, 'terminal');
      const prompts = (count: number): string =>
        `until [ "$(grep -o 'new root #' ${seen} | wc -l)" -ge ${count} ]; do sleep 0.05; done`;
      const onTerminal = (input: string): string => {
        fs.writeFileSync(seen, '');
        const type = `(${prompts(1)}; printf '\\003'; ${prompts(2)}; printf '${input}')`;
        runOk('sh', ['-c', `${type} | script -qfc '${line}' ${seen}`], { env: { TERM: 'dumb', SHELL: '/bin/sh' } });
        return fs.readFileSync(seen, 'utf8');
      };
      expect(onTerminal('exit 5\\n')).toContain('ended with 1');
      expect(fs.existsSync(system.at('root-1.0'))).toBe(false);
      expect(onTerminal('echo by hand >/etc/mended\\nexit 0\\n')).toContain('ended with 0');
      expect(system.read('root-1.0', 'etc/mended')).toBe('by hand\n');
      expect(fs.readFileSync(stateOf('root-1.0', 'scripts.log'), 'utf8')).toContain('== 10-fails: ended with status 3\n');
    },
  );

  asRoot('that fail in a first deployment leave no /var behind either', () => {
    system.write('sys/etc/hacktree/deploy.d/10-fails', '#!/bin/sh\necho x >/var/log/by-script\nexit 3\n', 0o755);
    system.commit('1.0');
    const before = everything();
    expect(system.try('deploy', 'os').status).toBe(1);
    expect(everything()).toEqual(before);
  });

  asRoot('--shell-on-error changes nothing without a terminal', () => {
    system.write('sys/etc/hacktree/deploy.d/10-fails', '#!/bin/sh\nexit 3\n', 0o755);
    system.commit('1.0');
    expect(system.try('deploy', 'os', '--shell-on-error').status).toBe(1);
    expect(fs.existsSync(system.at('root-1.0'))).toBe(false);
  });
});

describe('stamps of systemd', () => {
  asRoot('are removed from /etc and from a /var that has one', () => {
    system.write('tree/etc/.updated', '');
    system.write('tree/var/.updated', '');
    system.deploy('1.0');
    const stamps = ['root-1.0/etc', 'var/default'].map((dir) => join(system.root, 'gnomeos', dir, '.updated'));
    expect(stamps.map((path) => fs.existsSync(path))).toEqual([false, false]);
    for (const path of stamps) fs.writeFileSync(path, '');
    system.deploy('2.0');
    expect(fs.existsSync(system.at('root-2.0', 'etc/.updated'))).toBe(false);
    expect(fs.existsSync(join(system.root, 'gnomeos/var/default/.updated'))).toBe(false);
  });
});

asRoot('a tree without any /etc keeps what is there', () => {
  system.write('tree/etc/motd', 'one\n');
  system.deploy('1.0');
  fs.writeFileSync(system.at('root-1.0', 'etc/mine'), 'mine\n');
  fs.rmSync(join(system.tree, 'etc'), { recursive: true });
  system.deploy('2.0');
  expect([system.read('root-2.0', 'etc/mine'), fs.existsSync(system.at('root-2.0', 'etc/motd'))]).toEqual(['mine\n', false]);
  expect(hacktreeOk(['etc', 'diff', `--sysroot=${system.root}`])).toContain('+mine');
});
