/**
 * Help of the `hacktree` front end, made from the command table: top, group and command pages.
 *
 * Plain text of at most 100 columns, the same whether a person or a pipe reads it.
 */
import { AREAS, argText, type CommandSpec, isIn, type OptionSpec } from '../spec.ts';
import { globalOptions } from './global-options.ts';

const WIDTH = 100;
const MAX_LEFT = 32;

const INTRO = [
  'hacktree versions whole operating systems: it turns a directory into an immutable, checksummed tree (commit),',
  'turns a commit back into a directory made of hard links (checkout), and keeps a boot menu in which the previous',
  'system is one choice away.',
].join(' ');

/** Prints the page that `hacktree --help` shows. */
export function topHelp(commands: readonly CommandSpec[]): string {
  const shown = commands.filter(isShown);
  const chapters = Object.entries(AREAS).flatMap(([area, title]) => {
    const rows = shown.filter((spec) => spec.area === area).map(({ id, summary }): Row => [id, summary]);
    return rows.length === 0 ? [] : [section(title, table(rows))];
  });
  return page([
    wrap(INTRO, 0),
    section('Usage', ['  hacktree COMMAND [OPTIONS] [ARGUMENTS]', '  hacktree help COMMAND']),
    ...chapters,
    section('Options of every command', table(globalOptions().map(optionRow))),
  ]);
}

/** Prints the page of a group such as `remote`. */
export function groupHelp(group: string, commands: readonly CommandSpec[]): string {
  const rows = commands
    .filter((spec) => isShown(spec) && spec.id.startsWith(`${group} `))
    .map(({ id, summary }): Row => [id, summary]);
  return page([section('Usage', [`  hacktree ${group} COMMAND [OPTIONS] [ARGUMENTS]`]), section('Commands', table(rows))]);
}

/** Prints the page of a command. */
export function commandHelp(spec: CommandSpec): string {
  const options = spec.options.filter((option) => isIn('hacktree', option) && option.hidden !== true);
  const args = spec.args.map((arg): Row => [argText(arg), arg.summary]);
  const examples = (spec.examples ?? []).flatMap(({ does, line }) => [`  # ${does}`, `  ${line}`]);
  return page([
    wrap(spec.summary, 0),
    section('Usage', [`  ${usageLine(spec)}`]),
    ...(spec.description ?? []).map((paragraph) => wrap(paragraph, 0)),
    ...(args.length > 0 ? [section('Arguments', table(args))] : []),
    ...(options.length > 0 ? [section('Options', table(options.map(optionRow)))] : []),
    section(
      'Common options',
      table(
        globalOptions(spec)
          .filter(({ hidden }) => hidden !== true)
          .map(optionRow),
      ),
    ),
    ...(examples.length > 0 ? [section('Examples', examples)] : []),
  ]);
}

/** Prints how a command is called: `hacktree ls [OPTIONS] REF [PATH...]`. */
export function usageLine(spec: CommandSpec): string {
  return ['hacktree', spec.id, '[OPTIONS]', ...spec.args.map(argText)].join(' ');
}

function isShown(spec: CommandSpec): boolean {
  return isIn('hacktree', spec) && spec.hidden !== true;
}

type Row = readonly [left: string, right: string];

/** Prints an option's left column: `-b, --branch=REF`. */
export function optionText({ short, long, kind, value }: OptionSpec): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${long}${kind === 'flag' ? '' : `=${value ?? 'VALUE'}`}`;
}

function optionRow(option: OptionSpec): Row {
  const repeats = option.kind === 'list' ? ' (repeatable)' : '';
  return [optionText(option), `${option.summary}${repeats}`];
}

function table(rows: readonly Row[]): string[] {
  const left = Math.min(MAX_LEFT, Math.max(...rows.map(([text]) => text.length))) + 2;
  return rows.flatMap(([text, summary]) => {
    const lines = wrap(summary, left + 2);
    const fits = text.length + 2 <= left;
    if (!fits) return [`  ${text}`, ...lines];
    return [`  ${text.padEnd(left)}${(lines[0] ?? '').trimStart()}`, ...lines.slice(1)];
  });
}

/** Breaks a text at spaces and indents it. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return [`${title}:`, ...lines];
}

function page(sections: readonly (readonly string[])[]): string {
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
