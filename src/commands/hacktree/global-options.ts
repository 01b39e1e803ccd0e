/** The options that every `hacktree` command takes, before or after its name. */
import { PROGRESS_MODES } from '../progress.ts';
import type { CommandSpec, OptionSpec } from '../spec.ts';

const REPO: OptionSpec = {
  long: 'repo',
  kind: 'string',
  value: 'PATH',
  summary: 'The repository (else HACKTREE_REPO, OSTREE_REPO, the current directory, /gnomeos/repo)',
};

const JSON_OPTION: OptionSpec = { long: 'json', kind: 'flag', summary: 'Print one JSON object (docs/json.md) instead of text' };

const COMMON: readonly OptionSpec[] = [
  {
    long: 'progress',
    kind: 'string',
    value: 'HOW',
    choices: PROGRESS_MODES,
    summary: 'How to show progress: auto, plain, json or none',
  },
  {
    long: 'color',
    kind: 'string',
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    summary: 'Colour: auto (a terminal and no NO_COLOR), always or never',
  },
  { long: 'exit-code', kind: 'flag', summary: 'End with a different status for each kind of failure (docs/errors.md)' },
  { long: 'verbose', short: 'v', kind: 'flag', summary: 'Say more on standard error' },
  { long: 'help', short: 'h', kind: 'flag', summary: 'Show help' },
  { long: 'version', kind: 'flag', summary: 'Print the version' },
];

/** Global options of a command; all of them without one. --repo is taken by each, but shown only where it matters. */
export function globalOptions(spec?: CommandSpec): readonly OptionSpec[] {
  const forRepo = spec === undefined || spec.usesRepo === true ? [REPO] : [{ ...REPO, hidden: true }];
  const forReading = spec === undefined || spec.json === true ? [JSON_OPTION] : [];
  return [...forRepo, ...forReading, ...COMMON];
}
