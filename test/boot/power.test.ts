/**
 * The power is cut at random moments of upgrades, rollbacks and removals that follow each other in a machine: QEMU is killed, and
 * its disk has what it had passed on. After each cut every entry of the boot menu is complete, for Linux, which replays the
 * journal, and for GRUB, which does not; the file system has no errors; the next machine goes on with the disk as it is.
 *
 * HACKTREE_POWER_CUTS says how many, HACKTREE_SEED which moments.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { judgeGrub, judgeLinux } from '../crash/lab/judge.ts';
import { makeRandom } from '../crash/lab/random.ts';
import { withMounted } from '../crash/lab/recorder.ts';
import { commitArguments, makeSmallHost, markGood, writeSmallTree } from '../crash/lab/small-system.ts';
import { hacktreeOk, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot } from './lab/base-root.ts';
import { finishDisk, HOST_ARGUMENTS, makeStage, topOf, writeInto } from './lab/stage.ts';
import { addHacktree, LAB_LIMIT_MS } from './lab/story.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'e2fsck', 'setpriv', 'grub-mount', 'grub-editenv'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

const CUTS = Number(process.env.HACKTREE_POWER_CUTS ?? 6);
const SEED = Number(process.env.HACKTREE_SEED ?? 1);
const VERSIONS = ['1.0', '2.0', '2.1'];
const UUID = '6a8f0c1e-0000-4000-8000-000000000c07';

let dir: string;
let base: BaseRoot;
const path = (name: string): string => join(dir, name);

beforeAll(async () => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  base = await ensureBaseRoot();
  dir = fs.mkdtempSync('/var/tmp/hacktree-test-');
  makeWorkingHost();
  await makeSmallDisk();
}, LAB_LIMIT_MS);

afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) fs.rmSync(dir, { recursive: true });
});

/** The system that hacktree runs in; it works on the other disk. */
function makeWorkingHost(): void {
  const stage = makeStage(base);
  addHacktree(topOf(stage), 'upgrades');
  finishDisk(stage, path('host.img'));
}

/** A host with GRUB's files, and three versions; the first is deployed. */
async function makeSmallDisk(): Promise<void> {
  const image = path('disk.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 400 << 20);
  runOk('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^orphan_file,^metadata_csum_seed', '-J', 'size=4', '-U', UUID, image]);
  await withMounted(image, path('mnt'), (top) => {
    makeSmallHost(top);
    const commits = VERSIONS.map((version) => {
      const tree = path(version);
      writeSmallTree(tree, version);
      return hacktreeOk(commitArguments(top, tree, version));
    });
    writeInto(top, 'commits', `${commits.join('\n')}\n`);
    writeInto(top, 'gnomeos/repo/refs/heads/os', `${commits[0]}\n`);
    hacktreeOk(['deploy', '--sysroot', top, 'os']);
    markGood(top, 'root-1.0');
  });
}

/** Starts the machine that works on the disk, and waits until it does. */
async function startWork(): Promise<Vm> {
  const vm = startVm({
    disk: { path: path('host.img') },
    secondDisk: { path: path('disk.img'), isDiscarded: false, isFlushed: true },
    directBoot: {
      kernel: base.kernel,
      initrd: base.initrds.small,
      commandLine: `${HOST_ARGUMENTS} panic=1 init=/home/lab-extra`,
    },
  });
  await vm.waitFor(/lab: goes on after round \d+\n/);
  return vm;
}

/** What is wrong with the disk, and what it boots. */
async function judgeDisk(): Promise<{ defaultId: string; problems: string[] }> {
  const probe = path('probe.img');
  runOk('cp', ['--sparse=always', path('disk.img'), probe]);
  const found = await withMounted(probe, path('mnt'), (top) => {
    const [linux, grub] = [judgeLinux(top), judgeGrub(path('disk.img'), path('grub'), top)];
    const problems = [...linux.problems, ...grub.problems.map((problem) => `GRUB: ${problem}`)];
    if (grub.defaultId !== linux.defaultId) problems.push(`GRUB boots ${grub.defaultId}, Linux finds ${linux.defaultId}`);
    return { defaultId: linux.defaultId, problems };
  });
  runOk('e2fsck', ['-f', '-n', probe]);
  fs.rmSync(probe);
  return found;
}

describe('QEMU killed at any moment', () => {
  inVm(
    'leaves complete entries for Linux and for GRUB, and the next machine goes on',
    async () => {
      const random = makeRandom(SEED);
      const first = await startWork();
      const started = performance.now();
      await first.waitFor(/lab: round \d+ 0\n/);
      const usualMs = performance.now() - started;
      await first.stop();
      const count = { commands: 0, amid: 0 };
      for (let cut = 1; cut <= CUTS; cut++) {
        const vm = await startWork();
        await sleep(2 * usualMs * random());
        await vm.stop();
        const ended = [...vm.text.matchAll(/lab: round (\d+) (\d+)/g)].map(([, , status]) => status);
        expect([cut, ended.filter((status) => status !== '0'), vm.text.match(/error:.*/g)]).toEqual([cut, [], null]);
        count.commands += ended.length;
        if (/lab: upgrade \d+\n(?!.*lab: round)/s.test(vm.text)) count.amid++;
        const { defaultId, problems } = await judgeDisk();
        expect([cut, problems]).toEqual([cut, []]);
        expect(defaultId).toMatch(/^root-/);
      }
      // After the last cut as well there is a machine that goes on, to the end of a command.
      const last = await startWork();
      await last.waitFor(/lab: round \d+ 0\n/);
      await last.stop();
      process.stderr.write(
        `power cuts, seed ${SEED}: ${CUTS} (${count.amid} amid an upgrade), ${count.commands} commands ended between\n`,
      );
    },
    (CUTS + 2) * 4 * BOOT_LIMIT_MS,
  );
});
