/**
 * npm run demo: the main job on real input. Installs and builds what it needs, makes a small real OS tree (Debian with a kernel by
 * mmdebstrap, else one around busybox), commits two versions of it with bin/hacktree.js, shows log, diff and disk use, publishes them as
 * a mirror on the loopback, pulls both into another repository and checks them out there. Where the tree has a kernel, both are
 * deployed, /etc is merged, one is booted in QEMU if that is installed, and the other after a rollback.
 *
 * Every command is printed before it runs. Only the scratch directory is removed; the tree is kept for the next time.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, makeHost, missingForBoot } from './machine.mjs';
import { ensureBootableTree, ensureBusyboxTree, ensureHostTree } from './os-tree.mjs';
import { ensureDebianPackages, ensureNodeModules, PACKAGES } from './setup.mjs';
import { build, root } from './steps.mjs';

const isRoot = process.getuid() === 0;
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hacktree');

/** Runs in the booted root. */
const REPORT = `#!/bin/sh
exec >/dev/console
say() { "$@" 2>&1 | sed 's/^/demo: /'; }
say grep -e PRETTY_NAME -e BUILD_ID /etc/os-release
say cat /run/hacktree/booted
say grep . /etc/demo.conf
say getent passwd anna
say touch /usr/x
echo demo: done
systemctl poweroff --force --force
`;

ensureNodeModules();
if (isRoot) ensureDebianPackages(PACKAGES.demo);
if (build() !== 0) process.exit(1);

