/**
 * SELinux file contexts: which label a path gets. Pure: text in, lookups out.
 *
 * A line is `REGEX [TYPE] CONTEXT`; the regex is anchored at both ends. Paths written without special characters win over
 * regexes, and among equals the last line wins. Before the lookup a path's beginning may be substituted (`.subs`, then
 * `.subs_dist`, each with its last fitting line). A policy has thousands of regexes, so they are kept by the directory that
 * their fixed beginning names, and only those of a path's own parents are tried.
 *
 * Source: file_contexts(5), selabel_file(5); compared with libselinux 3.4.
 */
import { HacktreeError } from '../core/index.ts';

interface Spec {
  /** Position among all lines; the highest that fits wins. */
  readonly order: number;
  /** Type bits that the file must have; undefined for any. */
  readonly type: number | undefined;
  /** undefined for `<<none>>`. */
  readonly label: string | undefined;
}

interface RegexSpec extends Spec {
  readonly source: string;
  /** What every matching path begins with. */
  readonly prefix: string;
  regex: RegExp | undefined;
}

interface Substitution {
  readonly from: string;
  readonly to: string;
}

const FILE_TYPES: Record<string, number> = {
  '-b': 0o060000,
  '-c': 0o020000,
  '-d': 0o040000,
  '-p': 0o010000,
  '-l': 0o120000,
  '-s': 0o140000,
  '--': 0o100000,
};
const S_IFMT = 0o170000;
const META = '.^$?*+|[({';
/** These make the character before them optional. */
const OPTIONAL = '?*{';

const POSIX_CLASSES: Record<string, string> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  word: '\\w',
};

/** Text of the files of a policy, each empty when it does not exist. */
export interface FileContextTexts {
  /** file_contexts, file_contexts.homedirs, file_contexts.local: later ones win. */
  readonly contexts: readonly string[];
  readonly subs: string;
  readonly subsDist: string;
}

export class FileContexts {
  readonly #exact = new Map<string, Spec[]>();
  readonly #regexes = new Map<string, RegexSpec[]>();
  readonly #subs: readonly Substitution[];
  readonly #subsDist: readonly Substitution[];
  #count = 0;

  /** Errors: `selinux-policy` for a line that is none. */
  constructor({ contexts, subs, subsDist }: FileContextTexts) {
    for (const text of contexts) for (const fields of linesOf(text)) this.#add(fields);
    this.#subs = linesOf(subs).map(toSubstitution).reverse();
    this.#subsDist = linesOf(subsDist).map(toSubstitution).reverse();
  }

  /** Number of lines. */
  get count(): number {
    return this.#count;
  }

  /** Returns the label of an absolute path; mode with file type bits. undefined when nothing fits, or `<<none>>` does. */
  lookup(path: string, mode: number): string | undefined {
    const normal = path.replace(/\/{2,}/g, '/');
    const key = Buffer.from(substitute(substitute(normal, this.#subs), this.#subsDist)).toString('latin1');
    const type = mode & S_IFMT;
    const fits = (spec: Spec): boolean => spec.type === undefined || spec.type === type || type === 0;
    const exact = this.#exact.get(key)?.findLast(fits);
    return (exact ?? this.#lastMatch(key, fits))?.label;
  }

  #lastMatch(key: string, fits: (spec: Spec) => boolean): Spec | undefined {
    let best: RegexSpec | undefined;
    for (let end = key.length; end >= 0; end = end === 0 ? -1 : Math.max(0, key.lastIndexOf('/', end - 1))) {
      const found = this.#regexes
        .get(key.slice(0, end))
        ?.findLast(
          (spec) => spec.order < (best?.order ?? -1) || (key.startsWith(spec.prefix) && fits(spec) && regexOf(spec).test(key)),
        );
      if (found !== undefined && found.order > (best?.order ?? -1)) best = found;
    }
    return best;
  }

  #add(fields: readonly string[]): void {
    const [source = '', ...rest] = fields;
    const context = rest.at(-1);
    const typeName = rest.length === 2 ? (rest[0] as string) : undefined;
    const type = typeName === undefined ? undefined : FILE_TYPES[typeName];
    if (context === undefined || rest.length > 2 || (typeName !== undefined && type === undefined)) {
      throw badLine(fields.join(' '));
    }
    const label = context === '<<none>>' ? undefined : context;
    const bytes = Buffer.from(source).toString('latin1');
    const { text, isWhole } = fixedBeginning(bytes);
    const spec = { order: this.#count++, type, label };
    if (isWhole) append(this.#exact, text, spec);
    else append(this.#regexes, directoryOf(text), { ...spec, source: bytes, prefix: text, regex: undefined });
  }
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Splits a file into the fields of its lines, without comments and blank lines. */
function linesOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));
}

function toSubstitution([from, to]: readonly string[]): Substitution {
  if (from === undefined || to === undefined) throw badLine(from ?? '');
  return { from, to };
}

function substitute(path: string, substitutions: readonly Substitution[]): string {
  for (const { from, to } of substitutions) {
    if (!path.startsWith(from)) continue;
    const rest = path.slice(from.length);
    if (rest === '' || rest.startsWith('/')) return to === '/' && rest !== '' ? rest : to + rest;
  }
  return path;
}

/** The text that every match of a regex begins with, and whether that is all there is. */
function fixedBeginning(source: string): { text: string; isWhole: boolean } {
  if (hasOuterAlternative(source)) return { text: '', isWhole: false };
  let text = '';
  for (let i = 0; i < source.length; i++) {
    const char = source[i] as string;
    if (META.includes(char)) return { text: OPTIONAL.includes(char) ? text.slice(0, -1) : text, isWhole: false };
    if (char !== '\\') {
      text += char;
      continue;
    }
    const escaped = source[++i] ?? '';
    if (/[0-9A-Za-z]/.test(escaped)) return { text, isWhole: false };
    text += escaped;
  }
  return { text, isWhole: true };
}

function hasOuterAlternative(source: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (char === '\\') i++;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}

function directoryOf(prefix: string): string {
  return prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
}

/** The last line of a policy that is not read byte by byte is the regex: PCRE's `$` also fits before a final newline. */
function regexOf(spec: RegexSpec): RegExp {
  if (spec.regex !== undefined) return spec.regex;
  const source = spec.source.replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX_CLASSES[name] ?? whole);
  try {
    spec.regex = new RegExp(`^${source}(?=\\n?$)`, 's');
  } catch (cause) {
    throw new HacktreeError('selinux-policy', `Cannot understand the regular expression '${spec.source}' of the SELinux policy`, {
      details: { found: spec.source },
      cause,
    });
  }
  return spec.regex;
}

function badLine(line: string): HacktreeError {
  return new HacktreeError('selinux-policy', `Invalid line in SELinux file contexts: '${line}'`, {
    details: { expected: 'REGEX [TYPE] CONTEXT', found: line },
  });
}
