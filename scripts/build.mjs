/**
 * Builds dist/: bundles with esbuild, records the bytecode, then writes the library's .d.ts files.
 *
 * Entries are src/commands/main.ts, src/commands/ostree.ts, src/library.ts and every src/**\/*-worker.ts. esbuild splits them into
 * chunks: a command's code, and the packages that only it needs, are separate files loaded by dynamic import. It splits ES modules only,
 * so each of its files is turned into a CommonJS one afterwards, in dist/code/; src/load.ts loads those, much faster than
 * Node loads ES modules. dist/ itself has a file for each entry, all side by side, so that `new URL('./x-worker.js', import.meta.url)`
 * finds a worker from whatever chunk asks for it.
 * Packages are bundled but for two: koffi finds its binary beside itself, and openpgp is LGPL and stays replaceable.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, transform } from 'esbuild';
import { writeCodeCache } from './code-cache.mjs';
import { directImports } from './direct-imports.mjs';
import { lazyRequires } from './lazy-requires.mjs';
import { tool } from './steps.mjs';
import { undiciParts } from './undici-parts.mjs';

const MAIN_ENTRIES = ['src/commands/main.ts', 'src/commands/ostree.ts', 'src/library.ts'];

/** Of all that esbuild writes. */
const COMMON = { platform: 'node', target: 'node20', minifyWhitespace: true, minifySyntax: true, legalComments: 'none' };
/** What a file has as import.meta.url: its entry's place, dist/. */
const URL_BANNER = "const __url=()=>require('node:url').pathToFileURL(__dirname).href;";

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

/** Of another of esbuild's files, before all else; of one of Node's own modules, anywhere. */
const IMPORT = /import ?(?:\* ?as (?<all>[\w$]+) ?from ?|\{(?<names>[^}]*)\} ?from ?)?(?<module>"[^"]+");\s*/y;
const IMPORT_BUILTIN = /\bimport ?(?:\* ?as (?<all>[\w$]+)|\{(?<names>[\w$, ]+)\}) ?from ?(?<module>"node:[a-z_/]+");/g;
const EXPORT = /export ?(?:\{(?<names>[^}]*)\}|default (?<value>\w+\(\)));\s*$/;

/**
 * Turns the imports and exports of a file of esbuild's into CommonJS. esbuild itself would put two getters before each name, one of
 * them the same for all names, and every use would cost as much as a small function. No name that a file exports changes, and no
 * files import each other in circles, so that the values themselves will do.
 */
function toCommonJs(text) {
  const pairs = (names) => names.split(',').map((name) => name.trim().split(' as '));
  const toRequire = ({ all, names, module }) => {
    const what = names === undefined ? all : `{${pairs(names).map(([name, as = name]) => `${name}:${as}`)}}`;
    return what === undefined ? `require(${module});` : `const ${what}=require(${module});`;
  };
  let head = '';
  let start = 0;
  IMPORT.lastIndex = 0;
  for (let match = IMPORT.exec(text); match !== null; match = IMPORT.exec(text)) {
    head += toRequire(match.groups);
    start = IMPORT.lastIndex;
  }
  const body = text.slice(start).replace(IMPORT_BUILTIN, (...match) => toRequire(match.at(-1)));
  return (
    head +
    body.replace(EXPORT, (...match) => {
      const { names, value } = match.at(-1);
      const exported = names === undefined ? `default:${value}` : pairs(names).map(([name, as = name]) => `${as}:${name}`);
      return `module.exports={__esModule:!0,${exported}};`;
    })
  );
}

/** Writes a file of esbuild's as CommonJS, into dist/code/. */
async function writeCode({ path, text }) {
  const { code } = await transform(toCommonJs(text), {
    ...COMMON,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__url' },
  });
  if (code.includes('__toCommonJS')) throw new Error(`${path}: an import or export was not recognised`);
  const called = code.replace(/\b__url\b/g, '__url()');
  writeFileSync(join('dist/code', basename(path)), called === code ? code : URL_BANNER + called);
}

/** Writes the file of an entry. Node reads off the line that never runs which names an ES module can import. */
function writeEntry(name, exports) {
  const names = `0 && (module.exports = { ${exports.join(', ')} });`;
  writeFileSync(
    join('dist', `${name}.js`),
    `const { load } = require('./load.js');\nmodule.exports = load('${name}');\n${names}\n`,
  );
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
mkdirSync('dist/code', { recursive: true });
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n');
await build({ ...COMMON, entryPoints: ['src/load.ts'], outfile: 'dist/load.js', format: 'cjs' });
const entryPoints = findEntries();
const { metafile, outputFiles } = await build({
  ...COMMON,
  entryPoints,
  outdir: 'dist',
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  external: ['koffi', 'openpgp'],
  plugins: [directImports, lazyRequires, undiciParts],
  metafile: true,
  write: false,
  logLevel: 'warning',
});
await Promise.all(outputFiles.map(writeCode));
const outputs = Object.entries(metafile.outputs);
const entries = outputs.filter(([, { entryPoint }]) => entryPoints.includes(entryPoint));
for (const [path, { exports }] of entries) writeEntry(basename(path, '.js'), exports);
writeLicences(metafile);
const recorded = await writeCodeCache();
if (existsSync('src/library.ts') && tool('tsc', ['-p', 'tsconfig.types.json']) !== 0) process.exit(1);
const bytes = outputs.reduce((sum, [, { bytes }]) => sum + bytes, 0);
console.log(
  `dist/: ${entries.length} entries, ${outputs.length} files, ${Math.round(bytes / 1024)} KiB, bytecode of ${recorded} files`,
);
