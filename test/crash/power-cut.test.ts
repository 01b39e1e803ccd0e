/**
 * Power cuts: every block write of first deployment, upgrade, deployment, rollback and removal is recorded, the disk is put
 * together as a cut at any moment may leave it, and is looked at by Linux (which replays the journal) and by GRUB (which does
 * not). Both must find complete entries only, and the old or the new default; once a command has ended, the new one.
 *
 * A part of the cuts is looked at, the same in each run of one recording; HACKTREE_CUTS=all looks at many more.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { deploy, openSysroot } from '../../src/deploy/index.ts';
import { hacktreeOk, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { judgeGrub, judgeLinux, type Verdict } from './lab/judge.ts';
import { makeRandom } from './lab/random.ts';
import { FILE_SYSTEMS, type FileSystemName, makeImage, type Recording, recordWrites, withMounted } from './lab/recorder.ts';
import { type CutPoint, replayCuts } from './lab/replay.ts';
import { commitArguments, makeSmallHost, markGood, writeSmallTree } from './lab/small-system.ts';
import type { LogEntry } from './lab/write-log.ts';

const TOOLS = ['qemu-storage-daemon', 'grub-mount', 'grub-editenv', 'losetup', 'mke2fs', 'mkfs.xfs', 'mkfs.btrfs', 'setpriv'];
const asRoot = requireRoot() && requireTool(...TOOLS) ? it : it.skip;

const MEMORY = '/dev/shm';
const IS_FULL = process.env.HACKTREE_CUTS === 'all';
const CUTS = IS_FULL ? { prefixes: 16, subsets: 3, share: 1 } : { prefixes: 4, subsets: 1, share: 0.3 };
/** Every so many cuts the next deployment is tried on what is left. */
const REPAIR_EVERY = 25;
const LIMIT_MS = IS_FULL ? 3_600_000 : 300_000;

interface Stage {
  readonly title: string;
  /** What boots by itself once this is done. */
  readonly defaultId: string;
  /** Entries of the recording when the command had ended. */
  readonly end: number;
}

/** The main commands one after the other, each a process of its own. */
async function useIt({ top, position }: Recording, trees: string): Promise<Stage[]> {
  const stages: Stage[] = [];
  const done = (title: string, defaultId: string): void => {
    stages.push({ title, defaultId, end: position() });
  };
  const sysroot = ['--sysroot', top];
  hacktreeOk(['deploy', ...sysroot, 'os']);
  done('deploy', 'root-1.0');
  markGood(top, 'root-1.0');
  hacktreeOk(commitArguments(top, join(trees, '2.0'), '2.0'));
  done('commit', 'root-1.0');
  hacktreeOk(['upgrade', ...sysroot]);
  done('upgrade', 'root-2.0');
  markGood(top, 'root-2.0');
  hacktreeOk(commitArguments(top, join(trees, '2.1'), '2.1'));
  hacktreeOk(['deploy', '--not-as-default', ...sysroot, 'os']);
  done('deploy --not-as-default', 'root-2.0');
  hacktreeOk(['rollback', ...sysroot]);
  done('rollback', 'root-1.0');
  hacktreeOk(['undeploy', ...sysroot, 'root-2.1']);
  done('undeploy', 'root-1.0');
  return stages;
}

/** Defaults that a cut may leave: of the stage it falls into, and of the one before. */
function allowedAt(stages: readonly Stage[], { position, isPrefix }: CutPoint, entries: readonly LogEntry[]): Set<string> {
  // Writes of the stretch may be lost: what it started from counts as well.
  let from = position;
  while (!isPrefix && from > 0 && entries[from - 1] !== 'flush') from--;
  const stageAt = (at: number): number => stages.findIndex(({ end }) => at < end);
  const [first, last] = [stageAt(from), stageAt(position)].map((i) => (i < 0 ? stages.length : i)) as [number, number];
  const defaults = ['host', ...stages.map(({ defaultId }) => defaultId)];
  return new Set(defaults.slice(first, last + 2));
}

interface Count {
  cuts: number;
  repairs: number;
  readonly defaults: Set<string>;
  readonly failures: string[];
}

describe('a power cut at any moment', () => {
  asRoot.each(FILE_SYSTEMS)(
    '%s: leaves complete entries, with the old or the new default, for Linux and for GRUB',
    async (type: FileSystemName) => {
      const dir = scratchDir(MEMORY);
      const image = join(dir, 'base.img');
      for (const version of ['1.0', '2.0', '2.1']) writeSmallTree(join(dir, version), version);
      makeImage(image, type);
      await withMounted(image, join(dir, 'mnt'), (top) => {
        makeSmallHost(top);
        hacktreeOk(commitArguments(top, join(dir, '1.0'), '1.0'));
      });
      let stages: Stage[] = [];
      const entries = await recordWrites(image, dir, async (recording) => {
        stages = await useIt(recording, dir);
      });

      runOk('fallocate', ['--dig-holes', image]);
      const count: Count = { cuts: 0, repairs: 0, defaults: new Set(), failures: [] };
      const options = { ...CUTS, random: makeRandom() };
      const started = performance.now();
      await replayCuts(image, entries, options, (point) => judgeCut(dir, image, point, allowedAt(stages, point, entries), count));
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      process.stderr.write(`${type}: ${entries.length} entries, ${count.cuts} cuts, ${count.repairs} repairs, ${seconds} s\n`);
      expect(count.failures.slice(0, 5)).toEqual([]);
      expect([...count.defaults].sort()).toEqual(['host', 'root-1.0', 'root-2.0']);
      expect(count.repairs).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

/** Looks at the disk of a cut through both readers, and now and then goes on working with it. */
async function judgeCut(dir: string, image: string, point: CutPoint, allowed: ReadonlySet<string>, count: Count): Promise<void> {
  // A name of its own: a loop device that is not gone yet would be used again, with what it has in memory.
  const probe = join(dir, `cut-${count.cuts}.img`);
  runOk('cp', [image, probe]);
  const check = (reader: string, { defaultId, problems }: Verdict, wanted: ReadonlySet<string>): void => {
    if (reader !== 'the next deployment') count.defaults.add(defaultId);
    const wrong = wanted.has(defaultId) ? problems : [...problems, `boots ${defaultId}, not one of ${[...wanted].join(', ')}`];
    if (wrong.length > 0) count.failures.push(`${point.label}: ${reader}: ${wrong.join('; ')}`);
  };
  count.cuts++;
  await withMounted(probe, join(dir, 'mnt'), async (top) => {
    check('Linux', judgeLinux(top), allowed);
    check('GRUB', judgeGrub(image, join(dir, 'grub'), top), allowed);
    if (count.cuts % REPAIR_EVERY !== 0) return;
    count.repairs++;
    const { plan } = await deploy(openSysroot(top), { rev: 'os' });
    check('the next deployment', judgeLinux(top), new Set([plan.root]));
    if (fs.readdirSync(join(top, 'gnomeos')).some((name) => name.startsWith('.new-'))) {
      count.failures.push(`${point.label}: the next deployment leaves something unfinished behind`);
    }
  });
  fs.rmSync(probe);
}
