/** What was measured, as a table for people and as data. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { runOk } from './measure.mjs';

/** Versions and machine, to be read beside every number. */
export function describeMachine() {
  const firstLine = (argv) => runOk(argv).toString().trim().split('\n')[0];
  return {
    hacktree: JSON.parse(readFileSync('package.json', 'utf8')).version,
    revision: firstLine(['git', 'describe', '--always', '--dirty']),
    ostree: /Version: '([^']+)'/.exec(runOk(['ostree', '--version']).toString())?.[1],
    node: process.version,
    kernel: release(),
    loadBefore: loadavg()[0],
    processors: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
  };
}

/** Judges a measured row: its ratio, and whether the target is met. */
export function judge({ target }, results) {
  const [first, ...others] = Object.values(results);
  const last = others.at(-1);
  if (last === undefined) return {};
  const faster = last.seconds / first.seconds;
  if (target?.faster !== undefined) return { ratio: faster, wanted: `>= ${target.faster}`, isMet: faster >= target.faster };
  if (target?.seconds !== undefined)
    return { ratio: faster, wanted: `< ${target.seconds} s`, isMet: first.seconds < target.seconds };
  if (target?.slower !== undefined)
    return { ratio: 1 / faster, wanted: `<= ${target.slower}`, isMet: 1 / faster <= target.slower };
  return { ratio: faster };
}

const HEADER = ['', 'hacktree', 'peak', 'other', 'peak', 'ratio', 'wanted', ''];

/** A Markdown table of rows as bench.mjs collects them: { name, results, ratio, wanted, isMet }. */
export function printTable(rows) {
  const lines = [HEADER, ...rows.map(tableLine)];
  const widths = HEADER.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)));
  const print = (line) =>
    `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [print(HEADER), rule, ...lines.slice(1).map(print)].join('\n');
}

function tableLine({ name, results, ratio, wanted, isMet }) {
  const { hacktree, ...others } = results;
  const [otherName, other] = Object.entries(others).at(-1) ?? [];
  const otherTime = other === undefined ? '' : `${otherName === 'limit' ? '' : `${otherName} `}${printSeconds(other.seconds)}`;
  const verdict = isMet === undefined ? '' : isMet ? 'met' : 'missed';
  const ratioText = ratio === undefined ? '' : ratio.toFixed(2);
  return [
    name,
    printSeconds(hacktree?.seconds),
    printPeak(hacktree),
    otherTime,
    printPeak(other),
    ratioText,
    wanted ?? '',
    verdict,
  ];
}

function printSeconds(seconds) {
  if (seconds === undefined) return '';
  return seconds < 0.5 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}

function printPeak(result) {
  return result?.peakMemoryBytes === undefined ? '' : `${Math.round(result.peakMemoryBytes / 1e6)} MB`;
}
