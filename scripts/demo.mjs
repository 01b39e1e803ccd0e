/**
 * npm run demo: the main job on real input. Installs and builds what it needs, makes a small real OS tree (Debian by mmdebstrap, else
 * one around busybox), commits two versions of it with bin/hacktree.js, checks both out, shows log, diff and disk use.
 *
 * Every command is printed before it runs. Only the scratch directory is removed; the tree is kept for the next time.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBusyboxTree, ensureDebianTree, ensureHostTree } from './os-tree.mjs';
import { ensureDebianPackages, ensureNodeModules, PACKAGES } from './setup.mjs';
import { build, root } from './steps.mjs';

const isRoot = process.getuid() === 0;
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hacktree');

ensureNodeModules();
if (isRoot) ensureDebianPackages(PACKAGES.demo);
if (build() !== 0) process.exit(1);

const scratch = mkdtempSync(join(tmpdir(), 'hacktree-demo-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

explain('A small operating system to work on (made once, then kept).');
const source = findTree();
const tree = join(scratch, 'tree');
const repo = join(scratch, 'repo');
sh(`cp -a ${source} ${tree}`);
sh(`find ${tree} | wc -l; du -sh ${tree}`);

explain('A repository, and the tree as its first commit. The checksum covers every name, owner, mode, xattr and byte.');
hacktree(`init --mode=${isRoot ? 'bare' : 'bare-user'}`);
hacktree(`commit --branch=demo/os --subject=${quote('The system as installed')} --add-metadata-string=version=1 ${tree}`);

explain('An update: one file changed, one added, one removed, one chmod. Unchanged files are not stored again.');
update();
hacktree(`commit --branch=demo/os --subject=${quote('An update')} --add-metadata-string=version=2 ${tree}`);

explain('History, and what the update changed.');
hacktree('log demo/os');
hacktree('diff demo/os^ demo/os');

explain('Both versions as directories. Files are hard links to the store: it takes a moment and next to no space.');
const user = isRoot ? '' : '--user-mode ';
hacktree(`checkout ${user}demo/os^ ${scratch}/v1`);
hacktree(`checkout ${user}demo/os ${scratch}/v2`);
sh(`tail -n 2 ${scratch}/v1/etc/os-release; echo; tail -n 2 ${scratch}/v2/etc/os-release`);
sh(`du -sh ${repo} ${scratch}/v1 ${scratch}/v2`);

explain('Disk use as the store sees it: shared between commits, and of each alone.');
hacktree('du');

explain('Every object is read back and checked.');
hacktree('fsck');

console.log(`\nDone. ${scratch} is removed now; the tree stays in ${source}.`);

/** Finds or makes the tree, the best that this machine allows. */
function findTree() {
  const debian = join(cache, 'demo-debian');
  if (ensureDebianTree(debian, { variant: 'essential' })) return debian;
  const busybox = join(cache, 'demo-busybox');
  if (ensureBusyboxTree(busybox)) return busybox;
  const host = join(cache, 'demo-host');
  ensureHostTree(host);
  return host;
}

/** Changes the tree as a small update would. */
function update() {
  sh(`echo BUILD_ID=2 >> ${tree}/etc/os-release`);
  sh(`echo 'Welcome to version 2.' > ${tree}/etc/motd.demo`);
  sh(`chmod 0600 ${tree}/etc/passwd`);
  sh(`rm ${tree}/etc/group`);
}

function explain(text) {
  console.log(`\n# ${text}`);
}

function hacktree(args) {
  sh(`${quote(join(root, 'bin/hacktree.js'))} --repo=${repo} ${args}`, `$ hacktree --repo=${repo} ${args}`);
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
