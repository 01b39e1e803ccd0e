/**
 * Records the bytecode of the bundle: runs the usual commands on a small tree and keeps what V8 compiled, in dist/code-cache
 * (src/load.ts reads it and says how it is laid out). Two rounds, the second with the bytecode of the first, so that
 * a file that several commands use gets the functions of all of them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './steps.mjs';

const require = createRequire(import.meta.url);
const OUTPUT = join(root, 'dist/code-cache');
const ROUNDS = 1;
/** Place for the index in front of the bytecode. */
const MAX_INDEX_BYTES = 16384;

/** Records and writes dist/code-cache. Returns the number of files in it. */
export function writeCodeCache() {
  const scratch = mkdtempSync(join(tmpdir(), 'hacktree-record-'));
  try {
    const commands = prepare(scratch);
    const best = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      for (const command of commands) {
        record(command, scratch, best);
        writeFileSync(OUTPUT, pack(best));
      }
    }
    return best.size;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Makes a small tree with a kernel, and gives the lines to run in `scratch`. */
function prepare(scratch) {
  const modules = join(scratch, 'tree/usr/lib/modules/6.1');
  mkdirSync(modules, { recursive: true });
  mkdirSync(join(scratch, 'tree/usr/etc'));
  for (const name of ['vmlinuz', 'initramfs.img']) writeFileSync(join(modules, name), name);
  for (const folder of ['src', 'docs']) cpSync(join(root, folder), join(scratch, 'tree/usr', folder), { recursive: true });
  mkdirSync(join(scratch, 'host/boot/grub'), { recursive: true });
  mkdirSync(join(scratch, 'host/etc'));
  writeFileSync(join(scratch, 'host/boot/grub/grub.cfg'), '');
  return [
    ...['--version', '--help', 'init --repo=r', 'commit --repo=r -b main tree', 'commit --repo=r -b main tree', 'refs --repo=r'],
    ...[
      'rev-parse --repo=r main',
      'log --repo=r main',
      'show --repo=r main',
      'checkout --repo=r -H main out',
      'ls --repo=r -R main',
    ],
    ...[
      'commit --repo=r -b links -I out',
      'checkout --repo=r -U main copy',
      'diff --repo=r main^ main',
      'fsck --repo=r',
      'prune --repo=r',
    ],
    ...[
      'init --repo=a --mode=archive',
      'pull-local --repo=a r main',
      'summary --repo=a -u',
      'init --repo=b',
      'pull-local --repo=b a main',
    ],
    ...['remote add --repo=b m file://A --no-gpg-verify', 'pull --repo=b m main'],
    ...['init --repo=c', 'remote add --repo=c m file://A --no-gpg-verify', 'pull --repo=c m main'],
    ...['sysroot init --sysroot=host', 'pull-local --repo=host/gnomeos/repo r main', 'deploy --sysroot=host main'],
    ...['status --sysroot=host', 'upgrade --sysroot=host --check', 'refs --repo=missing'],
  ].map((line) => line.replace('file://A', `file://${scratch}/a`).split(' '));
}

/** Runs a command with the recorder and keeps, for each file, the bytecode with the most functions. */
function record(command, scratch, best) {
  const folder = mkdtempSync(join(scratch, 'record-'));
  spawnSync(
    process.execPath,
    ['--require', join(root, 'scripts/code-cache-recorder.cjs'), join(root, 'bin/hacktree.js'), ...command],
    {
      cwd: scratch,
      env: { ...process.env, HACKTREE_RECORD: folder },
      stdio: process.env.HACKTREE_DEBUG === '1' ? 'inherit' : 'ignore',
    },
  );
  for (const thread of readdirSync(folder)) {
    for (const name of readdirSync(join(folder, thread))) {
      const bytes = readFileSync(join(folder, thread, name));
      if (bytes.length > (best.get(name)?.length ?? 0)) best.set(name, bytes);
    }
  }
}

/** Puts the file together: length of the index, index, bytecode. */
function pack(best) {
  const { cacheMaker } = require('../dist/load.js');
  const indexOf = (start) => {
    const files = {};
    let offset = start;
    for (const [name, { length }] of best) {
      files[name] = [offset, length];
      offset += length;
    }
    return Buffer.from(JSON.stringify({ maker: cacheMaker(), files }), 'latin1');
  };
  let head = indexOf(MAX_INDEX_BYTES);
  if (head.length + 4 > MAX_INDEX_BYTES) throw new Error('The index of dist/code-cache has outgrown its place');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  head = Buffer.concat([length, head, Buffer.alloc(MAX_INDEX_BYTES - 4 - head.length)]);
  return Buffer.concat([head, ...best.values()]);
}
