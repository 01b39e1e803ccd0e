/**
 * Writes docs/errors.md from the table of errors and docs/commands.md from the command table, both as compiled in build/.
 * With --check it writes nothing, names what is out of date and exits 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const compiled = (path) => import(join(root, 'build/src', path));
const { ERROR_TABLE } = await compiled('core/index.js');
const { AREAS, argText, isIn } = await compiled('commands/spec.js');
const { COMMANDS } = await compiled('commands/table/index.js');
const { globalOptions } = await compiled('commands/hacktree/global-options.js');

const NOTE = '<!-- Made by scripts/gen-docs.mjs; change the source and run `npm run docs`. -->';

const KINDS = {
  usage: 'The command line is wrong',
  user: 'What was asked for is not possible',
  config: 'A configuration is wrong',
  corrupt: 'Stored data is damaged',
  system: 'The system refused or failed',
  network: 'The network or a server failed',
  verification: 'Something is not what it claims to be',
  internal: 'A bug',
};

const cell = (text) => text.replaceAll('|', '\\|');
const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`;

function errorsPage() {
  const sections = Object.entries(KINDS).map(([kind, title]) => {
    const rows = Object.entries(ERROR_TABLE)
      .filter(([, entry]) => entry.kind === kind)
      .map(([code, { status, meaning }]) => row(`\`${code}\``, String(status), meaning));
    return ['', `## ${title}`, '', '| code | status with `--exit-code` | meaning |', '|---|---|---|', ...rows].join('\n');
  });
  return `${NOTE}
# Errors and exit statuses

A command that fails prints \`error: MESSAGE\` on standard error, then what the message does not say (path, expected, found),
causes, and hints. With \`--json\` it prints one object on standard output instead, with \`code\`, \`message\`, \`details\` and
\`hints\` (see json.md). Codes are stable; messages are for people. \`HACKTREE_DEBUG=1\` adds a stack trace.

| status | when |
|---|---|
| 0 | success |
| 1 | any failure but those below |
| 2 | the command line is wrong |
| 130, 143 | stopped by SIGINT (Ctrl-C) or SIGTERM, after cleaning up |
| 141 | the reader of standard output went away |

With \`--exit-code\` the status tells the failure, as in the tables. \`ostree\` (the drop-in) ends with 1 on every failure.
${sections.join('\n')}
`;
}

function optionRows(options) {
  const shown = options.filter((option) => isIn('hacktree', option) && option.hidden !== true);
  return shown.map(({ long, short, kind, value, summary }) => {
    const name = `${short === undefined ? '' : `-${short}, `}--${long}${kind === 'flag' ? '' : `=${value ?? 'VALUE'}`}`;
    return row(`\`${name}\``, `${summary}${kind === 'list' ? ' (repeatable)' : ''}`);
  });
}

function commandSection(spec) {
  const usage = ['hacktree', spec.id, '[OPTIONS]', ...spec.args.map(argText)].join(' ');
  const rows = [...spec.args.map((arg) => row(`\`${argText(arg)}\``, arg.summary)), ...optionRows(spec.options)];
  const table = rows.length === 0 ? [] : ['', '| | |', '|---|---|', ...rows];
  const json = spec.json === true ? ['', 'Offers `--json`.'] : [];
  const examples = (spec.examples ?? []).flatMap(({ does, line }) => [`# ${does}`, line]);
  const code = examples.length === 0 ? [] : ['', '```sh', ...examples, '```'];
  const text = (spec.description ?? []).flatMap((paragraph) => ['', paragraph]);
  return ['', `### ${spec.id}`, '', `${spec.summary}.`, '', `    ${usage}`, ...text, ...table, ...json, ...code].join('\n');
}

function commandsPage() {
  const shown = COMMANDS.filter((spec) => isIn('hacktree', spec) && spec.hidden !== true);
  const chapters = Object.entries(AREAS).flatMap(([area, title]) => {
    const specs = shown.filter((spec) => spec.area === area);
    return specs.length === 0 ? [] : ['', `## ${title}`, ...specs.map(commandSection)];
  });
  return `${NOTE}
# Commands

\`hacktree COMMAND --help\` says the same in a terminal. Options and arguments may be mixed; \`--\` ends the options.

| Options of every command | |
|---|---|
${optionRows(globalOptions()).join('\n')}
${chapters.join('\n')}
`;
}

const pages = { 'docs/errors.md': errorsPage(), 'docs/commands.md': commandsPage() };
const isCheck = process.argv.includes('--check');
for (const [path, text] of Object.entries(pages)) {
  if (!isCheck) writeFileSync(join(root, path), text);
  else if (readFileSync(join(root, path), 'utf8') !== text) {
    console.error(`${path} is out of date: run \`npm run docs\``);
    process.exitCode = 1;
  }
}
