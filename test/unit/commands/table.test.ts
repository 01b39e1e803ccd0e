/** The command table holds together: every command has code, and no two names collide. */
import { describe, expect, it } from '@jest/globals';
import { globalOptions } from '../../../src/commands/hacktree/global-options.ts';
import { loadCommand } from '../../../src/commands/loaders.ts';
import { ostreeOptions } from '../../../src/commands/ostree/options.ts';
import { type CommandSpec, inputKey, isIn } from '../../../src/commands/spec.ts';
import { COMMANDS } from '../../../src/commands/table/index.ts';

const duplicates = (list: readonly string[]): string[] => list.filter((item, i) => list.indexOf(item) !== i);

describe('command table', () => {
  it('names every command once', () => {
    expect(duplicates(COMMANDS.map(({ id }) => id))).toEqual([]);
    expect(COMMANDS.length).toBeGreaterThan(5);
  });

  it.each(COMMANDS.filter(({ id }) => id !== 'help').map(({ id }) => [id]))('has the code of %s', async (id) => {
    expect(typeof (await loadCommand(id))).toBe('function');
  });

  it.each(COMMANDS.map((spec): [string, CommandSpec] => [spec.id, spec]))('gives %s no name twice', (_, spec) => {
    const keys = [...spec.options.map(({ long }) => long), ...spec.args.map(({ name }) => name)].map(inputKey);
    expect(duplicates(keys)).toEqual([]);
    expect(duplicates(spec.options.flatMap(({ short }) => short ?? []))).toEqual([]);
    const all = [...spec.options.filter((option) => isIn('hacktree', option)), ...globalOptions(spec)].map(({ long }) => long);
    expect(duplicates(all)).toEqual([]);
    expect(duplicates(ostreeOptions(spec).flatMap(({ short }) => short ?? []))).toEqual([]);
  });

  it.each(COMMANDS.map((spec): [string, CommandSpec] => [spec.id, spec]))(
    'describes %s so that it can be parsed and shown',
    (_, spec) => {
      const many = spec.args.findIndex((arg) => arg.many === true);
      expect(many === -1 || many === spec.args.length - 1).toBe(true);
      const firstOptional = spec.args.findIndex((arg) => arg.required !== true);
      expect(spec.args.slice(firstOptional < 0 ? spec.args.length : firstOptional).filter((arg) => arg.required)).toEqual([]);
      const texts = [spec.summary, ...spec.options.map(({ summary }) => summary), ...spec.args.map(({ summary }) => summary)];
      expect(texts.filter((text) => !/^\S.*[^.\s]$/.test(text))).toEqual([]);
      for (const { long, short, kind, value } of spec.options) {
        expect([long, /^[a-z][a-z0-9-]+$/.test(long), short === undefined || short.length === 1]).toEqual([long, true, true]);
        if (kind === 'flag') expect([long, value]).toEqual([long, undefined]);
      }
    },
  );
});

it('turns option names into keys', () => {
  expect(inputKey('keep-younger-than')).toBe('keepYoungerThan');
  expect(inputKey('mode')).toBe('mode');
});
