/**
 * From tokens to the typed input of a command: the half of parsing that both front ends share.
 *
 * A front end cuts its line into option values and arguments by its own rules and hands them over as text; here values
 * are checked and converted by the command's description. The wording of complaints is the front end's.
 */
import { HacktreeError } from '../core/index.ts';
import { type ArgSpec, type CommandSpec, inputKey, type OptionSpec } from './spec.ts';

/** Options by long name: `true` for a flag, else the values in the order given. */
export type OptionTokens = ReadonlyMap<string, true | readonly string[]>;

export interface Tokens {
  readonly options: OptionTokens;
  readonly args: readonly string[];
}

/** What a front end says and accepts. */
export interface Manners {
  /** Converts the value of an `int` option. Errors: `usage`. */
  integer(text: string, option: OptionSpec): number;
  /** Converts the value of a `boolean` option. Errors: `usage`. */
  boolean(text: string, option: OptionSpec): boolean;
  /** Checks a value against `choices`. Errors: `usage`. */
  choice(text: string, option: OptionSpec): string;
  missing(arg: ArgSpec, spec: CommandSpec): HacktreeError;
  /** An error for arguments that the command does not take, or undefined to ignore them. */
  extra(args: readonly string[], spec: CommandSpec): HacktreeError | undefined;
}

/** Makes a command's input. Errors: `usage`. */
export function makeInput(spec: CommandSpec, tokens: Tokens, manners: Manners): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const option of spec.options) input[inputKey(option.long)] = optionValue(option, tokens.options.get(option.long), manners);
  addArgs(input, spec, { args: tokens.args, manners });
  return input;
}

function optionValue(option: OptionSpec, given: true | readonly string[] | undefined, manners: Manners): unknown {
  if (option.kind === 'flag') return given !== undefined;
  const values = given === true || given === undefined ? [] : given;
  const checked = values.map((text) => (option.choices === undefined ? text : manners.choice(text, option)));
  if (option.kind === 'list') return checked;
  const last = checked.at(-1);
  if (last === undefined) return undefined;
  if (option.kind === 'int') return manners.integer(last, option);
  return option.kind === 'boolean' ? manners.boolean(last, option) : last;
}

function addArgs(
  input: Record<string, unknown>,
  spec: CommandSpec,
  { args, manners }: { args: readonly string[]; manners: Manners },
): void {
  let at = 0;
  for (const arg of spec.args) {
    const rest = args.slice(at);
    if (arg.required === true && rest.length === 0) throw manners.missing(arg, spec);
    input[inputKey(arg.name)] = arg.many === true ? rest : rest[0];
    at += arg.many === true ? rest.length : 1;
  }
  const error = at < args.length ? manners.extra(args.slice(at), spec) : undefined;
  if (error !== undefined) throw error;
}

/** Makes a usage error. */
export function usageError(message: string, hints: readonly string[] = []): HacktreeError {
  return new HacktreeError('usage', message, { hints });
}

/** Splits `KEY=VALUE` at its first `=`. Errors: `usage`, with the message given. */
export function splitPair(text: string, missing: string, hints: readonly string[] = []): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw usageError(missing, hints);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** The value of an option that may be missing, as a list. */
export const asList = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);
