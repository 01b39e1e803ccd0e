/**
 * The main job, with hacktree's own command on one machine: a host with Debian deploys a tree, boots it, upgrades it from a
 * mirror, goes back in the boot menu and for good, and gets a version that cannot boot.
 *
 * One disk with an MBR and GRUB for BIOS; every restart but those of the broken version is in order (lab/story.ts).
 */
import { describe, expect } from '@jest/globals';
import { expectDeployed, expectHealthySystem } from './lab/expectations.ts';
import { environmentOf, inStory, publishBrokenVersion, STEP_TEST_LIMIT_MS, useStory } from './lab/story.ts';
import { BOOT_LIMIT_MS } from './lab/vm.ts';

const told = useStory('full story', { story: 'full', kind: 'bios' });

// Each test goes on with the disk as the one before left it.
describe('a host with Debian', () => {
  inStory(
    '1. deploys version 1.0',
    async () => {
      const { story } = told();
      const found = await story.stepOf(story.start(), 1);
      expect(found.one('id')).toBe('host');
      expect(found.all('init')).toContain('status 0');
      expect(found.all('deploy').slice(-2)).toEqual(['Deployed root-1.0; it boots next', 'status 0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inStory(
    '2. boots it by itself and upgrades it from the mirror',
    async () => {
      const { story } = told();
      const found = await story.stepOf(story.start(), 2);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(found.all('issue')).toEqual(['Lab 1.0']);
      expect(environmentOf(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=host']);
      expect(found.all('check')).toContain('Update available.');
    },
    STEP_TEST_LIMIT_MS,
  );

  inStory(
    '3. boots version 2.0 with both sides of /etc, and the new user logs in',
    async () => {
      const { story } = told();
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

  inStory(
    '4. boots version 1.0 when it is chosen with the cursor keys, with its own /etc, and makes it the default',
    async () => {
      const { story } = told();
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

  inStory(
    '5. boots it by itself after that, and upgrades to a version that cannot boot',
    async () => {
      const { lab, story } = told();
      publishBrokenVersion(lab);
      const found = await story.stepOf(story.start(), 5);
      expectDeployed(found, 'root-1.0');
      expectHealthySystem(found, 'root-1.0');
      expect(environmentOf(found)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=root-2.0']);
    },
    STEP_TEST_LIMIT_MS,
  );

  inStory(
    '6. boots version 1.0 again after two tries of the broken one, and says so',
    async () => {
      const { story } = told();
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
