/**
 * The merge policy: which paths of /etc are merged how, as data, and its file `/etc/hacktree/etc-policy.conf`.
 *
 *     # glob             rule        of what only one rule applies: the last line that matches
 *     ssh/sshd_config    fail
 *     apt/**             new
 *     [accounts]                     taken from the host at the first deploy, whatever their id
 *     user root
 *     group docker
 *     [scripts]                      of /etc/hacktree/deploy.d
 *     network 20-*
 *     time-limit 600
 *
 * Globs are relative to /etc: `*` and `?` stay within one name, `**` crosses any number of directories, `[a-z]` and
 * `[!a-z]` are sets. Built-in rules come before the file's, so the file can change them.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { HacktreeError, wrapSystemError } from '../core/index.ts';

/** What happens where both sides changed the same thing: the user's wins, the new default wins, or no deployment. */
export type ConflictRule = 'keep' | 'new' | 'fail';
export const CONFLICT_RULES: readonly ConflictRule[] = ['keep', 'new', 'fail'];

/**
 * merge: the usual treatment. whole: as merge, but never by lines. user: the user's as it is, if there is one.
 * default: always the new default. drop: never in the result. The conflict rules merge, with their own outcome.
 */
export type EtcRule = ConflictRule | 'merge' | 'whole' | 'user' | 'default' | 'drop';
const RULES: readonly EtcRule[] = [...CONFLICT_RULES, 'merge', 'whole', 'user', 'default', 'drop'];

export interface EtcPolicy {
  /** For paths that no rule names. */
  readonly conflict: ConflictRule;
  readonly rules: readonly { readonly glob: string; readonly rule: EtcRule; readonly pattern: RegExp }[];
  /** Accounts to take from the host whatever their id. */
  readonly accounts: { readonly users: readonly string[]; readonly groups: readonly string[] };
  readonly scripts: { readonly network: readonly RegExp[]; readonly timeLimitSec: number | undefined };
}

export const POLICY_PATH = 'hacktree/etc-policy.conf';

/**
 * Identity of the machine stays; back-ups of the account files and the linker's cache are made by programs. What is in
 * /etc/hacktree merges as everything else does, but comes along from the host.
 */
const BUILT_IN_RULES: readonly (readonly [string, EtcRule])[] = [
  ['.updated', 'drop'],
  ['machine-id', 'user'],
  ['adjtime', 'user'],
  ['hostname', 'user'],
  ['fstab', 'user'],
  ['ssh/ssh_host_*', 'user'],
  ['{passwd,shadow,group,gshadow,subuid,subgid}-', 'user'],
  ['.pwd.lock', 'user'],
  ['ld.so.cache', 'default'],
];

/** What a first deployment takes from the host without being told. fstab and accounts have rules of their own there. */
const FROM_HOST = ['machine-id', 'adjtime', 'hostname', 'ssh/ssh_host_*', 'hacktree/**'].map(globPattern);

/** The policy without a file. */
export function defaultEtcPolicy(conflict: ConflictRule = 'keep'): EtcPolicy {
  return parseEtcPolicy('', { conflict });
}

/** Reads the policy file of an /etc, if there is one. Errors: `etc-policy`, naming file and line. */
export function loadEtcPolicy(etcDir: string, options: { readonly conflict?: ConflictRule } = {}): EtcPolicy {
  const file = path.join(etcDir, POLICY_PATH);
  let text = '';
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw wrapSystemError(error, 'Cannot read the policy', file);
  }
  return parseEtcPolicy(text, { ...options, file });
}

