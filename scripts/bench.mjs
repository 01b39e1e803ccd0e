/**
 * npm run bench: hacktree and ostree in turn on the same real tree; medians, ratios and peak memory, as a table and as JSON.
 *
 *   --tree DIR   a tree of your own (default: a Debian root made by mmdebstrap, kept in /var/tmp/hacktree-cache)
 *   --synthetic N  a generated tree of N small files instead, for memory and scale
 *   --work DIR   where to work, repeatable (default /dev/shm and /var/tmp); it must hold about five times the tree
 *   --runs N     runs of each contender (default 3)
 *   --rows TEXT  only the rows whose name contains the text, repeatable
 *   --json FILE  the results as data (default bench-results/bench.json)
 *   --md FILE    the results as a page, with the command that made it
 */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { measureRow, runOk } from '../bench/measure.mjs';
import { makeMirrorRows } from '../bench/mirror-rows.mjs';
import { describeMachine, judge, printTable } from '../bench/report.mjs';
import { makeRows } from '../bench/rows.mjs';
import { ensureDebianTree } from './os-tree.mjs';
import { ensureDebianPackages, ensureNodeModules, PACKAGES } from './setup.mjs';
import { build, readOptions, root } from './steps.mjs';

const DEFAULT_TREE = '/var/tmp/hacktree-cache/debian-bench';
const MEMORY_SHARE = 0.7;
/** About 35,000 files and 1.3 GB. */
const DEFAULT_PACKAGES = [
  ...['linux-image-amd64', 'linux-headers-amd64', 'initramfs-tools', 'build-essential', 'libllvm14', 'git', 'gdb'],
  ...['python3-dev', 'openssh-server', 'locales', 'curl', 'wget', 'sudo'],
];

const flags = readOptions({
  tree: { type: 'string' },
  synthetic: { type: 'string' },
  work: { type: 'string', multiple: true, default: ['/dev/shm', '/var/tmp'] },
  runs: { type: 'string', default: '3' },
  rows: { type: 'string', multiple: true, default: [''] },
  json: { type: 'string', default: 'bench-results/bench.json' },
  md: { type: 'string' },
});

ensureNodeModules();
ensureDebianPackages(PACKAGES.bench);
if (build() !== 0) process.exit(1);
const tree = flags.tree === undefined ? DEFAULT_TREE : resolve(flags.tree);
const wantsDefault = flags.tree === undefined && flags.synthetic === undefined;
if (wantsDefault && !ensureDebianTree(DEFAULT_TREE, { variant: 'apt', packages: DEFAULT_PACKAGES })) {
  console.error('Cannot make a Debian root here (root, mmdebstrap and network are needed); name a tree with --tree DIR');
  process.exit(1);
}
const report = { ...describeMachine(), places: flags.work.map((work) => benchAt(work)) };
const page = printPage(report);
console.log(`\n${page}`);
save(flags.json, `${JSON.stringify(report, null, 2)}\n`);
if (flags.md !== undefined) save(flags.md, page);

/** Measures all wanted rows in a folder of its own under `place`, with a copy of the tree. */
function benchAt(place) {
  const work = mkdtempSync(join(resolve(place), 'hacktree-bench-'));
  try {
    const copy = join(work, 'tree');
    const tools = { hacktree: [process.execPath, join(root, 'bin/hacktree.js')], ostree: ['ostree'] };
    for (const name of [...Object.keys(tools), 'limits']) mkdirSync(join(work, name));
    if (flags.synthetic === undefined) runOk(['cp', '-a', tree, copy]);
    else makeSyntheticTree(copy, Number(flags.synthetic));
    const size = { source: flags.synthetic === undefined ? tree : 'synthetic', ...measureTree(copy) };
    runOk(['sleep', '3']); // a file changed within the last two seconds is not trusted to be unchanged
    const fileSystem = runOk(['df', '--output=fstype', work]).toString().trim().split('\n').at(-1);
    const setting = { tree: copy, work, tools, run: runOk };
    if (fileSystem === 'tmpfs') useMemoryOnce(work);
    const rows = [...makeRows(setting), ...makeMirrorRows(setting)].filter(({ name }) =>
      flags.rows.some((text) => name.includes(text)),
    );
    return { place, fileSystem, tree: size, rows: rows.map((row) => benchRow(row, fileSystem)) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Memory that a virtual machine touches for the first time is slow, several times what a page costs otherwise (seen: seconds of system
 * time in a row's first runs): most of what is free is used once before anything is measured.
 */
function useMemoryOnce(work) {
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  const path = join(work, 'memory');
  const piece = Buffer.alloc(1 << 26, 1);
  for (let used = 0; used < available * MEMORY_SHARE; used += piece.length) writeFileSync(path, piece, { flag: 'a' });
  rmSync(path);
}

function benchRow(row, fileSystem) {
  process.stdout.write(`${fileSystem}: ${row.name} ... `);
  const results = measureRow(row, Number(flags.runs));
  const judged = { name: row.name, results, ...judge(row, results) };
  const seconds = Object.entries(results).map(([name, result]) => `${name} ${result.seconds.toFixed(3)} s`);
  console.log(seconds.join(', '));
  return judged;
}

/** Files of 200 bytes, each other than the rest, 250 to a directory. */
function makeSyntheticTree(dir, files) {
  for (let i = 0; i < files; i++) {
    const folder = join(dir, String(Math.floor(i / 62500)), String(Math.floor(i / 250) % 250));
    if (i % 250 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${i}`), `${i} `.repeat(200).slice(0, 200));
  }
}

function measureTree(path) {
  const counts = { entries: 0, files: 0, bytes: 0 };
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    counts.entries++;
    if (!entry.isFile()) continue;
    counts.files++;
    counts.bytes += lstatSync(join(entry.parentPath, entry.name)).size;
  }
  return counts;
}

function printPage({ places, ...machine }) {
  const [
    {
      tree: { entries, files, bytes },
    },
  ] = places;
  const quoted = process.argv.slice(2).map((word) => (/^[\w./=-]+$/.test(word) ? word : `'${word}'`));
  const command = ['npm run bench', ...(quoted.length === 0 ? [] : ['--', ...quoted])].join(' ');
  const lines = [
    `Made by \`${command}\` (median of ${flags.runs} runs, start-up 21; each row prepares its own state, unmeasured).`,
    `Tree: ${entries} entries, ${files} files, ${(bytes / 1e9).toFixed(2)} GB.`,
    `hacktree ${machine.hacktree} (${machine.revision}), ostree ${machine.ostree}, node ${machine.node}, Linux ${machine.kernel}, ${machine.processors}, load ${machine.loadBefore.toFixed(1)} before.`,
    "Ratio: the other's time over hacktree's (start-up: hacktree's over bare node's). Peak: resident memory.",
  ];
  const tables = places.map(({ place, fileSystem, rows }) => `## ${fileSystem} (${place})\n\n${printTable(rows)}\n`);
  return `${lines.join('\n')}\n\n${tables.join('\n')}`;
}

function save(file, text) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, text);
  console.log(`written: ${file}`);
}
