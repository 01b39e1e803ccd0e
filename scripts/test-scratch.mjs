/**
 * Where tests keep their scratch directories: in memory where that can hold what a disk can (user xattrs, programs to run),
 * else where TMPDIR says. Hundreds of tests sync a file system, which on a disk waits for all that others write there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Several times what the tests keep at once. */
const FREE_BYTES = 4 * 2 ** 30;

/** Directory for TMPDIR; a TMPDIR that is set stays. */
export function testScratch() {
  return process.env.TMPDIR === undefined && isFit(MEMORY) ? MEMORY : tmpdir();
}

function isFit(dir) {
  if (!existsSync(dir)) return false;
  const { bavail, bsize } = statfsSync(dir);
  if (bavail * bsize < FREE_BYTES) return false;
  let probe;
  try {
    probe = mkdtempSync(join(dir, 'hacktree-probe-'));
    const script = join(probe, 'script');
    writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    return spawnSync('setfattr', ['-n', 'user.hacktree', '-v', '1', script]).status === 0 && spawnSync(script).status === 0;
  } catch {
    return false; // not writable by this user
  } finally {
    if (probe !== undefined) rmSync(probe, { recursive: true });
  }
}
