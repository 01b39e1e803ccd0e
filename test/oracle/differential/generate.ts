/** Makes lines out of the domains by a small seeded generator: each option at least once, then combinations. */
import { DOMAINS, type Domain } from './domains.ts';
import { MODES, type Mode } from './start.ts';

/** A generator of numbers that is the same everywhere: xorshift of 32 bits. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }

  shuffle<T>(list: readonly T[]): T[] {
    const mixed = [...list];
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T];
    }
    return mixed;
  }
}

/** For each option of a command one line with it, and for each list of arguments one line; up to two options more each. */
export function linesOf(domain: Domain, dice: Dice): string[][] {
  const names = Object.keys(domain.options);
  const forced = names.flatMap((name) => (domain.options[name]?.length === 0 ? [name] : [name, name]));
  const withOption = forced.map((name) => line(domain, dice, { name, args: dice.pick(domain.args) }));
  const withArgs = domain.args.map((args) => line(domain, dice, { name: undefined, args }));
  return [...withOption, ...withArgs];
}

function line(domain: Domain, dice: Dice, { name, args }: { name: string | undefined; args: readonly string[] }): string[] {
  const { command, options, always = [], alone = [] } = domain;
  const others = Object.keys(options).filter((other) => other !== name && !alone.includes(other));
  const extra = name !== undefined && alone.includes(name) ? [] : dice.shuffle(others).slice(0, dice.below(3));
  const chosen = [...(name === undefined ? [] : [name]), ...extra].map((each) => optionText(each, options[each] ?? [], dice));
  return [...command.split(' '), ...dice.shuffle([...always, ...chosen]), ...args];
}

function optionText(name: string, values: readonly string[], dice: Dice): string {
  return values.length === 0 ? `--${name}` : `--${name}=${dice.pick(values)}`;
}

export interface Scenario {
  readonly mode: Mode;
  readonly lines: readonly (readonly string[])[];
}

const SEED = 20_240_229;
const LINES_IN_SCENARIO = 12;
/** What the time of a test run allows; coverage.test.ts tells when an option falls out. */
const MOST_LINES = 360;

/** All lines, the same each time, mixed and cut into scenarios. */
export function scenarios(): Scenario[] {
  const dice = new Dice(SEED);
  const lines = dice.shuffle(DOMAINS.flatMap((domain) => linesOf(domain, dice))).slice(0, MOST_LINES);
  return Array.from({ length: Math.ceil(lines.length / LINES_IN_SCENARIO) }, (_, i) => ({
    mode: MODES[i % MODES.length] ?? 'bare',
    lines: lines.slice(i * LINES_IN_SCENARIO, (i + 1) * LINES_IN_SCENARIO),
  }));
}
