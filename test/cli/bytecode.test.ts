/** The recorded bytecode: it is used, and a damaged or foreign one does no harm. Needs dist/. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { PROJECT_DIR, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const INDEX_START = 4;
const SECTOR = 512;

let dir: string;
let cache: string;

/** A copy of the program whose bytecode may be damaged. */
beforeEach(() => {
  dir = scratchDir();
  for (const name of ['bin', 'dist', 'package.json']) fs.cpSync(join(PROJECT_DIR, name), join(dir, name), { recursive: true });
  fs.symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'));
  cache = join(dir, 'dist/code-cache');
});

const hacktree = (...args: string[]): string => runOk(process.execPath, [join(dir, 'bin/hacktree.js'), ...args], { cwd: dir });

/** Runs a line and tells of each file of the bundle whether V8 took the bytecode that it was given. */
function acceptedFiles(...args: string[]): { name: string; given: boolean; rejected: boolean | undefined }[] {
  const watcher = join(dir, 'watch.cjs');
  fs.writeFileSync(
    watcher,
    `const vm = require('node:vm');
const { Script } = vm;
const files = [];
vm.Script = class extends Script {
  constructor(text, options) {
    super(text, options);
    files.push({ name: options.filename, given: options.cachedData !== undefined, rejected: this.cachedDataRejected });
  }
};
process.on('exit', () => require('node:fs').writeSync(2, JSON.stringify(files)));
`,
  );
  const { status, stderr } = run(process.execPath, ['--require', watcher, join(dir, 'bin/hacktree.js'), ...args], { cwd: dir });
  expect(status).toBe(0);
  return JSON.parse(stderr);
}

it('is given to V8 for every file of a usual command, and taken', () => {
  hacktree('init', '--repo=repo');
  const files = acceptedFiles('refs', '--repo=repo');
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter(({ given, rejected }) => !given || rejected !== false)).toEqual([]);
});

it.each<[string, (bytes: Buffer) => Buffer]>([
  ['empty', () => Buffer.alloc(0)],
  ['cut in its index', (bytes) => bytes.subarray(0, 1000)],
  ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['an index that is no JSON', (bytes) => Buffer.concat([bytes.subarray(0, INDEX_START), Buffer.alloc(bytes.length, 'x')])],
  ['zeros where bytecode was', (bytes) => bytes.fill(0, 20_000)],
  ['a sector of zeros in every four', (bytes) => everyFourth(bytes, (at) => bytes.fill(0, at, at + SECTOR))],
  [
    'a sector from elsewhere in every four',
    (bytes) => everyFourth(bytes, (at) => bytes.copy(bytes, at, at - 3 * SECTOR, at - 2 * SECTOR)),
  ],
])('a cache with damage (%s) is done without', (_, damage) => {
  fs.writeFileSync(cache, damage(fs.readFileSync(cache)));
  hacktree('init', '--repo=repo');
  expect(hacktree('refs', '--repo=repo')).toBe('');
  expect(hacktree('--version')).toContain('hacktree');
});

function everyFourth(bytes: Buffer, damage: (at: number) => void): Buffer {
  for (let at = 40 * SECTOR; at + SECTOR <= bytes.length; at += 4 * SECTOR) damage(at);
  return bytes;
}

it('bytecode of another node is passed over, and so is none', () => {
  const bytes = fs.readFileSync(cache);
  const at = bytes.indexOf(process.version);
  expect(at).toBeGreaterThan(0);
  bytes.write('v99', at);
  fs.writeFileSync(cache, bytes);
  hacktree('init', '--repo=repo');
  expect(acceptedFiles('refs', '--repo=repo').filter(({ given }) => given)).toEqual([]);
  fs.rmSync(cache);
  expect(hacktree('refs', '--repo=repo')).toBe('');
});
