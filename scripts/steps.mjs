/** What the scripts share: running the installed tools, compiling to build/, building dist/, running jest. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const root = join(import.meta.dirname, '..');
process.chdir(root);

/** Runs a tool of node_modules/.bin (or of PATH) with its output shown; returns the exit status. */
export function tool(name, args, environment = {}) {
  const local = join('node_modules/.bin', name);
  const command = existsSync(local) ? local : name;
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

/** Checks types and compiles src/ and test/ to build/, from scratch so that no deleted test lives on. */
export function compile() {
  rmSync('build', { recursive: true, force: true });
  return tool('tsc', []);
}

/**
 * Runs jest on build/test; arguments are jest's. Tools that tests compare with answer in a locale of their own choice otherwise. With
 * NODE_EXTRA_CA_CERTS each of the thousands of processes would parse a hundred certificates that no test needs.
 */
export function jest(args) {
  const environment = {
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
    LC_ALL: 'C.UTF-8',
    NODE_EXTRA_CA_CERTS: undefined,
  };
  return tool('jest', args, environment);
}

/** Reads a script's options, as those of parseArgs. A wrong one ends the script with a line that names those there are. */
export function readOptions(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const names = Object.entries(options).map(([name, { type }]) => `--${name}${type === 'boolean' ? '' : '=VALUE'}`);
    console.error(
      `error: ${error.message.split('. ')[0]}\nhint: options are ${names.join(', ')}; the script's head says what they mean`,
    );
    return process.exit(1);
  }
}

/** Builds dist/. */
export function build() {
  return tool(process.execPath, ['scripts/build.mjs']);
}

/** Runs jest and counts tests from its JSON report; a file that cannot run counts as one failed test. */
export function jestCounts(args) {
  const folder = mkdtempSync(join(tmpdir(), 'hacktree-jest-'));
  const report = join(folder, 'report.json');
  try {
    const status = jest([...args, '--json', '--outputFile', report]);
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
    const skipped = counts.numPendingTests + counts.numTodoTests;
    return { passed: counts.numPassedTests, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
