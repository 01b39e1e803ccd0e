/**
 * The `hacktree` front end: from argv to an exit status.
 *
 * Finds the command, lets oclif cut the line, checks the values, runs it. `--version` and help need neither the
 * parser nor any command's code.
 */

import { VERSION } from '../../core/index.ts';
import type { GlobalOptions } from '../context.ts';
import { endAfterCommand, execute, fail, guardProcess } from '../execute.ts';
import { type Manners, makeInput, type OptionTokens, type Tokens, usageError } from '../input.ts';
import { printAll } from '../output.ts';
import type { ProgressMode } from '../progress.ts';
import { EXIT_OK, type ReportRules } from '../report.ts';
import { type CommandSpec, isIn, type OptionSpec } from '../spec.ts';
import { didYouMean } from '../suggest.ts';
import { COMMANDS } from '../table/index.ts';
import { isTerminal } from '../terminal.ts';
import { globalOptions } from './global-options.ts';
import { commandHelp, groupHelp, topHelp, usageLine } from './help.ts';
import { findCommand, type Line, parseLine } from './parse.ts';

const commands = COMMANDS.filter((spec) => isIn('hacktree', spec));
const ids = commands.map(({ id }) => id);

/** Runs a `hacktree` line and returns the exit status. Never throws. */
export async function hacktreeMain(argv: readonly string[]): Promise<number> {
  const line = findCommand(argv, ids);
  const spec = commands.find(({ id }) => id === line.words.join(' '));
  const rough = roughGlobals(argv);
  try {
    if (spec === undefined) return await withoutCommand(line, rough);
    if (rough.help) return show(commandHelp(spec));
    const tokens = await parseLine(spec, line.rest);
    return await runCommand(spec, tokens, rough.rules);
  } catch (error) {
    return fail(error, { command: line.words.join(' '), json: rough.json, rules: rough.rules });
  }
}

/** Options that must work even when the rest of the line is wrong. */
interface RoughGlobals {
  readonly help: boolean;
  readonly version: boolean;
  readonly json: boolean;
  readonly rules: ReportRules;
}

function roughGlobals(argv: readonly string[]): RoughGlobals {
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  const given = new Set(options);
  const at = options.lastIndexOf('--color');
  const when = at >= 0 ? options[at + 1] : options.findLast((token) => token.startsWith('--color='))?.slice('--color='.length);
  const color = when === 'always' || (when !== 'never' && (process.env.NO_COLOR ?? '') === '' && isTerminal(2));
  return {
    help: given.has('--help') || given.has('-h'),
    version: given.has('--version'),
    json: given.has('--json'),
    rules: { frontEnd: 'hacktree', distinct: given.has('--exit-code'), color },
  };
}

async function runCommand(spec: CommandSpec, tokens: Tokens, rules: ReportRules): Promise<number> {
  if (tokens.options.has('help')) return show(commandHelp(spec));
  if (tokens.options.has('version')) return show(versionText());
  if (spec.id === 'help') return help(tokens.args);
  for (const option of globalOptions(spec)) checkChoice(option, tokens.options);
  const global = readGlobals(tokens.options);
  const input = makeInput(spec, tokens, MANNERS);
  return endAfterCommand(await execute({ spec, input, global, rules }));
}

/** A line that names no command: the version, help, or a mistake. */
async function withoutCommand({ words, rest, stray }: Line, rough: RoughGlobals): Promise<number> {
  const group = words.join(' ');
  const inGroup = group === '' ? '' : `${group} `;
  if (stray !== undefined) {
    const siblings = ids.filter((id) => id.startsWith(inGroup)).map((id) => id.slice(inGroup.length));
    throw usageError(`Unknown command '${inGroup}${stray}'`, [...didYouMean(stray, siblings), seeHelp(group)]);
  }
  if (rough.version && group === '') return show(versionText());
  if (rough.help || (rest.length === 0 && group === '')) return help(words);
  await parseLine(undefined, rest);
  throw usageError(group === '' ? 'A command is missing' : `A command of '${group}' is missing`, [seeHelp(group)]);
}

function seeHelp(group: string): string {
  return `\`hacktree ${group === '' ? '' : `${group} `}--help\` lists the commands.`;
}

/** Shows a command's, a group's or the top page. Errors: `usage`. */
function help(words: readonly string[]): number {
  const name = words.join(' ');
  const spec = commands.find(({ id }) => id === name);
  if (spec !== undefined) return show(commandHelp(spec));
  if (name === '') return show(topHelp(commands));
  if (ids.some((id) => id.startsWith(`${name} `))) return show(groupHelp(name, commands));
  throw usageError(`Unknown command '${name}'`, [...didYouMean(name, ids), seeHelp('')]);
}

function versionText(): string {
  return `hacktree ${VERSION}\n`;
}

/** Prints a page to standard output. Errors: `io`, `no-space`; ReaderGone. */
function show(text: string): number {
  printAll(text);
  return EXIT_OK;
}

/** Errors: `usage`. */
function checkChoice(option: OptionSpec, options: OptionTokens): void {
  const given = options.get(option.long);
  if (option.choices !== undefined && Array.isArray(given)) for (const text of given) MANNERS.choice(text, option);
}

function readGlobals(options: OptionTokens): GlobalOptions {
  const value = (name: string): string | undefined => {
    const given = options.get(name);
    return given === true ? undefined : given?.at(-1);
  };
  // globalOptions() has the same choices as PROGRESS_MODES.
  const progress = (value('progress') ?? 'auto') as ProgressMode;
  return { repo: value('repo'), verbose: options.has('verbose'), json: options.has('json'), progress };
}

const MANNERS: Manners = {
  integer(text, { long }) {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw usageError(`Invalid value '${text}' for --${long}, expected a whole number`);
  },
  boolean(text, { long }) {
    if (/^(true|yes|1)$/i.test(text)) return true;
    if (/^(false|no|0)$/i.test(text)) return false;
    throw usageError(`Invalid value '${text}' for --${long}, expected true or false`);
  },
  choice(text, { long, choices }) {
    if (choices === undefined || choices.includes(text)) return text;
    throw usageError(`Invalid value '${text}' for --${long}, expected one of ${choices.join(', ')}`, didYouMean(text, choices));
  },
  missing(arg, spec) {
    return usageError(`Argument ${arg.shown ?? arg.name.toUpperCase()} is missing`, [`Usage: ${usageLine(spec)}`]);
  },
  extra(args, spec) {
    return usageError(`Unexpected argument '${args[0]}'`, [`Usage: ${usageLine(spec)}`]);
  },
};

/** Ends the process with the status of a `hacktree` line. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  guardProcess(roughGlobals(argv).rules);
  process.exitCode = await hacktreeMain(argv);
}
