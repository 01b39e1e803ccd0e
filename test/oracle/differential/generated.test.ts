/**
 * Some hundred generated lines, in all modes: standard output, status, repository and checkouts must be those of ostree.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../../helpers/fixture.ts';
import { requireRoot, requireTool } from '../../helpers/run.ts';
import { compareScenario } from './compare.ts';
import { scenarios } from './generate.ts';
import { openSetting, type Setting } from './setting.ts';

const isReady = requireTool('ostree', 'tar', 'nginx', 'gpg') && requireRoot();
const withOstree = isReady ? it : it.skip;
/** For a machine that does much else. */
const TIMEOUT_MS = 300_000;
const base = fixtureDir();
let setting: Setting;

beforeAll(async () => {
  if (isReady) setting = await openSetting(base);
});

afterAll(() => setting?.close());

describe.each(scenarios().map(({ mode, lines }, i) => [i, mode, lines] as const))('%i in %s', (_, mode, lines) => {
  withOstree(
    'is as ostree',
    async () => {
      const words = lines.map((line) => setting.fillIn(line));
      expect(await compareScenario(setting.startOf(mode), words)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
