/** ostree's way to cut a line. test/oracle/cli-conventions.test.ts asks the real one the same. */
import { describe, expect, it } from '@jest/globals';
import { parseOstreeLine } from '../../../src/commands/ostree/parse.ts';
import type { OptionSpec } from '../../../src/commands/spec.ts';

const known: OptionSpec[] = [
  { long: 'all', short: 'a', kind: 'flag', summary: '' },
  { long: 'quiet', short: 'q', kind: 'flag', summary: '' },
  { long: 'branch', short: 'b', kind: 'string', summary: '' },
  { long: 'tree', short: 't', kind: 'list', summary: '' },
];

const cut = (...line: string[]): unknown => {
  const parsed = parseOstreeLine(line, known);
  return parsed.help ? 'help' : { ...Object.fromEntries(parsed.options), args: parsed.args };
};

describe('parseOstreeLine', () => {
  it('takes options and arguments in any order', () => {
    expect(cut('x', '--branch', 'm', 'y', '--all')).toEqual({ branch: ['m'], all: true, args: ['x', 'y'] });
    expect(cut('--branch=a=b', '--tree=1', '-t', '2')).toEqual({ branch: ['a=b'], tree: ['1', '2'], args: [] });
  });
  it('takes short options in a bundle', () => {
    expect(cut('-qa')).toEqual({ quiet: true, all: true, args: [] });
    expect(cut('-qb', 'm', 'x')).toEqual({ quiet: true, branch: ['m'], args: ['x'] });
  });
  it('takes the next word as the value, whatever it looks like', () => {
    expect(cut('--branch', '--all')).toEqual({ branch: ['--all'], args: [] });
    expect(cut('--branch=')).toEqual({ branch: [''], args: [] });
  });
  it('ends options at --, and keeps a lone dash', () => {
    expect(cut('-', '--', '-q', '--')).toEqual({ args: ['-', '-q', '--'] });
  });
  it('ignores a value of a flag', () => {
    expect(cut('--all=no')).toEqual({ all: true, args: [] });
  });
  it('stops at help', () => {
    expect([cut('--help', '--bogus'), cut('-qh'), cut('-?'), cut('--help-all')]).toEqual(['help', 'help', 'help', 'help']);
  });
  it.each([
    [['--bogus=1'], 'Unknown option --bogus=1'],
    [['--al'], 'Unknown option --al'],
    [['-qz'], 'Unknown option -qz'],
    [['-bm'], 'Unknown option -bm'],
    [['-bt', 'x'], 'Error parsing option -t'],
    [['--branch'], 'Missing argument for --branch'],
    [['-b'], 'Missing argument for -b'],
  ])('refuses %j', (line, message) => {
    expect(() => cut(...line)).toThrow(message);
  });
});
