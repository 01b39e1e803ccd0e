/**
 * Records the bytecode of the bundle: runs the usual commands on a small tree and keeps what V8 compiled, in dist/code-cache
 * (src/load.ts reads it and says how it is laid out). Each command starts with the bytecode of those before it,
 * so that a file that several of them use gets the functions of all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './steps.mjs';

const require = createRequire(import.meta.url);
const OUTPUT = join(root, 'dist/code-cache');
/** Place for the index and its length in front of the bytecode. */
const HEAD_BYTES = 16384;

const COMMANDS = `--version
--help
init --repo=r
commit --repo=r -b main tree
commit --repo=r -b main tree
refs --repo=r
rev-parse --repo=r main
log --repo=r main
show --repo=r main
checkout --repo=r -H main out
ls --repo=r -R main
commit --repo=r -b links -I out
checkout --repo=r -U main copy
diff --repo=r main^ main
fsck --repo=r
prune --repo=r
init --repo=a --mode=archive
pull-local --repo=a r main
commit --repo=a -b chowned --owner-uid=7 tree
summary --repo=a -u
init --repo=b
pull-local --repo=b a main
init --repo=l
pull-local --repo=l r main
sysroot init --sysroot=host
pull-local --repo=host/gnomeos/repo r main
deploy --sysroot=host main
deploy --sysroot=host main
status --sysroot=host
upgrade --sysroot=host --check
refs --repo=missing`.split('\n');

/** Records and writes dist/code-cache. Returns the number of files in it. */
export async function writeCodeCache() {
  const scratch = mkdtempSync(join(tmpdir(), 'hacktree-record-'));
  try {
    const best = new Map();
    makeTree(scratch);
    for (const command of COMMANDS) await record(command, scratch, best);
    const server = start('serve --repo=a --listen=127.0.0.1:0', scratch, 'pipe');
    const ended = once(server, 'close');
    const [line] = await Promise.race([once(server.stdout, 'data'), ended]);
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url !== undefined) for (const command of pulls(url)) await record(command, scratch, best);
    server.kill('SIGINT');
    await ended;
    return best.size;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Makes a small tree with a kernel, and a machine to deploy it on. */
function makeTree(scratch) {
  const modules = join(scratch, 'tree/usr/lib/modules/6.1');
  mkdirSync(modules, { recursive: true });
  mkdirSync(join(scratch, 'tree/usr/etc'));
  writeFileSync(join(scratch, 'tree/usr/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  cpSync(join(root, 'initramfs'), join(scratch, 'tree/usr/etc/initramfs'), { recursive: true });
  symlinkSync('passwd', join(scratch, 'tree/usr/etc/link'));
  for (const name of ['vmlinuz', 'initramfs.img']) writeFileSync(join(modules, name), name);
  for (const folder of ['src', 'docs']) cpSync(join(root, folder), join(scratch, 'tree/usr', folder), { recursive: true });
  mkdirSync(join(scratch, 'host/boot/grub'), { recursive: true });
  mkdirSync(join(scratch, 'host/etc'));
  writeFileSync(join(scratch, 'host/boot/grub/grub.cfg'), '');
}

/** Pulls of all objects, of all once more under another owner, and of nothing. */
function pulls(url) {
  const pull = (ref) => `pull --repo=c m ${ref}`;
  return ['init --repo=c', `remote add --repo=c m ${url} --no-gpg-verify`, pull('main'), pull('chowned'), pull('main')];
}

/** Runs a command with the recorder and keeps, for each file, the bytecode with the most functions. */
async function record(command, scratch, best) {
  const folder = mkdtempSync(join(scratch, 'record-'));
  await once(start(command, scratch, 'ignore', folder), 'close');
  for (const thread of readdirSync(folder)) {
    for (const name of readdirSync(join(folder, thread))) {
      const bytes = readFileSync(join(folder, thread, name));
      if (bytes.length > (best.get(name)?.length ?? 0)) best.set(name, bytes);
    }
  }
  writeFileSync(OUTPUT, pack(best));
}

function start(command, cwd, stdout, folder) {
  const recorder = folder === undefined ? [] : ['--require', join(root, 'scripts/code-cache-recorder.cjs')];
  return spawn(process.execPath, [...recorder, join(root, 'bin/hacktree.js'), ...command.split(' ')], {
    cwd,
    // V8 refuses bytecode that was made under other flags.
    env: { ...process.env, NODE_OPTIONS: undefined, HACKTREE_RECORD: folder },
    stdio: ['ignore', stdout, process.env.HACKTREE_DEBUG === '1' ? 'inherit' : 'ignore'],
  });
}

/** Puts the file together: length of the index, index, bytecode. */
function pack(best) {
  const { cacheMaker, sampleSum } = require('../dist/load.js');
  const files = {};
  let offset = HEAD_BYTES;
  for (const [name, bytes] of best) {
    files[name] = [offset, bytes.length, sampleSum(bytes)];
    offset += bytes.length;
  }
  const index = JSON.stringify({ maker: cacheMaker(), files });
  if (index.length + 4 > HEAD_BYTES) throw new Error('The index of dist/code-cache has outgrown its place');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(index.length);
  head.write(index, 4, 'latin1');
  return Buffer.concat([head, ...best.values()]);
}
