/**
 * Repository commands inside a deployed root: there the system's repository is a read-only view, and a command run by root works
 * on it all the same, in a mount namespace of its own. The deployed root is this machine's under an overlay, in a namespace too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { HACKTREE, PROJECT_DIR, requireRoot, requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const asRoot = requireRoot() && requireTool('unshare', 'chroot') ? it : it.skip;

/** $1 a scratch directory, $2 node, $3 the command, $4 the project. Lines that begin with `= ` are the result. */
const SCRIPT = `
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/new"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/new"
cd "$1/new"
for dir in /proc /dev "$4"; do mkdir -p ".$dir"; mount --rbind "$dir" ".$dir"; done
mount -t tmpfs tmpfs ./run
mkdir -p ./sysroot ./run/hacktree
mount -t tmpfs tmpfs ./sysroot
chroot . sh -c '
  set -e
  tool() { "$NODE" "$COMMAND" "$@"; }
  NODE=$0 COMMAND=$1
  mkdir -p /sysroot/gnomeos /sysroot/tree
  echo content >/sysroot/tree/file
  ln -s /sysroot/gnomeos /gnomeos
  tool init --repo=/sysroot/gnomeos/repo
  tool commit --branch=first /sysroot/tree >/dev/null
  mount -o remount,bind,ro /sysroot
  printf "root=root-1\\nboot_id=%s\\n" "$(cat /proc/sys/kernel/random/boot_id)" >/run/hacktree/booted
  tool refs --create=second first
  tool commit --branch=third /usr/share/doc/bash >/dev/null
  tool refs | sed "s/^/= /"
  touch /sysroot/file 2>/dev/null && echo "= others can write too"
  HACKTREE_OWN_NAMESPACE=1 tool refs --create=fourth first 2>/dev/null || echo "= refused without a namespace"
' "$2" "$3"
`;

asRoot('write to the system repository, and nobody else can', () => {
  const dir = join(scratchDir(), 'place');
  mkdirSync(dir);
  const script = join(dir, '../script');
  writeFileSync(script, SCRIPT);
  const args = ['--mount', '--propagation', 'private', 'sh', script, dir, process.execPath, HACKTREE, PROJECT_DIR];
  const { status, stdout, stderr } = run('unshare', args);
  const lines = stdout.split('\n').filter((line) => line.startsWith('= '));
  expect({ status, stderr, lines }).toEqual({
    status: 0,
    stderr: '',
    lines: ['= first', '= second', '= third', '= refused without a namespace'],
  });
});
