/** What the scripts share: running the installed tools, compiling to build/, building dist/, running jest. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

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

/** Runs jest on build/test; arguments are jest's. */
export function jest(args) {
  return tool('jest', args, { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' });
}
