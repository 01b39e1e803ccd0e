/**
 * The main job, with hacktree's own command on one machine: a host with Debian deploys a tree, boots it, upgrades it from a
 * mirror, goes back in the boot menu and for good, and gets a version that cannot boot.
 *
 * One disk with an MBR and GRUB for BIOS; every restart but those of the broken version is in order (lab/story.ts).
 */
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
import { BOOT_LIMIT_MS, stopAllVms } from './lab/vm.ts';

const inVm = requireTool(...STORY_TOOLS) && requireRoot() ? it : it.skip;

let lab: StoryLab | undefined;
let story: Story;

beforeAll(async () => {
  if (!requireTool(...STORY_TOOLS) || !requireRoot()) return;
  lab = await openStoryLab();
  story = new Story(lab, { story: 'full', kind: 'bios' });
}, LAB_LIMIT_MS);

afterEach(stopAllVms);
afterAll(async () => {
  await closeStoryLab(lab);
  process.stderr.write(story?.times.map((line) => `full story, ${line}\n`).join('') ?? '');
});

// Each test goes on with the disk as the one before left it.
describe('a host with Debian', () => {
  inVm(
    '1. deploys version 1.0',
    async () => {
      const found = await story.stepOf(story.start(), 1);
      expect(found.one('id')).toBe('host');
      expect(found.all('init')).toContain('status 0');
      expect(found.all('deploy').slice(-2)).toEqual(['Deployed root-1.0; it boots next', 'status 0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inVm(
    '2. boots it by itself and upgrades it from the mirror',
    async () => {
      const found = await story.stepOf(story.start(), 2);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('issue')).toEqual(['Lab 1.0']);
      expect(environmentOf(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=host']);
      expect(found.all('check')).toContain('Update available.');
    },
    STEP_TEST_LIMIT_MS,
  );

  inVm(
    '3. boots version 2.0 with both sides of /etc, and the new user logs in',
    async () => {
      const vm = story.start();
      await vm.waitFor(/lab: waits for carol\n/, 5 * BOOT_LIMIT_MS);
      vm.send('\r');
      await vm.waitFor(/login: /);
      vm.send('carol\r');
      await vm.waitFor(/Password: /);
      vm.send('correct horse\r');
      await vm.waitFor(/\$ /);
      vm.send('touch here\r');
      const found = await story.stepOf(vm, 3);
      expectDeployed(found, 'root-2.0');
      expectHealthySystem(found, 'root-2.0');
      expect(found.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-2.0; it boots next']));
      expect(found.all('issue')).toEqual(['Lab 2.0']);
      expect(found.all('lab-conf')).toEqual(['# of version 2.0', 'name = set on this machine', '', '# limits', 'files = 10']);
      expect(found.one('labd')).toMatch(/^labd:x:950:950:/);
      expect(found.one('carol')).toBe('carol');
      expect(environmentOf(found)).toEqual(['hacktree_default=root-2.0', 'hacktree_previous=root-1.0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inVm(
    '4. boots version 1.0 when it is chosen with the cursor keys, with its own /etc, and makes it the default',
    async () => {
      const vm = story.start();
      await vm.chooseEntry(1);
      const found = await story.stepOf(vm, 4);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('lab-conf')).toEqual(['# of version 1.0', 'name = set on this machine', '', '# limits', 'files = 10']);
      expect(found.all('labd')).toEqual([]);
      expect(found.all('only-in-2.0')).toEqual([]);
      expect(environmentOf(found)).toContain('hacktree_default=root-2.0');
      expect(found.all('rollback')).toEqual(['root-1.0 boots next; it was root-2.0', 'status 0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inVm(
    '5. boots it by itself after that, and upgrades to a version that cannot boot',
    async () => {
      if (lab !== undefined) publishBrokenVersion(lab);
      const found = await story.stepOf(story.start(), 5);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(environmentOf(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=root-2.0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inVm(
    '6. boots version 1.0 again after two tries of the broken one, and says so',
    async () => {
      const vm = story.start({ canReboot: true });
      const found = await story.stepOf(vm, 6);
      expect(vm.text.match(/No init found/g)).toHaveLength(2);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('upgrade')).toContain('Deployed root-3.0; it boots next');
      expect(environmentOf(found)).toEqual([
        'hacktree_default=root-1.0',
        'hacktree_fell_back=root-3.0',
        'hacktree_previous=root-1.0',
      ]);
      expect(found.all('status').join('\n')).toMatch(/root-3\.0 \(failed\)[\s\S]*Failed: it did not come up in any of its tries/);
    },
    STEP_TEST_LIMIT_MS,
  );
});
