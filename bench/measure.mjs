/** Measures commands: wall time, processor time and peak memory (by GNU time); medians over runs that alternate between the contenders. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHORT_RUNS = 21;
/** Node reads and parses the certificates of NODE_EXTRA_CA_CERTS at every start (50 to 80 ms for Debian's file); NODE_OPTIONS is anything. */
const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...environment } = process.env;
const MAX_OUTPUT_BYTES = 1 << 28;

/** Runs a command that must succeed, unmeasured; returns its standard output. */
export function runOk(argv) {
  const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), { env: environment, maxBuffer: MAX_OUTPUT_BYTES });
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${error?.message ?? `status ${status}`}\n${stderr}`);
  return stdout;
}

/** Runs every contender of a row in turn, `runs` times; returns per contender { seconds, runs, processorSeconds, peakMemoryBytes }. */
export function measureRow(row, runs) {
  const samples = Object.fromEntries(Object.keys(row.contenders).map((name) => [name, []]));
  for (let i = 0; i < (row.isShort ? SHORT_RUNS : runs); i++) {
    const outputs = new Set();
    for (const [name, argv] of Object.entries(row.contenders)) {
      row.prepare(name);
      if (!row.isShort) runOk(['sync']);
      const { output, ...sample } = row.isShort ? measureTime(argv) : measureTimeAndMemory(argv);
      samples[name].push(sample);
      outputs.add(output.toString('latin1'));
    }
    if (row.sameOutput && outputs.size > 1) throw new Error(`${row.name}: the contenders do not print the same`);
  }
  return Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, summarize(list)]));
}

function summarize(samples) {
  const seconds = samples.map((sample) => sample.seconds);
  const peaks = samples.map(({ peakMemoryBytes }) => peakMemoryBytes).filter((bytes) => bytes !== undefined);
  const times = { seconds: median(seconds), runs: seconds };
  if (peaks.length === 0) return times;
  return {
    ...times,
    processorSeconds: median(samples.map((sample) => sample.processorSeconds)),
    peakMemoryBytes: Math.max(...peaks),
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function measureTime(argv) {
  const start = process.hrtime.bigint();
  const output = runOk(argv);
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, output };
}

function measureTimeAndMemory(argv) {
  const folder = mkdtempSync(join(tmpdir(), 'hacktree-bench-'));
  try {
    const report = join(folder, 'time');
    const measured = measureTime(['/usr/bin/time', '--output', report, '--format', '%M %U %S', ...argv]);
    const [peakKib, userSec, systemSec] = readFileSync(report, 'utf8').split(' ').map(Number);
    return { ...measured, peakMemoryBytes: peakKib * 1024, processorSeconds: userSec + systemSec };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
