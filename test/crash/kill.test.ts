/**
 * kill -9 at random moments of upgrades, rollbacks and removals that follow each other on one disk: after each, every entry of
 * the boot menu is complete, the default is the old or the new one, and the next command works. On XFS the file system is
 * frozen for a moment in each command: it must not stay so.
 *
 * HACKTREE_KILLS says how many commands are killed on each file system.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { HOST_ID } from '../../src/bootloader/index.ts';
import { openSysroot, readState, rollbackTarget, type SysrootState } from '../../src/deploy/index.ts';
import { HACKTREE, hacktreeOk, requireRoot, requireTool } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { judgeLinux } from './lab/judge.ts';
import { makeRandom } from './lab/random.ts';
import { makeImage, withMounted } from './lab/recorder.ts';
import { commitArguments, makeSmallHost, markGood, writeSmallTree } from './lab/small-system.ts';

const asRoot = requireRoot() && requireTool('grub-editenv', 'mke2fs', 'mkfs.xfs') ? it : it.skip;

const VERSIONS = ['1.0', '2.0', '2.1', '3.0'];
const KILLS = Number(process.env.HACKTREE_KILLS ?? 25);
const LIMIT_MS = Math.max(600_000, KILLS * 30_000);

/** A command to be killed, and what may boot afterwards. */
interface Job {
  readonly words: readonly string[];
  readonly isAllowed: (defaultId: string) => boolean;
}

type MakeJob = (round: number) => Job;

/** Upgrade, rollback, upgrade, removal of a root that nothing needs, and so on. */
function jobMaker(top: string, commits: readonly string[]): MakeJob {
  const sysroot = ['--sysroot', top];
  let upgrades = 0;
  return (round) => {
    const state = readState(openSysroot(top));
    const before = state.menu.defaultId;
    const spare = round % 4 === 3 ? spareRoot(state) : undefined;
    if (spare !== undefined) return { words: ['undeploy', ...sysroot, spare], isAllowed: (id) => id === before };
    if (round % 4 === 1) {
      const target = rollbackTarget(state);
      return { words: ['rollback', ...sysroot], isAllowed: (id) => id === before || id === target };
    }
    const next = ++upgrades % VERSIONS.length;
    fs.writeFileSync(join(top, 'gnomeos/repo/refs/heads/os'), `${commits[next]}\n`);
    const isNew = (id: string): boolean => id === `root-${VERSIONS[next]}` || id.startsWith(`root-${VERSIONS[next]}.`);
    return { words: ['upgrade', '--allow-downgrade', ...sysroot], isAllowed: (id) => id === before || isNew(id) };
  };
}

function spareRoot({ deployments, menu, lastGood }: SysrootState): string | undefined {
  const needed = [menu.defaultId, menu.previousId, lastGood];
  return deployments.map(({ root }) => root).findLast((root) => !needed.includes(root));
}

/** Runs the command and kills it after a time; undefined lets it end. Gives its exit status, null when it was killed. */
async function runAndKill(
  words: readonly string[],
  afterMs: number | undefined,
): Promise<{ status: number | null; tookMs: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [HACKTREE, ...words], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  if (afterMs !== undefined) {
    const stop = new AbortController();
    await Promise.race([exited, sleep(afterMs, undefined, { signal: stop.signal }).catch(() => undefined)]);
    stop.abort();
    child.kill('SIGKILL');
  }
  const [status] = (await exited) as [number | null];
  return { status, tookMs: performance.now() - started };
}

describe('kill -9 at any moment', () => {
  asRoot.each(['ext4', 'xfs'] as const)(
    '%s: leaves complete entries, with the old or the new default, and the next command works',
    async (type) => {
      const dir = scratchDir('/dev/shm');
      const image = join(dir, 'disk.img');
      makeImage(image, type);
      await withMounted(image, join(dir, 'mnt'), async (top) => {
        makeSmallHost(top);
        const commits = VERSIONS.map((version) => {
          writeSmallTree(join(dir, version), version);
          return hacktreeOk(commitArguments(top, join(dir, version), version));
        });
        fs.writeFileSync(join(top, 'gnomeos/repo/refs/heads/os'), `${commits[0]}\n`);
        hacktreeOk(['deploy', '--sysroot', top, 'os']);
        markGood(top, 'root-1.0');
        const ended = await killRounds(top, jobMaker(top, commits), makeRandom());
        process.stderr.write(`${type}: ${KILLS} killed, ${ended} ended before\n`);
      });
    },
    LIMIT_MS,
  );
});

/** Goes on until so many were killed, and gives the number of those that ended before they could be. */
async function killRounds(top: string, makeJob: MakeJob, random: () => number): Promise<number> {
  const counts = { killed: 0, ended: 0 };
  const usualMs = new Map<string, number>();
  for (let round = 0; counts.killed < KILLS; round++) {
    const { words, isAllowed } = makeJob(round);
    const label = `round ${round}: ${words[0]}`;
    // The last of each kind that ended says how long it takes; now and then the next command has to work on what a kill left.
    const usual = usualMs.get(words[0] ?? '');
    const afterMs = usual === undefined || round % 8 >= 6 ? undefined : usual * (0.3 + 0.7 * random());
    const { status, tookMs } = await runAndKill(words, afterMs);
    if (status === 0) usualMs.set(words[0] ?? '', tookMs);
    if (status === null) counts.killed++;
    else if (afterMs !== undefined) counts.ended++;
    expect([label, status]).toEqual([label, afterMs !== undefined && status === null ? null : 0]);
    const { defaultId, problems } = judgeLinux(top);
    expect([label, defaultId, problems, isAllowed(defaultId)]).toEqual([label, defaultId, [], true]);
    if (status === 0 && defaultId !== HOST_ID) markGood(top, defaultId);
  }
  return counts.ended;
}
