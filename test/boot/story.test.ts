/**
 * The main job, with hacktree's own command: two versions of a stock Debian tree are committed and deployed onto a host's
 * disk, the machine boots the newer one by itself and the older one from the menu, and is rolled back from inside it.
 *
 * The host's disk is prepared from outside (`--sysroot`), as an image builder does. node and hacktree lie in /home, which
 * all roots share: the deployed trees have nothing of hacktree in them. What it leaves out: pulling over a network.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hacktreeOk, PROJECT_DIR, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot } from './lab/base-root.ts';
import { expectDeployed, expectHealthySystem } from './lab/expectations.ts';
import { type Report, waitForReport } from './lab/report.ts';
import { finishDisk, makeStage, makeTree, rootOf, type Stage, topOf, writeInto } from './lab/stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'setpriv', 'grub-mkimage'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

/** The machine's own limit says more when it is the first to be over. */
const TEST_LIMIT_MS = 2 * BOOT_LIMIT_MS;

let dir: string;
let image: string;
let stage: Stage;
let stagedGrubenv: string;

beforeAll(() => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  dir = mkdtempSync('/var/tmp/hacktree-test-');
  image = join(dir, 'disk.img');
  const base = ensureBaseRoot();
  stage = makeStage(base);
  rmSync(join(topOf(stage), 'gnomeos'), { recursive: true });
  hacktreeOk(['sysroot', 'init', '--sysroot', topOf(stage)]);
  commitVersion(base, '1.0');
  deploy();
  writeInto(rootOf(stage, 'root-1.0'), 'etc/issue.net', 'set on this machine\n');
  commitVersion(base, '2.0');
  deploy('--retain');
  stagedGrubenv = readFileSync(join(topOf(stage), 'boot/grub/grubenv'), 'utf8');
  addHacktree(topOf(stage));
  finishDisk(stage, image);
}, 600_000);

afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

/** Commits the stock tree with a file in /usr and a default in /etc that tell the version. */
function commitVersion(base: BaseRoot, version: string): void {
  const tree = join(stage.dir, `tree-${version}`);
  makeTree(base, tree, `root-${version}`);
  writeInto(tree, 'etc/issue', `Lab ${version}\n`);
  const repo = join(topOf(stage), 'gnomeos/repo');
  hacktreeOk(['commit', '--repo', repo, '--branch', 'lab/debian', `--add-metadata-string=version=${version}`, tree]);
  rmSync(tree, { recursive: true });
}

function deploy(...options: string[]): void {
  hacktreeOk(['deploy', '--sysroot', topOf(stage), '--os', 'debian', ...options, 'lab/debian']);
}

/** What is done inside each root after its report: printed as `lab: did ...`. */
const INSIDE = `#!/bin/sh
export LD_LIBRARY_PATH=/home/hacktree/lib
hacktree() { /home/hacktree/node /home/hacktree/bin/hacktree.js "$@" 2>&1; echo "status $?"; }
say() { while read -r line; do echo "lab: $1 $line"; done; }
say issue </etc/issue
say issue-net </etc/issue.net
hacktree status | say status
case $(cat /usr/lib/lab-id) in
root-1.0)
    if [ ! -e /home/rolled-back ]; then
        : >/home/rolled-back
        hacktree rollback | say rollback
    fi
    ;;
esac
`;

/** Puts node and the built hacktree where every root sees them. */
function addHacktree(top: string): void {
  const home = join(top, 'home/hacktree');
  mkdirSync(join(home, 'lib'), { recursive: true });
  for (const name of ['bin', 'dist', 'initramfs', 'package.json'])
    cpSync(join(PROJECT_DIR, name), join(home, name), { recursive: true });
  for (const name of ['koffi', '@koromix'])
    cpSync(join(PROJECT_DIR, 'node_modules', name), join(home, 'node_modules', name), { recursive: true });
  cpSync(process.execPath, join(home, 'node'));
  for (const line of runOk('ldd', [process.execPath]).split('\n')) {
    const path = /lib(?:stdc\+\+|gcc_s)\.so\S* => (\S+)/.exec(line)?.[1];
    if (path !== undefined) cpSync(path, join(home, 'lib', path.slice(path.lastIndexOf('/') + 1)), { dereference: true });
  }
  writeInto(top, 'home/lab-extra', INSIDE, 0o755);
}

function bootDisk(): Vm {
  return startVm({ disk: { path: image, isDiscarded: false } });
}

async function report(vm: Vm): Promise<Report> {
  const result = await waitForReport(vm);
  await vm.waitForExit();
  return result;
}

const env = (found: Report): string[] => found.all('env').filter((line) => /^hacktree_/.test(line));

// Each test goes on with the disk as the one before left it.
describe('a host with two deployed versions', () => {
  inVm(
    'boots the newer one by itself, which proves itself and is taken off its trial',
    async () => {
      expect(stagedGrubenv).toContain('hacktree_tries=3\n');
      const found = await report(bootDisk());
      expectDeployed(found, 'root-2.0');
      expectHealthySystem(found, 'root-2.0');
      expect(found.all('issue')).toEqual(['Lab 2.0']);
      expect(found.all('issue-net')).toEqual(['set on this machine']);
      expect(env(found).sort()).toEqual(['hacktree_default=root-2.0', 'hacktree_previous=host']);
      expect(found.all('status')).toContain('status 0');
    },
    TEST_LIMIT_MS,
  );

  inVm(
    'boots the older one from the menu by cursor keys, where rollback makes it the default',
    async () => {
      const vm = bootDisk();
      await vm.chooseEntry(1);
      const found = await report(vm);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('issue')).toEqual(['Lab 1.0']);
      expect(env(found)).toContain('hacktree_default=root-2.0');
      expect(found.all('rollback')).toEqual(['root-1.0 boots next; it was root-2.0', 'status 0']);
    },
    TEST_LIMIT_MS,
  );

  inVm(
    'boots the older one by itself after that',
    async () => {
      const found = await report(bootDisk());
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(env(found).sort()).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=root-2.0']);
    },
    TEST_LIMIT_MS,
  );
});
