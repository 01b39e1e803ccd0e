/**
 * Cuts a line as ostree does: options and arguments in any order, short options in bundles, `--opt=V` and `--opt V`,
 * `--` ends options. No abbreviations, and no value attached to a short option.
 *
 * Source: ostree-cli A.0; behaviour in corners found by running ostree 2022.7.
 */
import { type Tokens, usageError } from '../input.ts';
import type { OptionSpec } from '../spec.ts';

/** `help` when help was asked for before anything wrong came up. */
export type ParsedLine = { readonly help: true } | ({ readonly help: false } & Tokens);

/** Cuts the line of a command. Errors: `usage`. */
export function parseOstreeLine(line: readonly string[], known: readonly OptionSpec[]): ParsedLine {
  const parser = new Parser(line, known);
  while (parser.step()) if (parser.help) return { help: true };
  return { help: false, options: parser.options, args: parser.args };
}

class Parser {
  readonly options = new Map<string, true | readonly string[]>();
  readonly args: string[] = [];
  help = false;
  readonly #line: readonly string[];
  readonly #byLong: ReadonlyMap<string, OptionSpec>;
  readonly #byShort: ReadonlyMap<string, OptionSpec>;
  #at = 0;

  constructor(line: readonly string[], known: readonly OptionSpec[]) {
    this.#line = line;
    this.#byLong = new Map(known.map((option) => [option.long, option]));
    this.#byShort = new Map(known.flatMap((option) => (option.short === undefined ? [] : [[option.short, option]])));
  }

  /** Takes the next token with its value; false at the end. Errors: `usage`. */
  step(): boolean {
    const token = this.#line[this.#at++];
    if (token === undefined) return false;
    if (token === '--') this.args.push(...this.#line.slice(this.#at));
    else if (token.startsWith('--')) this.#long(token);
    else if (token.startsWith('-') && token !== '-') this.#bundle(token);
    else this.args.push(token);
    if (token === '--') this.#at = this.#line.length;
    return true;
  }

  #long(token: string): void {
    const equals = token.indexOf('=');
    const name = equals < 0 ? token.slice(2) : token.slice(2, equals);
    if (name === 'help' || name === 'help-all') {
      this.help = true;
      return;
    }
    const option = this.#byLong.get(name);
    if (option === undefined) throw usageError(`Unknown option ${token}`);
    // A flag ignores a value that is attached to it.
    if (option.kind === 'flag') this.options.set(option.long, true);
    else this.#add(option, equals < 0 ? this.#nextValue(token) : token.slice(equals + 1));
  }

  /** All letters must be known before one takes effect; only one of them may have a value: the next token. */
  #bundle(token: string): void {
    const letters = [...token.slice(1)];
    const isHelp = (letter: string): boolean => letter === '?' || (letter === 'h' && !this.#byShort.has('h'));
    const helpAt = letters.findIndex(isHelp);
    const known = letters.slice(0, helpAt < 0 ? undefined : helpAt).map((letter) => this.#byShort.get(letter));
    if (known.includes(undefined)) throw usageError(`Unknown option ${token}`);
    let hasValue = false;
    for (const option of known.filter((each) => each !== undefined)) {
      if (option.kind === 'flag') this.options.set(option.long, true);
      else if (hasValue) throw usageError(`Error parsing option -${option.short}`);
      else {
        this.#add(option, this.#nextValue(`-${option.short}`));
        hasValue = true;
      }
    }
    if (helpAt >= 0) this.help = true;
  }

  #nextValue(name: string): string {
    const value = this.#line[this.#at++];
    if (value === undefined) throw usageError(`Missing argument for ${name}`);
    return value;
  }

  #add(option: OptionSpec, value: string): void {
    const before = this.options.get(option.long);
    this.options.set(option.long, [...(before === undefined || before === true ? [] : before), value]);
  }
}
