/**
 * Help of the `ostree` front end: one `Usage:`, a group's subcommands under `Builtin Commands:`, options below.
 *
 * The layout is ostree's, which its test suite and completion scripts read; the sentences are ours.
 *
 * Source: ostree-cli A.0.
 */
import { argText, type CommandSpec, isIn, type OptionSpec } from '../spec.ts';
import { HELP_OPTIONS, ostreeOptions } from './options.ts';

/** Summaries of the groups, which are no commands themselves. */
const GROUPS: Readonly<Record<string, string>> = {
  remote: 'Remotes: configure, list, look at what they offer',
  'static-delta': 'Static deltas: make, list, apply',
};

/** Prints the page of a command. */
export function commandPage(spec: CommandSpec): string {
  const usage = spec.ostree?.usage ?? spec.args.map(argText).join(' ');
  return page(`ostree ${spec.id} [OPTION…] ${usage}`.trimEnd(), [spec.summary], ostreeOptions(spec));
}

/** Prints the page of a group, or with '' the top page. */
export function groupPage(group: string, commands: readonly CommandSpec[]): string {
  const title = group === '' ? 'Builtin Commands:' : `Builtin "${group}" Commands:`;
  const rows = childrenOf(group, commands);
  const width = Math.max(17, ...rows.map(([name]) => name.length)) + 1;
  const list = [title, ...rows.map(([name, summary]) => `  ${name.padEnd(width)}${summary}`)].join('\n');
  const summary = GROUPS[group];
  return page(
    `ostree ${group === '' ? '' : `${group} `}[OPTION…] COMMAND`,
    summary === undefined ? [list] : [summary, list],
    ostreeOptions(),
  );
}

/** Names directly below a group, with summaries; hidden ones left out. */
function childrenOf(group: string, commands: readonly CommandSpec[]): (readonly [string, string])[] {
  const start = group === '' ? '' : `${group} `;
  const rows = new Map<string, string>();
  for (const spec of commands) {
    if (!isIn('ostree', spec) || spec.hidden === true || !spec.id.startsWith(start)) continue;
    const [name = '', ...deeper] = spec.id.slice(start.length).split(' ');
    rows.set(name, deeper.length === 0 ? spec.summary : (GROUPS[name] ?? ''));
  }
  return [...rows];
}

function page(usage: string, paragraphs: readonly string[], options: readonly OptionSpec[]): string {
  const shown = options.filter(({ hidden }) => hidden !== true);
  const width = Math.max(...[...HELP_OPTIONS, ...shown].map((option) => optionText(option).length)) + 5;
  const rows = (list: readonly OptionSpec[]): string[] =>
    list.map((option) => `  ${optionText(option).padEnd(width)}${option.summary}`);
  const sections = [
    ['Usage:', `  ${usage}`],
    ...paragraphs.map((text) => [text]),
    ['Help Options:', ...rows(HELP_OPTIONS)],
    ['Application Options:', ...rows(shown)],
  ];
  return `${sections.map((lines) => `${lines.join('\n')}\n`).join('\n')}\n`;
}

function optionText({ long, short, kind, value }: OptionSpec): string {
  const name = short === undefined ? `--${long}` : `-${short}, --${long}`;
  return kind === 'flag' || value === undefined ? name : `${name}=${value}`;
}
