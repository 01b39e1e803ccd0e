/** Ctrl-C and SIGTERM: the command ends with the status of the signal, refs stay, the repository is sound. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { HACKTREE, hacktree, hacktreeOk, runBytes } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

/** Waits until a running command has opened its transaction. */
async function untilStaging(repo: string, child: ChildProcess): Promise<void> {
  while (!readdirSync(join(repo, 'tmp')).some((name) => name.startsWith('staging-'))) {
    if (child.exitCode !== null) throw new Error(`The command ended with ${child.exitCode} before it began`);
    await sleep(20);
  }
}

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a commit that waits for its input with %d', async (signal, status) => {
  const base = scratchDir();
  const repo = join(base, 'repo');
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'tree/file'), 'content\n');
  hacktreeOk(['init', '--mode=archive', repo]);
  const before = hacktreeOk(['commit', `--repo=${repo}`, '--branch=main', join(base, 'tree')]);
  const { stdout: tar } = runBytes('tar', ['--create', '--directory', join(base, 'tree'), '.']);
  const child = spawn(process.execPath, [HACKTREE, 'commit', `--repo=${repo}`, '--branch=main', '--tree=tar=-']);
  const exited = once(child, 'exit');
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.write(tar.subarray(0, 600));
  await untilStaging(repo, child);
  child.kill(signal);
  expect(await exited).toEqual([status, null]);
  expect(Buffer.concat(output).toString()).toMatch(/^error: Interrupted.*\n$/);
  expect(hacktreeOk(['rev-parse', `--repo=${repo}`, 'main'])).toBe(before);
  expect(hacktree(['fsck', `--repo=${repo}`, '--quiet'])).toEqual({ status: 0, stdout: '', stderr: '' });
  hacktreeOk(['commit', `--repo=${repo}`, '--branch=main', join(base, 'tree')]);
  expect(readdirSync(join(repo, 'tmp')).filter((name) => /^staging-.*[^k]$/.test(name))).toEqual([]);
});
