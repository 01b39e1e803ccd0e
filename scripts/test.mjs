/**
 * npm test: installs what is missing, builds, runs every test but those of test/boot, prints `N passed, N failed`.
 *
 * Arguments are jest's (a part of a path, -t NAME). `--boot` runs test/boot alone (QEMU, slow, two files at a time), `--all` both but
 * for the story of an own /boot, to end in time (the one with dracut has an own /boot too): that is what .ci/run asks for. Under
 * CI=true a skipped test counts as failed. Exits 1 on any failure or when none ran.
 */
import { availableParallelism } from 'node:os';
import { ensureDebianPackages, ensureNodeModules, PACKAGES } from './setup.mjs';
import { build, compile, jestCounts } from './steps.mjs';

const PARTS = { '--boot': ['boot'], '--all': ['main', 'boot, without the story of an own /boot'] };
/** A machine in emulation keeps one processor busy. */
const BOOT = ['--testPathPatterns', '/build/test/boot/', '--maxWorkers', '2'];
const JEST_ARGUMENTS = {
  main: ['--testPathIgnorePatterns', '/build/test/boot/', '--maxWorkers', String(Math.max(2, availableParallelism()))],
  boot: BOOT,
  'boot, without the story of an own /boot': [...BOOT, '--testPathIgnorePatterns', '/story-own-boot\\.'],
};

const [first, ...rest] = process.argv.slice(2);
const parts = PARTS[first] ?? ['main'];
const passedThrough = first === undefined || first in PARTS ? rest : [first, ...rest];

ensureNodeModules();
ensureDebianPackages(PACKAGES.test);
if (build() !== 0 || compile() !== 0) process.exit(1);

const total = { passed: 0, failed: 0, skipped: 0 };
for (const part of parts) {
  if (parts.length > 1) console.log(`\n=== tests: ${part}`);
  const counts = jestCounts([...JEST_ARGUMENTS[part], ...passedThrough]);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
if (total.skipped > 0) console.log(`\n${total.skipped} tests were skipped; the reasons stand in their names or above.`);
const failed = total.failed + (process.env.CI === 'true' && passedThrough.length === 0 ? total.skipped : 0);
if (failed > 0 || total.passed === 0) process.exitCode = 1;
console.log(`\n${total.passed} passed, ${failed} failed`);
