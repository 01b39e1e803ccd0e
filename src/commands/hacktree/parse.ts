/**
 * Cuts a `hacktree` line with oclif's parser, whose flag definitions are made from the command table.
 *
 * Which command is meant is found here, before oclif is asked: global options may stand before the command's words.
 */

import { type Tokens, usageError } from '../input.ts';
import type { CommandSpec, OptionSpec } from '../spec.ts';
import { isIn } from '../spec.ts';
import { didYouMean } from '../suggest.ts';
import { globalOptions } from './global-options.ts';

export interface Line {
  /** The words of the command, as far as they name one or a group. */
  readonly words: readonly string[];
  /** The line without these words. */
  readonly rest: readonly string[];
  /** A word that should have named a command and does not. */
  readonly stray: string | undefined;
}

/** Options before the command whose value is the next word. */
const TAKES_VALUE = new Set(globalOptions().flatMap(({ long, kind }) => (kind === 'string' ? [`--${long}`] : [])));

/** Finds the words that name a command, or the longest group that the line names. */
export function findCommand(argv: readonly string[], ids: readonly string[]): Line {
  const words: string[] = [];
  const rest: string[] = [];
  let isOver = false;
  for (let at = 0; at < argv.length; at++) {
    const token = argv[at] ?? '';
    if (token === '--') isOver = true;
    if (isOver || token.startsWith('-')) {
      rest.push(token);
      if (!isOver && TAKES_VALUE.has(token) && at + 1 < argv.length) rest.push(argv[++at] ?? '');
      continue;
    }
    const longer = [...words, token].join(' ');
    const names = ids.some((id) => id === longer || id.startsWith(`${longer} `));
    if (!names) return { words, rest: [...rest, ...argv.slice(at)], stray: token };
    words.push(token);
    if (ids.includes(longer)) return { words, rest: [...rest, ...argv.slice(at + 1)], stray: undefined };
  }
  return { words, rest, stray: undefined };
}

/** Cuts the rest of a line. Errors: `usage` for an unknown option or a missing value. */
export async function parseLine(spec: CommandSpec | undefined, rest: readonly string[]): Promise<Tokens> {
  const known = [...(spec?.options ?? []), ...globalOptions(spec)].filter((option) => isIn('hacktree', option));
  const { parse } = await import('./oclif.ts');
  try {
    const parsed = await parse([...rest], { flags: flagDefinitions(known), args: {}, strict: false, '--': true });
    return { options: toTokens(parsed.flags), args: parsed.argv as string[] };
  } catch (error) {
    throw explain(error, known);
  }
}

const asIs = async (input: string): Promise<string> => input;

function flagDefinitions(options: readonly OptionSpec[]): Record<string, never> {
  const taken = new Set<string>();
  const definitions: Record<string, unknown> = {};
  for (const { long, short, kind } of options) {
    // A command's own letter wins over a global one.
    const char = short === undefined || taken.has(short) ? {} : { char: short };
    if (short !== undefined) taken.add(short);
    const type = kind === 'flag' ? { type: 'boolean' } : { type: 'option', multiple: kind === 'list', multipleNonGreedy: true };
    definitions[long] = { ...type, ...char, name: long, input: [], parse: asIs };
  }
  return definitions as Record<string, never>;
}

function toTokens(flags: Record<string, unknown>): Tokens['options'] {
  const options = new Map<string, true | readonly string[]>();
  for (const [long, value] of Object.entries(flags)) {
    if (value === true) options.set(long, true);
    else options.set(long, (Array.isArray(value) ? value : [value]).map(String));
  }
  return options;
}

/** Says an error of the parser in our words. */
function explain(error: unknown, known: readonly OptionSpec[]): unknown {
  const unknown = (error as { flags?: unknown }).flags;
  if (Array.isArray(unknown)) {
    const name = String(unknown[0]);
    const bare = name.replace(/^-+|=.*$/g, '');
    const words = known.filter(({ hidden }) => hidden !== true).map(({ long }) => long);
    const near = name.startsWith('--') ? didYouMean(bare, words).map((hint) => hint.replaceAll(/'(?=\w)/g, "'--")) : [];
    return usageError(`Unknown option ${name.replace(/=.*$/, '')}`, near);
  }
  const message = String((error as Error).message).split('\n')[0] ?? '';
  const [, option, what] = /^Flag (\S+) (.*)$/.exec(message) ?? [];
  if (option === undefined) return error;
  return usageError(what === 'expects a value' ? `Option ${option} needs a value` : `Option ${option} ${what}`);
}