/** Parses a policy file's text. Errors: `etc-policy`. */
export function parseEtcPolicy(
  text: string,
  options: { readonly conflict?: ConflictRule; readonly file?: string } = {},
): EtcPolicy {
  const rules = BUILT_IN_RULES.map(([glob, rule]) => ({ glob, rule, pattern: globPattern(glob) }));
  const accounts = { users: [] as string[], groups: [] as string[] };
  const network: RegExp[] = [];
  let timeLimitSec: number | undefined;
  let section = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const fail = (what: string): HacktreeError => policyError(what, options.file, index + 1);
    const [word, value, ...rest] = raw
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (word === undefined || word === '') continue;
    const header = /^\[(\w+)\]$/.exec(word);
    if (header !== null && value === undefined && (header[1] === 'accounts' || header[1] === 'scripts')) {
      section = header[1];
      continue;
    }
    if (value === undefined || rest.length > 0) throw fail(`expected two words, found '${raw.trim()}'`);
    if (section === 'accounts' && word === 'user') accounts.users.push(value);
    else if (section === 'accounts' && word === 'group') accounts.groups.push(value);
    else if (section === 'scripts' && word === 'network') network.push(checkedPattern(value, fail));
    else if (section === 'scripts' && word === 'time-limit') timeLimitSec = parseSeconds(value, fail);
    else if (section !== '') throw fail(`unknown setting '${word}' in [${section}]`);
    else rules.push(parseRule(word, value, fail));
  }
  return { conflict: options.conflict ?? 'keep', rules, accounts, scripts: { network, timeLimitSec } };
}

/** Finds the rule of a path relative to /etc: the last that matches, else undefined. */
export function ruleFor(policy: EtcPolicy, relativePath: string): EtcRule | undefined {
  return policy.rules.findLast(({ pattern }) => pattern.test(relativePath))?.rule;
}

/**
 * Tells whether a first deployment, which has no old root, takes a path from the host: the machine's identity, hacktree's
 * configuration, and what the policy file gives the rule `user`; not what it gives another rule.
 */
export function comesFromHost({ rules }: EtcPolicy, relativePath: string): boolean {
  const own = rules.slice(BUILT_IN_RULES.length).findLast(({ pattern }) => pattern.test(relativePath));
  if (own !== undefined) return own.rule === 'user';
  return FROM_HOST.some((pattern) => pattern.test(relativePath));
}

/** Finds what a conflict at a path does. */
export function conflictRuleFor(policy: EtcPolicy, rule: EtcRule | undefined): ConflictRule {
  return rule === 'keep' || rule === 'new' || rule === 'fail' ? rule : policy.conflict;
}

function parseRule(glob: string, rule: string, fail: (what: string) => HacktreeError): EtcPolicy['rules'][number] {
  if (!(RULES as readonly string[]).includes(rule)) throw fail(`unknown rule '${rule}', expected one of ${RULES.join(', ')}`);
  const relative = glob.replace(/^\/etc\//, '').replace(/^\//, '');
  return { glob: relative, rule: rule as EtcRule, pattern: checkedPattern(relative, fail) };
}

function checkedPattern(glob: string, fail: (what: string) => HacktreeError): RegExp {
  try {
    return globPattern(glob);
  } catch {
    throw fail(`cannot understand the pattern '${glob}'`);
  }
}

function parseSeconds(value: string, fail: (what: string) => HacktreeError): number {
  if (!/^[1-9]\d{0,6}$/.test(value)) throw fail(`time-limit is a number of seconds, found '${value}'`);
  return Number(value);
}

function policyError(what: string, file: string | undefined, line: number): HacktreeError {
  const where = `${file ?? POLICY_PATH}, line ${line}`;
  return new HacktreeError('etc-policy', `${where}: ${what}`, { details: { path: file, line } });
}

/** Turns a glob into a pattern for a whole relative path. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(/\*\*\/?|\*|\?|\[!?[^\]/]+\]|\{[^{}/]*\}|[\\^$.|+()[\]{}]/g, (part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.startsWith('[') && part.length > 2) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    if (part.startsWith('{') && part.length > 1) return `(?:${part.slice(1, -1).split(',').map(escapeWord).join('|')})`;
    return `\\${part}`;
  });
  return new RegExp(`^${source}$`, 's');
}

function escapeWord(word: string): string {
  return word.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
