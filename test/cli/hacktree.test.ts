/** The `hacktree` front end as its users meet it: help on every level, mistakes, JSON, closed pipes, full disks. */
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { isIn } from '../../src/commands/spec.ts';
import { COMMANDS } from '../../src/commands/table/index.ts';
import { ERROR_TABLE, VERSION } from '../../src/core/index.ts';
import { HACKTREE, hacktree, hacktreeOk, requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const shown = COMMANDS.filter((spec) => isIn('hacktree', spec) && spec.hidden !== true);
const groups = [...new Set(shown.flatMap(({ id }) => (id.includes(' ') ? [id.split(' ')[0] ?? ''] : [])))];

describe('help', () => {
  it.each([[['--help']], [['-h']], [['help']], [[]]])('lists every command: %j', (args) => {
    const { status, stdout, stderr } = hacktree(args);
    expect([status, stderr]).toEqual([0, '']);
    const missing = shown.filter(
      ({ id, summary }) => !stdout.includes(`  ${id} `) || !stdout.includes(summary.split(' ')[0] ?? ''),
    );
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it.each(shown.map((spec) => [spec.id, spec] as const))('of %s shows usage, options and examples', (id, spec) => {
    const { status, stdout, stderr } = hacktree([...id.split(' '), '--help']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`  hacktree ${id} [OPTIONS]`);
    const options = spec.options.filter((option) => isIn('hacktree', option) && option.hidden !== true);
    expect(options.filter(({ long }) => !stdout.includes(`--${long}`))).toEqual([]);
    expect((spec.examples ?? []).filter(({ line }) => !stdout.includes(line))).toEqual([]);
    expect(stdout.split('\n').filter((line) => line.length > 100 && !line.startsWith('  hacktree '))).toEqual([]);
    expect(hacktreeOk(['help', ...id.split(' ')])).toBe(stdout.trimEnd());
  });

  it.each([...groups.map((group) => [group]), ['nothing']])('of a group lists its commands: %s', (group) => {
    const { status, stdout } = hacktree([group, '--help']);
    if (group === 'nothing') expect(status).toBe(2);
    else for (const { id } of shown.filter((spec) => spec.id.startsWith(`${group} `))) expect(stdout).toContain(`  ${id} `);
  });

  it('is given even when the rest of the line is wrong', () => {
    expect(hacktree(['refs', '--bogus', '--help'])).toMatchObject({ status: 0, stderr: '' });
  });
});

it.each([[['--version']], [['refs', '--version']]])('prints its version: %j', (args) => {
  expect(hacktree(args)).toEqual({ status: 0, stdout: `hacktree ${VERSION}\n`, stderr: '' });
});

describe('mistakes', () => {
  it.each([
    [['nothing'], "Unknown command 'nothing'"],
    [['rfs'], "Did you mean 'refs'?"],
    [['--bogus'], 'Unknown option --bogus'],
    [['refs', '--jsn'], "Did you mean '--json'?"],
    [['refs', '-z'], 'Unknown option -z'],
    [['refs', '--create'], 'Option --create needs a value'],
    [['refs', '--progress=loud'], "Invalid value 'loud' for --progress, expected one of auto, plain, json, none"],
    [['reset', 'x'], 'Argument COMMIT is missing'],
    [['reset', 'x', 'y', 'z'], "Unexpected argument 'z'"],
    [['help', 'rfs'], "Did you mean 'refs'?"],
    [['--repo=r'], 'A command is missing'],
  ])('%j ends with 2 and says what is wrong', (args, text) => {
    const { status, stdout, stderr } = hacktree(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('    at ');
  });
});

describe('with a repository', () => {
  let repo = '';
  // scratchDir cleans up after each test, so every test makes its own.
  const make = (): string => {
    repo = join(scratchDir(), 'repo');
    hacktreeOk(['init', '--mode=archive', repo]);
    return repo;
  };

  it('takes global options before and after the command, and from the environment', () => {
    const path = make();
    const expected = { status: 0, stdout: 'archive-z2\n', stderr: '' };
    expect(hacktree(['--repo', path, 'config', 'get', 'core.mode'])).toEqual(expected);
    expect(hacktree(['config', `--repo=${path}`, 'get', 'core.mode'])).toEqual(expected);
    expect(hacktree(['config', 'get', 'core.mode', '-v', '--repo', path])).toEqual(expected);
    expect(hacktree(['config', 'get', 'core.mode'], { cwd: path, env: { OSTREE_REPO: undefined } })).toEqual(expected);
    expect(hacktree(['config', 'get', 'core.mode'], { env: { HACKTREE_REPO: path, OSTREE_REPO: '/nothing' } })).toEqual(expected);
    expect(hacktree(['config', 'get', 'core.mode'], { env: { OSTREE_REPO: path } })).toEqual(expected);
  });

  it('says that no repository is named', () => {
    const { status, stderr } = hacktree(['refs'], {
      cwd: scratchDir(),
      env: { OSTREE_REPO: undefined, HACKTREE_REPO: undefined },
    });
    expect([status, stderr.split('\n')[0]]).toEqual([1, 'error: Command requires a --repo argument']);
  });

  it('prints results as one JSON object', () => {
    const { status, stdout, stderr } = hacktree(['config', 'get', 'core.mode', '--json', `--repo=${make()}`]);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      hacktree: 1,
      command: 'config',
      data: { group: 'core', key: 'mode', value: 'archive-z2' },
    });
    expect(stdout.trimEnd()).not.toContain('\n');
  });

  it('prints errors as one JSON object', () => {
    const failed = hacktree(['rev-parse', 'nothing', '--json', `--repo=${make()}`]);
    expect([failed.status, failed.stderr]).toEqual([1, '']);
    const { error, ...rest } = JSON.parse(failed.stdout);
    expect(rest).toEqual({ hacktree: 1, command: 'rev-parse' });
    expect(Object.keys(error).sort()).toEqual(['code', 'details', 'hints', 'message']);
    expect(error.code).toBe('ref-not-found');
    const usage = hacktree(['rev-parse', '--json', '--bogus']);
    expect([usage.status, JSON.parse(usage.stdout).error.code]).toEqual([2, 'usage']);
  });

  it('offers --json only where there is something to read', () => {
    const { status, stdout } = hacktree(['reset', 'x', 'y', '--json']);
    expect([status, JSON.parse(stdout).error.message]).toEqual([2, 'Unknown option --json']);
  });

  it('ends with a status of the failure when asked to', () => {
    const path = join(make(), '../nothing');
    expect(hacktree(['refs', `--repo=${path}`]).status).toBe(1);
    expect(hacktree(['refs', `--repo=${path}`, '--exit-code']).status).toBe(ERROR_TABLE['repo-not-found'].status);
  });

  it('colours the word error only when asked to', () => {
    const args = ['refs', `--repo=${make()}/nothing`];
    expect(hacktree(args).stderr).toMatch(/^error: /);
    expect(hacktree([...args, '--color=always']).stderr).toContain('\u001b[1;31merror:\u001b[0m ');
  });

  it('shows a stack trace only with HACKTREE_DEBUG=1', () => {
    const args = ['refs', `--repo=${make()}/nothing`];
    expect(hacktree(args).stderr).not.toContain('    at ');
    expect(hacktree(args, { env: { HACKTREE_DEBUG: '1' } }).stderr).toContain('    at ');
  });

  it('is quiet when the reader goes away', () => {
    const command = `{ sleep 0.3; ${process.execPath} ${HACKTREE} --help; echo "status $?" >&2; } | true`;
    expect(run('sh', ['-c', command])).toEqual({ status: 0, stdout: '', stderr: 'status 141\n' });
  });

  it('does not take a full disk for success', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [HACKTREE, '--help'], { stdio: ['ignore', full, 'pipe'] });
    expect([status, stderr.toString()]).toEqual([1, 'error: Writing to standard output: No space left on device\n']);
  });
});

