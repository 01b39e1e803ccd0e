/**
 * Builds dist/: bundles with esbuild (ES modules, code splitting, all files flat), then writes the library's .d.ts files.
 *
 * Entries are src/commands/main.ts, src/commands/ostree.ts, src/library.ts and every src/**\/*-worker.ts. They land side by side in dist/, so that
 * `new URL('./x-worker.js', import.meta.url)` finds a worker from whatever chunk asks for it. Splitting keeps start-up
 * small: a command's code, and the packages that only it needs, are separate files loaded by dynamic import.
 * Packages are bundled but for two: koffi finds its binary beside itself, and openpgp is LGPL and stays replaceable.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { directImports } from './direct-imports.mjs';
import { lazyRequires } from './lazy-requires.mjs';
import { tool } from './steps.mjs';
import { undiciParts } from './undici-parts.mjs';

const MAIN_ENTRIES = ['src/commands/main.ts', 'src/commands/ostree.ts', 'src/library.ts'];

/** CommonJS packages (oclif) call require() for Node's own modules, which an ES module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

function findEntries() {
  const workers = readdirSync('src', { recursive: true })
    .filter((path) => path.endsWith('-worker.ts'))
    .map((path) => join('src', path))
    .sort();
  const entries = [...MAIN_ENTRIES.filter((path) => existsSync(path)), ...workers];
  const names = entries.map((path) => basename(path));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`Two entries are called ${twice}; dist/ is flat, so their names must differ`);
  return entries;
}

/** Takes the banner away where nothing calls require: it is in every file, and a command loads twenty. */
function dropIdleBanners(files) {
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    if (text.split(/\brequire\b/).length > 2) continue;
    writeFileSync(file, text.replace(`${REQUIRE_BANNER}\n`, ''));
  }
}

/** Writes the licences of the packages whose code is in the bundle. */
function writeLicences(metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match !== null) folders.add(match[1]);
  }
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    return `## ${name} ${version} (${license})\n${text}`;
  });
  writeFileSync('dist/THIRD-PARTY-LICENSES.md', `# Packages contained in this folder's files\n\n${texts.join('\n')}`);
}

rmSync('dist', { recursive: true, force: true });
const entryPoints = findEntries();
const { metafile } = await build({
  entryPoints,
  outdir: 'dist',
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['koffi', 'openpgp'],
  plugins: [directImports, lazyRequires, undiciParts],
  banner: { js: REQUIRE_BANNER },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
dropIdleBanners(Object.keys(metafile.outputs));
writeLicences(metafile);
if (existsSync('src/library.ts') && tool('tsc', ['-p', 'tsconfig.types.json']) !== 0) process.exit(1);
const outputs = Object.entries(metafile.outputs);
const bytes = outputs.reduce((sum, [, { bytes }]) => sum + bytes, 0);
console.log(`dist/: ${entryPoints.length} entries, ${outputs.length} files, ${Math.round(bytes / 1024)} KiB`);
