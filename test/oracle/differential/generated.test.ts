/**
 * Some hundred generated lines, in all modes: standard output, status, repository and checkouts must be those of ostree.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../../helpers/fixture.ts';
import { requireRoot, requireTool } from '../../helpers/run.ts';
import { compareScenario } from './compare.ts';
import { DOMAINS } from './domains.ts';
import { Dice, linesOf } from './generate.ts';
import { MODES, type Mode, makeCommon, makeStart } from './start.ts';

const withOstree = requireTool('ostree', 'tar') && requireRoot() ? it : it.skip;
const LINES_IN_SCENARIO = 12;
const base = fixtureDir();
const starts = new Map<Mode, string>();

beforeAll(() => {
  makeCommon(base);
  for (const mode of MODES) starts.set(mode, makeStart(base, mode));
});

/** All lines, mixed and cut into scenarios; the mirror's place is put in. */
function scenarios(seed: number): [Mode, string[][]][] {
  const dice = new Dice(seed);
  const lines = dice.shuffle(DOMAINS.flatMap((domain) => linesOf(domain, dice)));
  const cut: [Mode, string[][]][] = [];
  for (let at = 0; at < lines.length; at += LINES_IN_SCENARIO) {
    const part = lines.slice(at, at + LINES_IN_SCENARIO);
    cut.push([
      MODES[cut.length % MODES.length] ?? 'bare',
      part.map((line) => line.map((word) => (word === 'UP' ? `${base}/up` : word))),
    ]);
  }
  return cut;
}

describe.each(scenarios(20_240_229).map(([mode, lines], i) => [i, mode, lines] as const))('%i in %s', (_, mode, lines) => {
  withOstree('is as ostree', async () => {
    expect(await compareScenario(starts.get(mode) ?? '', lines)).toEqual([]);
  });
});
