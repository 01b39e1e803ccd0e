/**
 * Completes package-lock.json after `npm install`: entries for the optional packages of other platforms.
 *
 * `npm ci` demands an entry for every optional dependency, also of platforms that it does not install; npm leaves out those whose
 * version the registry does not have (mirrors often lack some). Such an entry needs only version, os and cpu.
 * `--check` changes nothing and exits 1 when an entry is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../package-lock.json');
const PLATFORM = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(gnu|musl|gnueabihf|musleabihf|msvc|eabi))?$/;
const LIBC = { gnu: ['glibc'], gnueabihf: ['glibc'], musl: ['musl'], musleabihf: ['musl'] };

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isListed(path, name))
    .map(([name, version]) => [`node_modules/${name}`, describe(name, version, entry.dev)]),
);
for (const [path] of missing) console.log(`no entry for the optional ${path}`);
if (process.argv.includes('--check')) {
  if (missing.length > 0) console.error('npm ci would refuse this package-lock.json; run: node scripts/lock.mjs');
  process.exitCode = missing.length === 0 ? 0 : 1;
} else if (missing.length > 0) {
  const entries = [...Object.entries(lock.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(FILE, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`);
}

/** Tells whether the package at `path` finds an entry for `name`, from its own node_modules upwards. */
function isListed(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in lock.packages) return true;
    if (at === '') return false;
  }
}

function describe(name, version, dev) {
  const [, os, cpu, abi] = PLATFORM.exec(name) ?? [];
  if (os === undefined || !/^\d+\.\d+\.\d+\S*$/.test(version)) throw new Error(`${name}@${version} is not a platform's package`);
  return { version, cpu: [cpu], ...(dev ? { dev } : {}), ...(LIBC[abi] ? { libc: LIBC[abi] } : {}), optional: true, os: [os] };
}
