/** The options that the `ostree` front end adds to a command. */
import type { CommandSpec, OptionSpec } from '../spec.ts';
import { isIn } from '../spec.ts';

const HELP: OptionSpec = { long: 'help', short: 'h', kind: 'flag', summary: 'Show this help' };
const REPO: OptionSpec = {
  long: 'repo',
  kind: 'string',
  value: 'PATH',
  summary: 'The repository (else OSTREE_REPO, the current directory, the system repository)',
};
const VERBOSE: OptionSpec = { long: 'verbose', short: 'v', kind: 'flag', summary: 'Say more on standard error' };
const VERSION_OPTION: OptionSpec = { long: 'version', kind: 'flag', summary: 'Print version and features' };

export const HELP_OPTIONS: readonly OptionSpec[] = [HELP];

/** Options in the order of the help page; without a command those of a group. A command's own letter wins. */
export function ostreeOptions(spec?: CommandSpec): readonly OptionSpec[] {
  const own = spec?.options.filter((option) => isIn('ostree', option)) ?? [];
  const verbose = own.some(({ short }) => short === 'v') ? { ...VERBOSE, short: undefined } : VERBOSE;
  return [...(spec?.usesRepo === true ? [REPO] : []), ...own, verbose, VERSION_OPTION];
}
