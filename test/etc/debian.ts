/**
 * The /etc of Debian releases, made from the packages themselves: conffiles as they are, and the files that packages put
 * in place by script (ucf, base-passwd) from where they bring them. Downloaded by apt with a private configuration and
 * kept under /var/tmp/hacktree-cache.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { run, runOk } from '../helpers/run.ts';

const CACHE = '/var/tmp/hacktree-cache/debian-etc-2';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PACKAGES = [
  'adduser',
  'base-files',
  'base-passwd',
  'grub-common',
  'grub2-common',
  'login',
  'openssh-server',
  'passwd',
  'sudo',
];

export type Release = 'bookworm' | 'trixie';

/** Files that maintainer scripts install, and the shadow files that shadowconfig makes. */
const INSTALLED: readonly (readonly [string, string])[] = [
  ['usr/share/openssh/sshd_config', 'ssh/sshd_config'],
  ['usr/share/grub/default/grub', 'default/grub'],
  ['usr/share/base-passwd/passwd.master', 'passwd'],
  ['usr/share/base-passwd/group.master', 'group'],
];

/** Day on which the release's image was built: the last password change of all system accounts. */
const BUILD_DAY: Readonly<Record<Release, number>> = { bookworm: 19_500, trixie: 20_300 };

/** Returns a directory with the release's /etc; undefined when it cannot be had and nothing forces the test. */
export function debianEtc(release: Release): string | undefined {
  const dir = path.join(CACHE, release);
  if (fs.existsSync(dir)) return dir;
  fs.mkdirSync(CACHE, { recursive: true });
  const work = fs.mkdtempSync(path.join(CACHE, `.${release}-`));
  try {
    download(release, work);
    makeEtc(release, work);
    fs.renameSync(path.join(work, 'etc'), dir);
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    if (!fs.existsSync(dir)) process.stderr.write(`skipped: no Debian packages of ${release}: ${(error as Error).message}\n`);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  return fs.existsSync(dir) ? dir : undefined;
}

function download(release: Release, work: string): void {
  for (const dir of ['lists', 'cache', 'debs']) fs.mkdirSync(path.join(work, dir));
  fs.writeFileSync(path.join(work, 'status'), '');
  fs.writeFileSync(path.join(work, 'sources'), `deb [signed-by=${KEYRING}] http://deb.debian.org/debian ${release} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': path.join(work, 'sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State': work,
    'Dir::State::lists': path.join(work, 'lists'),
    'Dir::State::status': path.join(work, 'status'),
    'Dir::Cache': path.join(work, 'cache'),
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  runOk('apt-get', [...options, 'update']);
  const packages = release === 'trixie' ? [...PACKAGES, 'login.defs'] : PACKAGES;
  runOk('apt-get', [...options, 'download', ...packages], { cwd: path.join(work, 'debs') });
}

function makeEtc(release: Release, work: string): void {
  for (const deb of fs.readdirSync(path.join(work, 'debs'))) runOk('dpkg-deb', ['-x', path.join(work, 'debs', deb), work]);
  const etc = path.join(work, 'etc');
  for (const [from, to] of INSTALLED) {
    fs.mkdirSync(path.dirname(path.join(etc, to)), { recursive: true });
    fs.copyFileSync(path.join(work, from), path.join(etc, to));
  }
  fs.chmodSync(path.join(etc, 'sudoers'), 0o440);
  const names = (file: string): string[] => fs.readFileSync(path.join(etc, file), 'utf8').match(/^[^:\n]+/gm) ?? [];
  const shadow = names('passwd').map((name) => `${name}:*:${BUILD_DAY[release]}:0:99999:7:::\n`);
  fs.writeFileSync(
    path.join(etc, 'passwd'),
    fs.readFileSync(path.join(etc, 'passwd'), 'utf8').replace(/^([^:]+):\*:/gm, '$1:x:'),
  );
  fs.writeFileSync(path.join(etc, 'shadow'), shadow.join(''), { mode: 0o640 });
  fs.chownSync(path.join(etc, 'shadow'), 0, 42);
  fs.writeFileSync(
    path.join(etc, 'gshadow'),
    names('group')
      .map((name) => `${name}:*::\n`)
      .join(''),
    { mode: 0o640 },
  );
  fs.chownSync(path.join(etc, 'gshadow'), 0, 42);
  for (const file of ['subuid', 'subgid']) fs.writeFileSync(path.join(etc, file), '');
}

/** Runs Debian's adduser and usermod on the account files of an /etc, as an administrator would. */
export function addUser(etcDir: string, name: string, groups: readonly string[]): void {
  const root = fs.mkdtempSync('/var/tmp/hacktree-adduser-');
  try {
    fs.cpSync(etcDir, path.join(root, 'etc'), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    fs.mkdirSync(path.join(root, 'home'));
    const added = run('useradd', [
      '--prefix',
      root,
      '--create-home',
      '--user-group',
      '--groups',
      groups.join(','),
      '--shell',
      '/bin/bash',
      name,
    ]);
    if (added.status !== 0) throw new Error(added.stderr);
    for (const file of ['passwd', 'shadow', 'group', 'gshadow', 'subuid', 'subgid']) {
      fs.writeFileSync(path.join(etcDir, file), fs.readFileSync(path.join(root, 'etc', file)));
    }
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}
