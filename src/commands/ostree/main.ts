/**
 * The `ostree` front end: ostree's conventions over the same commands.
 *
 * Source: ostree-cli A.0.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HacktreeError } from '../../core/index.ts';
import type { GlobalOptions } from '../context.ts';
import { endAfterCommand, execute, fail, guardProcess } from '../execute.ts';
import { type Manners, makeInput, type OptionTokens, type Tokens, usageError } from '../input.ts';
import { printAll, writeStderr } from '../output.ts';
import { locateRepo } from '../repo-location.ts';
import { EXIT_OK } from '../report.ts';
import { type CommandSpec, isIn } from '../spec.ts';
import { COMMANDS } from '../table/index.ts';
import { runExtension } from './extension.ts';
import { commandPage, groupPage } from './help.ts';
import { ostreeOptions } from './options.ts';
import { parseOstreeLine } from './parse.ts';
import { versionPage } from './version.ts';

const RULES = { frontEnd: 'ostree', distinct: false, color: false } as const;

const commands = COMMANDS.filter((spec) => isIn('ostree', spec));

/** Runs an `ostree` line and returns the exit status. Never throws. */
export async function ostreeMain(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    return fail(error, { command: '', json: false, rules: RULES });
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const first = takeWord(argv, { pastSeparator: true });
  if (first.word === undefined) return withoutCommand('', first);
  const single = commands.find(({ id }) => id === first.word);
  if (single !== undefined) return runCommand(single, first.rest);
  const group = first.word;
  if (!commands.some(({ id }) => id.startsWith(`${group} `))) {
    return runExtension(group, argv, process.env) ?? withoutCommand('', first);
  }
  const second = takeWord(first.rest, { pastSeparator: false });
  const spec = commands.find(({ id }) => id === `${group} ${second.word}`);
  return spec === undefined ? withoutCommand(group, second) : runCommand(spec, second.rest);
}

interface Words {
  readonly word: string | undefined;
  readonly rest: readonly string[];
}

/** Takes the first word that is no option out of a line. An option's value is not known as such yet. */
function takeWord(line: readonly string[], { pastSeparator }: { pastSeparator: boolean }): Words {
  const end = pastSeparator ? -1 : line.indexOf('--');
  const at = line.findIndex((token, i) => !token.startsWith('-') && (end < 0 || i < end));
  if (at < 0) return { word: undefined, rest: line };
  return { word: line[at], rest: [...line.slice(0, at), ...line.slice(at + 1)] };
}

/** A line that names no command: help, the version, or a mistake, which comes with the usage. */
function withoutCommand(group: string, { word, rest }: Words): number {
  const page = groupPage(group, commands);
  try {
    const parsed = parseOstreeLine(rest, ostreeOptions());
    if (parsed.help) return show(page);
    if (parsed.options.has('version')) return show(versionPage());
    throw usageError(complaint(group, word));
  } catch (error) {
    writeStderr(page);
    throw error;
  }
}

function complaint(group: string, word: string | undefined): string {
  const kind = group === '' ? '' : `"${group}" sub`;
  return word === undefined ? `No ${kind}command specified` : `Unknown ${kind}command '${word}'`;
}

async function runCommand(spec: CommandSpec, line: readonly string[]): Promise<number> {
  const parsed = parseOstreeLine(line, ostreeOptions(spec));
  if (parsed.help) return show(commandPage(spec));
  if (parsed.options.has('version')) return show(versionPage());
  const global = readGlobals(parsed.options);
  const input = inputOrUsage(spec, { tokens: parsed, global });
  return endAfterCommand(await execute({ spec, input, global, rules: RULES }));
}

/** A repository or arguments that are not named come with the usage. */
function inputOrUsage(spec: CommandSpec, { tokens, global }: { tokens: Tokens; global: GlobalOptions }): Record<string, unknown> {
  let isIncomplete = true;
  try {
    if (spec.usesRepo === true) locateRepo({ frontEnd: 'ostree', option: global.repo, env: process.env, cwd: process.cwd() });
    isIncomplete = spec.args.some(({ required }, i) => required === true && i >= tokens.args.length);
    return makeInput(spec, tokens, MANNERS);
  } catch (error) {
    if (isIncomplete) writeStderr(commandPage(spec));
    throw error;
  }
}

function show(text: string): number {
  printAll(text);
  return EXIT_OK;
}

function readGlobals(options: OptionTokens): GlobalOptions {
  const last = (name: string): string | undefined => {
    const values = options.get(name);
    return values === true ? undefined : values?.at(-1);
  };
  const sysroot = last('sysroot');
  return {
    repo: sysroot === undefined ? last('repo') : repoOfSysroot(sysroot),
    verbose: options.has('verbose'),
    json: false,
    progress: 'none',
  };
}

const INT32_MAX = 2 ** 31 - 1;

const MANNERS: Manners = {
  /** As strtol with base 0: decimal, 0x… or 0… for octal, of 32 bits. */
  integer(text, { long }) {
    const [, sign = '', digits = ''] = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text) ?? [];
    const isOctal = /^0\d/.test(digits);
    if (digits === '' || (isOctal && /[89]/.test(digits))) throw usageError(`Cannot parse integer value “${text}” for --${long}`);
    const value = (isOctal ? Number.parseInt(digits, 8) : Number(digits)) * (sign === '-' ? -1 : 1);
    if (value > INT32_MAX || value < -INT32_MAX - 1) throw usageError(`Integer value “${text}” for --${long} out of range`);
    return value === 0 ? 0 : value;
  },
  boolean(text) {
    if (/^(true|yes|1)$/i.test(text)) return true;
    if (/^(false|no|0|none)$/i.test(text)) return false;
    throw usageError(`Invalid boolean argument '${text}'`);
  },
  choice: (text) => text,
  missing: (_, spec) => usageError(spec.ostree?.missing ?? 'Not enough arguments given'),
  extra: (_, spec) => (spec.ostree?.refusesExtra === true ? usageError('Too many arguments given') : undefined),
};

/** Ends the process with the status of an `ostree` line. */
export async function main(): Promise<void> {
  guardProcess(RULES);
  process.exitCode = await ostreeMain(process.argv.slice(2));
}

/** `--sysroot` goes before `--repo`. Errors: `sysroot-not-found`. */
function repoOfSysroot(sysroot: string): string {
  if (existsSync(sysroot)) return join(sysroot, 'ostree/repo');
  const path = resolve(sysroot);
  throw new HacktreeError('sysroot-not-found', `loading sysroot: opendir(${path}): No such file or directory`, {
    details: { path },
  });
}
