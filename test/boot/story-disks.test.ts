/** The main job on a machine with UEFI, told in four starts. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { requireRoot, requireTool } from '../helpers/run.ts';
import { expectDeployed, expectHealthySystem } from './lab/expectations.ts';
import {
  closeStoryLab,
  environmentOf,
  LAB_LIMIT_MS,
  openStoryLab,
  publishBrokenVersion,
  STEP_TEST_LIMIT_MS,
  STORY_TOOLS,
  Story,
  type StoryLab,
} from './lab/story.ts';
import { stopAllVms } from './lab/vm.ts';

const inVm = requireTool(...STORY_TOOLS) && requireRoot() ? it : it.skip;

let lab: StoryLab | undefined;
const times: string[] = [];

beforeAll(async () => {
  if (!requireTool(...STORY_TOOLS) || !requireRoot()) return;
  lab = await openStoryLab();
  publishBrokenVersion(lab, 'lab/debian-broken');
}, LAB_LIMIT_MS);

afterEach(stopAllVms);
afterAll(async () => {
  await closeStoryLab(lab);
  process.stderr.write(times.map((line) => `${line}\n`).join(''));
});

describe('UEFI', () => {
  inVm(
    'deploys, boots, upgrades, goes back in the menu and for good, falls back from a version that cannot boot',
    async () => {
      const story = new Story(lab as StoryLab, { story: 'short', kind: 'uefi' });

      const host = await story.stepOf(story.start(), 1);
      expect(host.one('id')).toBe('host');
      expect(host.all('deploy').slice(-2)).toEqual(['Deployed root-1.0; it boots next', 'status 0']);

      const first = await story.stepOf(story.start(), 2);
      expectDeployed(first, 'root-1.0');
      expectHealthySystem(first, 'root-1.0');
      expect(environmentOf(first)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=host']);

      const machine = story.start();
      await machine.chooseEntry(1);
      const chosen = await story.stepOf(machine, 3);
      expect(chosen.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-2.0; it boots next', 'status 0']));
      expectDeployed(chosen, 'root-1.0');
      expect(environmentOf(chosen)).toContain('hacktree_default=root-2.0');
      expect(chosen.all('rollback')).toEqual(['root-1.0 boots next; it was root-2.0', 'status 0']);

      const last = await story.stepOf(story.start({ canReboot: true }), 4);
      expect(last.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-3.0; it boots next', 'status 0']));
      expectDeployed(last, 'root-1.0');
      expectHealthySystem(last, 'root-1.0');
      expect(environmentOf(last)).toEqual([
        'hacktree_default=root-1.0',
        'hacktree_fell_back=root-3.0',
        'hacktree_previous=root-1.0',
      ]);
      expect(last.all('status').join('\n')).toMatch(/root-3\.0 \(failed\)[\s\S]*Failed: it did not come up in any of its tries/);
      times.push(...story.times.map((line) => `UEFI, ${line}`));
    },
    4 * STEP_TEST_LIMIT_MS,
  );
});
