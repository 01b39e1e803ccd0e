/**
 * What a command is: pure data that both front ends read.
 *
 * A command is described once (names, options, examples) and written once (`run`). `hacktree` parses its line with
 * oclif's parser, `ostree` with ostree's conventions; both end in the same typed input, whose shape follows from the
 * description: option `keep-younger-than` becomes `input.keepYoungerThan`, argument `path` becomes `input.path`.
 * Descriptions are cheap to load; loaders.ts finds the code of a command when it is called.
 */

export type FrontEnd = 'hacktree' | 'ostree';

/** Chapters of the top help, in its order. */
export const AREAS = {
  repository: 'The repository',
  content: 'Trees in and out',
  history: 'Looking at commits',
  signing: 'Signatures',
  mirror: 'Mirrors',
  deploy: 'Deployed systems',
  etc: '/etc of deployed systems',
  tool: 'hacktree itself',
} as const;

export type Area = keyof typeof AREAS;

/** `flag` has no value; `list` may be given several times; `boolean` takes a value such as `true`. */
export type OptionKind = 'flag' | 'string' | 'list' | 'int' | 'boolean';

/** What shell completion offers for a value. */
export type Completes = 'rev' | 'ref' | 'remote' | 'path' | 'dir';

export interface OptionSpec {
  readonly long: string;
  readonly short?: string;
  readonly kind: OptionKind;
  /** Stands for the value in help: `FILE`. */
  readonly value?: string;
  readonly summary: string;
  /** Accepted but not shown. */
  readonly hidden?: boolean;
  /** Front ends that know it; default both. */
  readonly frontEnds?: readonly FrontEnd[];
  /** Allowed values; `hacktree` checks them, `ostree` leaves that to the service. */
  readonly choices?: readonly string[];
  readonly completes?: Completes;
}

export interface ArgSpec {
  readonly name: string;
  /** Stands for it in help, where that is not the name in capitals. */
  readonly shown?: string;
  readonly required?: boolean;
  /** Takes all arguments that are left; only the last one may. */
  readonly many?: boolean;
  readonly summary: string;
  /** Shell completion offers these. */
  readonly completes?: Completes | readonly string[];
}

export interface Example {
  readonly does: string;
  readonly line: string;
}

export interface CommandSpec {
  /** Words joined by one space: `remote add`. */
  readonly id: string;
  readonly area: Area;
  readonly summary: string;
  /** Further paragraphs of the help page. */
  readonly description?: readonly string[];
  readonly args: readonly ArgSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples?: readonly Example[];
  readonly frontEnds?: readonly FrontEnd[];
  readonly hidden?: boolean;
  /** Offers `--json`. */
  readonly json?: boolean;
  /** Works on the repository that `--repo` and its defaults name. */
  readonly usesRepo?: boolean;
  /** Watches `context.signal`, so that Ctrl-C cleans up before the process ends. */
  readonly interruptible?: boolean;
  /** What only the `ostree` front end needs to know. */
  readonly ostree?: OstreeManners;
}

export interface OstreeManners {
  /** Message when required arguments are missing. */
  readonly missing?: string;
  /** Extra arguments are an error; by default ostree ignores them. */
  readonly refusesExtra?: boolean;
  /** Text after `[OPTION…]` in the usage line, where it is not the arguments' names. */
  readonly usage?: string;
}

/** Describes a command and keeps its literal type, from which the type of its input follows. */
export function command<const S extends CommandSpec>(spec: S): S {
  return spec;
}

type Camel<T extends string> = T extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : T;

type OptionValue<K extends OptionKind> = {
  flag: boolean;
  string: string | undefined;
  list: readonly string[];
  int: number | undefined;
  boolean: boolean | undefined;
}[K];

type ArgValue<A extends ArgSpec> = A extends { many: true }
  ? readonly string[]
  : A extends { required: true }
    ? string
    : string | undefined;

/** The validated input of a command. Options that the front end does not know have their empty value. */
export type Input<S extends CommandSpec> = {
  readonly [O in S['options'][number] as Camel<O['long']>]: OptionValue<O['kind']>;
} & { readonly [A in S['args'][number] as Camel<A['name']>]: ArgValue<A> };

/** Gives the key under which an option or argument stands in the input. */
export function inputKey(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Prints an argument as a usage line has it: `REF`, `[PATH...]`. */
export function argText({ name, shown, required, many }: ArgSpec): string {
  const text = `${shown ?? name.toUpperCase()}${many === true ? '...' : ''}`;
  return required === true ? text : `[${text}]`;
}

/** Tells whether a command or option exists in a front end. */
export function isIn(frontEnd: FrontEnd, spec: { readonly frontEnds?: readonly FrontEnd[] }): boolean {
  return spec.frontEnds?.includes(frontEnd) ?? true;
}
