/**
 * Checks everything that takes seconds: types, format and lint, the lock file, layers, dead code, quick tests (test/unit).
 * Stops at the first that fails. Steps may be named to run only those: `npm run check -- types lint`.
 */
import { compile, jest, tool } from './steps.mjs';

const STEPS = {
  types: () => compile(),
  lint: () => tool('biome', ['check', '.']),
  lock: () => tool(process.execPath, ['scripts/lock.mjs', '--check']),
  layers: () => tool(process.execPath, ['scripts/layers.mjs']),
  'dead code': () => tool('knip', ['--no-config-hints']),
  'quick tests': () => jest(['--silent', 'unit/']),
};

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(STEPS)) {
  if (wanted.length > 0 && !wanted.some((prefix) => name.startsWith(prefix))) continue;
  console.log(`\n=== ${name}`);
  const startMs = Date.now();
  const status = run();
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`=== ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) process.exit(1);
}
