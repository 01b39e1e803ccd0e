/** Proves that the compared lines have every option that they must have: no claim in docs/ostree-compatibility.md without a line. */
import { describe, expect, it } from '@jest/globals';
import { ostreeOptions } from '../../../src/commands/ostree/options.ts';
import { parseOstreeLine } from '../../../src/commands/ostree/parse.ts';
import { type CommandSpec, isIn } from '../../../src/commands/spec.ts';
import { COMMANDS } from '../../../src/commands/table/index.ts';
import { CHAINS } from './chains.ts';
import { scenarios } from './generate.ts';
import { MUST, NOT_COMPARABLE } from './must.ts';

const commands = COMMANDS.filter((spec) => isIn('ostree', spec));
const lines = [
  ...scenarios().flatMap(({ lines }) => lines),
  ...CHAINS.flatMap(({ lines }) => lines.map((line) => line.split(' '))),
];

const specOf = (words: readonly string[]): CommandSpec | undefined =>
  commands.find(({ id }) => `${words.join(' ')} `.startsWith(`${id} `));

/** The options of a line by their long names; none where the line is a mistake. */
function optionsOf(spec: CommandSpec, words: readonly string[]): string[] {
  try {
    const parsed = parseOstreeLine(words.slice(spec.id.split(' ').length), ostreeOptions(spec));
    return parsed.help ? [] : [...parsed.options.keys()];
  } catch {
    return [];
  }
}

const compared = new Set<string>();
for (const words of lines) {
  const spec = specOf(words);
  if (spec === undefined) continue;
  compared.add(spec.id);
  for (const option of optionsOf(spec, words)) compared.add(`${spec.id} --${option}`);
}

describe('the compared lines', () => {
  it('have every command that they must have', () => {
    expect(Object.keys(MUST).filter((command) => !compared.has(command))).toEqual([]);
  });

  it('have every option that they must have', () => {
    const wanted = Object.entries(MUST).flatMap(([command, options]) => options.map((option) => `${command} --${option}`));
    const missing = wanted.filter((each) => !compared.has(each));
    expect(missing.sort()).toEqual(Object.keys(NOT_COMPARABLE).sort());
  });

  it('are some hundred', () => {
    expect(lines.length).toBeGreaterThan(300);
  });
});

describe('the command table', () => {
  it('has every option that is a must or a should', () => {
    const known = commands.flatMap((spec) => ostreeOptions(spec).map(({ long }) => `${spec.id} --${long}`));
    const wanted = Object.entries(MUST).flatMap(([command, options]) => options.map((option) => `${command} --${option}`));
    expect(wanted.filter((each) => !known.includes(each))).toEqual([]);
  });
});
