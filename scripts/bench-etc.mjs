/**
 * node scripts/bench-etc.mjs: how long merging an /etc of 20,000 files takes, in memory and on disk; medians, as a table.
 *
 *   --files N    files in each tree (default 20000)
 *   --work DIR   where to work, repeatable (default /dev/shm and /var/tmp)
 *   --runs N     runs of each case (default 3)
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { readOptions, root, tool } from './steps.mjs';

const flags = readOptions({
  files: { type: 'string', default: '20000' },
  work: { type: 'string', multiple: true, default: ['/dev/shm', '/var/tmp'] },
  runs: { type: 'string', default: '3' },
});

if (tool('tsc', []) !== 0) process.exit(1);
const { applyEtcMerge, defaultEtcPolicy, planEtcMerge, recordEtcHistory, reportEtcPlan } = await import(
  join(root, 'build/src/etc/index.js')
);

const FILES = Number(flags.files);
const FILES_PER_DIR = 100;
const LINES = Array.from({ length: 60 }, (_, i) => `setting${i} = value ${i}\n`);

/** Which files the user and the new version changed, of every hundred. */
const CASES = [
  { name: 'nothing changed', user: 0, next: 0 },
  { name: '5 % changed here, 10 % there', user: 5, next: 10 },
  { name: 'every file changed on both sides', user: 100, next: 100 },
];

function writeTree(dir, changedPercent, changedLine) {
  for (let file = 0; file < FILES; file++) {
    const folder = join(dir, `d${Math.floor(file / FILES_PER_DIR)}`);
    if (file % FILES_PER_DIR === 0) mkdirSync(folder, { recursive: true });
    const lines = file % 100 < changedPercent ? LINES.with(changedLine, 'changed = here\n') : LINES;
    writeFileSync(join(folder, `f${file}`), `${lines.join('')}${file}\n`);
  }
}

const timed = async (run) => {
  const start = performance.now();
  const result = await run();
  return [result, performance.now() - start];
};

async function measure(place, { user, next }) {
  const dir = mkdtempSync(join(place, 'hacktree-bench-etc-'));
  try {
    const [D, U, N, R] = ['D', 'U', 'N', 'R'].map((name) => join(dir, name));
    writeTree(D, 0, 0);
    writeTree(U, user, 3);
    writeTree(N, next, 50);
    cpSync(N, R, { recursive: true });
    const request = { defaultsDir: D, userDir: U, newDefaultsDir: N, policy: defaultEtcPolicy() };
    const [plan, planMs] = await timed(() => planEtcMerge(request));
    const [, applyMs] = await timed(() => applyEtcMerge(plan, R));
    const from = { root: 'root-1', defaultsDir: D, userDir: U, report: reportEtcPlan(plan) };
    const recording = { historyDir: join(dir, 'etc.git'), newDefaultsDir: N, resultDir: R, toRoot: 'root-2', from, timeSec: 1 };
    const [first, firstMs] = await timed(() => recordEtcHistory(recording));
    const [, againMs] = await timed(() => recordEtcHistory({ ...recording, toRoot: 'root-3', timeSec: 2 }));
    if (first.warning !== undefined) throw new Error(first.warning);
    return { planMs, applyMs, mergeMs: planMs + applyMs, firstMs, againMs };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

console.log(`${FILES} files in each of three trees, Node ${process.version}, median of ${flags.runs}\n`);
console.log('| where | case | plan | apply | merge | first history | next history |\n|---|---|---|---|---|---|---|');
for (const place of flags.work) {
  for (const one of CASES) {
    const runs = [];
    for (let run = 0; run < Number(flags.runs); run++) runs.push(await measure(place, one));
    const column = (key) => seconds(median(runs.map((run) => run[key])));
    const columns = ['planMs', 'applyMs', 'mergeMs', 'firstMs', 'againMs'].map(column);
    console.log(`| ${place} | ${one.name} | ${columns.join(' | ')} |`);
  }
}