describe('completion', () => {
  const withBash = requireTool('bash') ? it : it.skip;
  let script = '';
  beforeAll(() => {
    script = hacktreeOk(['completion', 'bash']);
  });

  const complete = (line: string): string[] => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    const ask = 'COMP_LINE="$1"; COMP_POINT=${#1}; COMP_WORDS=($1); _hacktree; printf "%s\\n" "${COMPREPLY[@]}"';
    const input = `hacktree() { ${process.execPath} ${HACKTREE} "$@"; }\n${script}\n${ask}`;
    return run('bash', ['-c', input, 'bash', line]).stdout.trimEnd().split('\n');
  };

  withBash('offers commands, options, words and refs', () => {
    const repo = join(scratchDir(), 'repo');
    hacktreeOk(['init', repo]);
    expect(complete('hacktree rev')).toEqual(['rev-parse']);
    expect(complete('hacktree refs --cr')).toEqual(['--create=']);
    expect(complete('hacktree config ')).toEqual(['get', 'set', 'unset']);
    expect(complete(`hacktree --repo=${repo} rev-parse `)).toEqual(['']);
  });

  it.each([['zsh'], ['fish']])('prints a script for %s', (shell) => {
    const text = hacktreeOk(['completion', shell]);
    expect(shown.filter(({ id }) => !text.includes(id.split(' ').at(-1) ?? '')).map(({ id }) => id)).toEqual([]);
  });

  it('knows no other shell', () => {
    expect(hacktree(['completion', 'csh']).stderr).toContain("Unknown shell 'csh', expected bash, zsh, fish");
  });
});