const scratch = mkdtempSync(join(tmpdir(), 'hacktree-demo-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

explain('A small operating system to work on (made once, then kept).');
const source = findTree();
const isBootable = isRoot && existsSync(join(source, 'usr/lib/systemd/systemd'));
const tree = join(scratch, 'tree');
const repo = join(scratch, 'repo');
const program = join(root, 'bin/hacktree.js');
sh(`cp -a ${source} ${tree}`);
sh(`find ${tree} | wc -l; du -sh ${tree}`);
prepare();

explain('A repository, and the tree as its first commit. The checksum covers every name, owner, mode, xattr and byte.');
hacktree(`init --mode=${isRoot ? 'bare' : 'bare-user'}`);
hacktree(`commit --branch=demo/os --subject=${quote('The system as installed')} --add-metadata-string=version=1 ${tree}`);
const first = spawnSync(program, [`--repo=${repo}`, 'rev-parse', 'demo/os'], { encoding: 'utf8' }).stdout.trim();

explain('An update: one file changed, one added, one removed, one chmod. Unchanged files are not stored again.');
update();
hacktree(`commit --branch=demo/os --subject=${quote('An update')} --add-metadata-string=version=2 ${tree}`);

explain('History, and what the update changed.');
hacktree('log demo/os');
hacktree('diff demo/os^ demo/os');

explain('Disk use as the store sees it: shared between commits, and of each alone.');
hacktree('du');

explain('A mirror: the same commits in a repository of mode archive, with a summary, served on the loopback.');
const mirror = join(scratch, 'mirror');
hacktree('init --mode=archive', mirror);
hacktree(`pull-local --depth=-1 ${repo}`, mirror);
hacktree('summary --update', mirror);
const url = await serve(mirror);

explain('Another machine pulls the first version: everything. Objects are verified before they get their names; refs move last.');
const host = join(scratch, 'host');
const client = isRoot ? join(host, 'gnomeos/repo') : join(scratch, 'client');
if (isRoot) {
  makeHost(host);
  system('sysroot init');
} else hacktree('init --mode=bare-user', client);
hacktree(`remote add --no-gpg-verify os ${url}`, client);
hacktree('remote refs os', client);
hacktree(`pull os demo/os@${first}`, client);
if (isBootable) deployFirst();

explain('And the update: what is new, and nothing for the chmod, whose content is here already.');
hacktree('pull os demo/os', client);

explain('Both versions as directories. Files are hard links to the store: it takes a moment and next to no space.');
const user = isRoot ? '' : '--user-mode ';
hacktree(`checkout ${user}${first} ${scratch}/v1`, client);
hacktree(`checkout ${user}os:demo/os ${scratch}/v2`, client);
sh(`tail -n 2 ${scratch}/v1/etc/os-release; echo; tail -n 2 ${scratch}/v2/etc/os-release`);
sh(`du -sh ${client} ${scratch}/v1 ${scratch}/v2`);

explain('Every object is read back and checked.');
hacktree('fsck', client);

if (isBootable) await bootBoth();

console.log(`\nDone. ${scratch} is removed now; the tree stays in ${source}.`);

/** Finds or makes the tree, the best that this machine allows. */
function findTree() {
  const debian = join(cache, 'demo-debian-bootable');
  if (ensureBootableTree(debian)) return debian;
  const busybox = join(cache, 'demo-busybox');
  if (ensureBusyboxTree(busybox)) return busybox;
  const machine = join(cache, 'demo-host');
  ensureHostTree(machine);
  return machine;
}

/** Puts a configuration file into the tree, and a service that says what runs and turns the machine off. */
function prepare() {
  write('etc/demo.conf', 'colour=blue\n\n\n\nshape=round\n');
  write('etc/demo.old', 'old\n');
  write('etc/demo.key', 'key\n');
  if (!isBootable) return;
  write('usr/lib/demo-report', REPORT);
  chmodSync(join(tree, 'usr/lib/demo-report'), 0o755);
  write('usr/lib/systemd/system/demo-report.service', '[Service]\nType=oneshot\nExecStart=/usr/lib/demo-report\n');
  sh(`ln -s /usr/lib/systemd/system/demo-report.service ${tree}/etc/systemd/system/multi-user.target.wants/`);
}

/** Changes the tree as a small update would. */
function update() {
  sh(`echo BUILD_ID=2 >> ${tree}/etc/os-release`);
  sh(`echo 'Welcome to version 2.' > ${tree}/etc/motd.demo`);
  sh(`sed -i s/round/square/ ${tree}/etc/demo.conf`);
  sh(`chmod 0600 ${tree}/etc/demo.key`);
  sh(`rm ${tree}/etc/demo.old`);
}

/** A first root, and a change that its administrator makes. */
function deployFirst() {
  explain(
    'The first version as a root that the boot menu offers. A host with GRUB is a directory here; the accounts of its people come along.',
  );
  system('deploy os:demo/os');
  explain('Its administrator changes a line of /etc.');
  sh(`sed -i s/blue/red/ ${host}/gnomeos/root-1/etc/demo.conf`);
}

/** The second root, its merged /etc, both booted. */
async function bootBoth() {
  explain('What would an upgrade do? The new default and the local change of one file are merged, before anything is booted.');
  system('deploy os:demo/os --dry-run');
  system('upgrade');
  system('etc diff root-1');
  await bootIfPossible('The machine boots: GRUB takes the newest root, which shows what it is.');
  explain('Back to the version before: one line of the boot menu changes, no root is written.');
  system('rollback');
  system('status');
  await bootIfPossible('And the machine boots the old version, with its /etc as it was.');
}

async function bootIfPossible(title) {
  const missing = missingForBoot();
  explain(title);
  if (missing.length > 0)
    return console.log(`Left out: ${missing.join(', ')} missing. On Debian: apt-get install qemu-system-x86 grub-pc-bin`);
  console.log('$ qemu-system-x86_64 ...');
  const start = performance.now();
  for (const line of await boot(host, scratch)) console.log(line);
  console.log(`(${((performance.now() - start) / 1000).toFixed(0)} s, in software emulation)`);
}

function write(path, text) {
  writeFileSync(join(tree, path), text);
}

function explain(text) {
  console.log(`\n# ${text}`);
}

function hacktree(args, at = repo) {
  sh(`${quote(program)} --repo=${at} ${args}`, `$ hacktree --repo=${at} ${args}`);
}

/** Runs a command on the host's directory. */
function system(args) {
  sh(`${quote(program)} ${args} --sysroot=${host}`, `$ hacktree ${args} --sysroot=${host}`);
}

/** Starts a server that ends with the demo; returns its URL. */
async function serve(at) {
  console.log(`$ hacktree --repo=${at} serve --listen=127.0.0.1:0 &`);
  const child = spawn(program, [`--repo=${at}`, 'serve', '--listen=127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill());
  for await (const line of child.stdout) {
    console.log(String(line).trimEnd());
    child.unref();
    child.stdout.destroy();
    return /http:\S+/.exec(String(line))[0];
  }
  console.error('The server ended at once');
  process.exit(1);
}

/** Prints a shell command and runs it; ends the demo when it fails. */
function sh(command, shown = `$ ${command}`) {
  console.log(shown);
  const { status, signal } = spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) return;
  console.error(`The command ended with ${signal ?? `status ${status}`}`);
  process.exit(1);
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
