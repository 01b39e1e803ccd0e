/** Chains of lines, each in one or two modes, and lines made by hand: all that they say and leave must be as with ostree. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../../helpers/fixture.ts';
import { requireRoot, requireTool } from '../../helpers/run.ts';
import { CHAINS } from './chains.ts';
import { compareScenario } from './compare.ts';
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

const cases = CHAINS.flatMap(({ name, modes, lines }) => modes.map((mode) => [name, mode, lines] as const));

describe.each(cases)('%s in %s', (_, mode, lines) => {
  withOstree(
    'is as with ostree',
    async () => {
      const words = lines.map((line) => setting.fillIn(line.split(' ')));
      expect(await compareScenario(setting.startOf(mode), words)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
