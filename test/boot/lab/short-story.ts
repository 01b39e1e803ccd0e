/** The main job in four starts, told of several machines and trees. */
import { describe, expect } from '@jest/globals';
import { expectDeployed, expectHealthySystem } from './expectations.ts';
import { environmentOf, inStory, STEP_TEST_LIMIT_MS, type StoryOptions, useStory } from './story.ts';

/** Makes the tests of a file. */
export function tellShortStory(name: string, options: Omit<StoryOptions, 'story'>): void {
  const told = useStory(name, { story: 'short', ...options });
  const { kind } = options;

  describe(name, () => {
    inStory(
      'deploys, boots, upgrades, goes back in the menu and for good, falls back from a version that cannot boot',
      async () => {
        const { story } = told();

        const host = await story.stepOf(story.start(), 1);
        expect(host.one('id')).toBe('host');
        expect(host.all('deploy').slice(-2)).toEqual(['Deployed root-1.0; it boots next', 'status 0']);

        const first = await story.stepOf(story.start(), 2);
        expectDeployed(first, 'root-1.0', kind);
        expectHealthySystem(first, 'root-1.0');
        expect(environmentOf(first)).toEqual(['hacktree_default=root-1.0', 'hacktree_previous=host']);

        const machine = story.start();
        await machine.chooseEntry(1);
        const chosen = await story.stepOf(machine, 3);
        expect(chosen.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-2.0; it boots next', 'status 0']));
        expectDeployed(chosen, 'root-1.0', kind);
        expect(environmentOf(chosen)).toContain('hacktree_default=root-2.0');
        expect(chosen.all('rollback')).toEqual(['root-1.0 boots next; it was root-2.0', 'status 0']);

        const last = await story.stepOf(story.start({ canReboot: true }), 4);
        expect(last.all('upgrade')).toEqual(expect.arrayContaining(['Deployed root-3.0; it boots next', 'status 0']));
        expectDeployed(last, 'root-1.0', kind);
        expectHealthySystem(last, 'root-1.0');
        expect(environmentOf(last)).toEqual([
          'hacktree_default=root-1.0',
          'hacktree_fell_back=root-3.0',
          'hacktree_previous=root-1.0',
        ]);
        expect(last.all('status').join('\n')).toMatch(
          /root-3\.0 \(failed\)[\s\S]*Failed: it did not come up in any of its tries/,
        );
      },
      4 * STEP_TEST_LIMIT_MS,
    );
  });
}
