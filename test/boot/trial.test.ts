/**
 * What the boot stories do not show of trial boots: a root that comes up but is not well, and systemd-boot. The menu is written
 * by the real module, the mark set by what the overlay put into /run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot } from './lab/base-root.ts';
import { type Report, waitForReport } from './lab/report.ts';
import {
  addEntry,
  addRoot,
  breakTree,
  finishDisk,
  makeStage,
  rootOf,
  type Stage,
  type StageOptions,
  writeInto,
  writeMenu,
} from './lab/stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm, type VmOptions } from './lab/vm.ts';

const TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'mcopy', 'grub-mkimage', 'setpriv'];
const inVm = requireTool(...TOOLS) && requireRoot() ? it : it.skip;

let dir: string;
let base: BaseRoot;
const image = (): string => join(dir, 'disk.img');

beforeAll(async () => {
  if (!requireTool(...TOOLS) || !requireRoot()) return;
  base = await ensureBaseRoot();
  dir = mkdtempSync('/var/tmp/hacktree-test-');
}, 600_000);
afterEach(stopAllVms);
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

/** Makes a disk with these roots, the first on trial before the second. */
interface TrialOptions extends StageOptions {
  readonly triesLeft?: number;
}

async function makeTrialDisk(
  ids: readonly string[],
  options: TrialOptions = {},
  change: (stage: Stage) => void = () => {},
): Promise<void> {
  const stage = makeStage(base, options);
  for (const id of ids) addRoot(stage, id);
  change(stage);
  const entries = ids.map((id) => addEntry(stage, id));
  await writeMenu(stage, { entries, defaultId: ids[0] ?? '', previousId: ids[1] ?? 'host', triesLeft: options.triesLeft ?? 3 });
  finishDisk(stage, image());
}

const failHealth = (stage: Stage, id: string): void =>
  writeInto(rootOf(stage, id), 'etc/hacktree/health.d/web', '#!/bin/sh\nexit 7\n', 0o755);

const startMachine = (options: Partial<VmOptions> = {}): Vm =>
  startVm({ disk: { path: image(), isDiscarded: false }, ...options });

async function reportOf(vm: Vm, starts = 1): Promise<Report> {
  const found = await waitForReport(vm, starts);
  await vm.waitForExit();
  return found;
}

describe('GRUB', () => {
  inVm(
    'goes back from a root that comes up but is not well; the reason is kept',
    async () => {
      await makeTrialDisk(['root-2', 'root-1'], { triesLeft: 1 }, (stage) => failHealth(stage, 'root-2'));
      const vm = startMachine({ canReboot: true });
      await vm.waitFor(/root-2 is not well: \/etc\/hacktree\/health.d\/web exited with status 7/);
      const found = await reportOf(vm, 2);
      expect(found.one('id')).toBe('root-1');
      expect(found.all('env')).toEqual(expect.arrayContaining(['hacktree_default=root-1', 'hacktree_fell_back=root-2']));
      expect(found.one('env-bytes')).toBe('1024');
      expect(found.all('state')).toEqual(
        expect.arrayContaining([
          'root-2/failed reason=health',
          'root-2/failed check=/etc/hacktree/health.d/web',
          'root-2/failed status=7',
          expect.stringMatching(/^root-1\/good time=/),
        ]),
      );
    },
    3 * BOOT_LIMIT_MS,
  );
});

describe('systemd-boot', () => {
  inVm(
    'proves a root that comes up, and goes back from one that panics',
    async () => {
      await makeTrialDisk(['root-2', 'root-1'], { kind: 'uefi', loader: 'systemd-boot' });
      const proven = await reportOf(startMachine({ firmware: 'uefi' }));
      expect(proven.one('id')).toBe('root-2');
      expect(proven.all('entry')).toEqual(['hacktree-root-1.conf', 'hacktree-root-2.conf', 'host-6.1.conf']);
      expect(proven.all('state')).toContainEqual(expect.stringMatching(/^root-2\/good time=/));

      const options = { kind: 'uefi', loader: 'systemd-boot', triesLeft: 1 } as const;
      await makeTrialDisk(['root-3', 'root-1'], options, (stage) => breakTree(rootOf(stage, 'root-3')));
      const vm = startMachine({ firmware: 'uefi', canReboot: true });
      const afterPanic = await reportOf(vm, 2);
      expect(vm.text.match(/No init found/g)).toHaveLength(1);
      expect(afterPanic.one('id')).toBe('root-1');
      expect(afterPanic.all('entry')).toEqual(['hacktree-root-1.conf', 'hacktree-root-3+0-1.conf', 'host-6.1.conf']);
    },
    3 * BOOT_LIMIT_MS,
  );
});
