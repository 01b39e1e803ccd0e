/**
 * Commit under fire: killed at, or failed by, system calls all along. After each fault the repository passes both fscks,
 * the ref is the old or the new commit, and the next commit succeeds and cleans up.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { commit, initRepo, loadCommit, openRepo, resolveRev } from '../../src/repo/index.ts';
import { setXattr } from '../../src/sys/index.ts';
import { matchingCalls, runWithFault, spread } from '../helpers/faults.ts';
import { ostreeFsck } from '../helpers/oracle.ts';
import { HACKTREE, requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withTools = requireTool('strace', 'ostree') && requireRoot() ? it : it.skip;

const KILL_CALLS = [
  'openat',
  'write',
  'rename,renameat2',
  'fsync,syncfs',
  'fchmod',
  'fchown,lchown',
  'utimensat',
  'mkdir',
  'unlink,unlinkat,rmdir',
  'fsetxattr',
  'symlink',
];
/** Where an object of an archive is begun, and where it is finished. */
const ARCHIVE_KILL_CALLS = ['openat', 'write', 'fchmod'];
const FAIL_CALLS: [string, string[]][] = [
  ['write', ['EIO', 'ENOSPC', 'EDQUOT']],
  ['rename,renameat2', ['EIO', 'ENOSPC', 'EDQUOT']],
  ['fsync,syncfs', ['EIO', 'ENOSPC']],
  ['openat', ['EIO', 'ENOSPC', 'EDQUOT']],
  ['mkdir', ['ENOSPC', 'EDQUOT']],
  ['fchmod', ['EIO']],
];
const PER_CALL = 11;

let injected = 0;

interface Ground {
  /** Put back before each fault. */
  readonly pristine: string;
  readonly path: string;
  readonly argv: readonly string[];
  readonly newTree: string;
  readonly oldCommit: string;
  readonly newRoot: string;
}

/** A repository with one commit, and a command that commits a changed tree to it. */
async function prepare(mode: 'bare' | 'archive' = 'bare'): Promise<Ground> {
  const dir = scratchDir();
  const [oldTree, newTree] = [join(dir, 'old'), join(dir, 'new')];
  for (const part of ['etc', 'usr/bin', 'usr/lib/deep/er']) fs.mkdirSync(join(oldTree, part), { recursive: true });
  for (let i = 0; i < 6; i++) fs.writeFileSync(join(oldTree, 'usr/bin', `old-${i}`), `old ${i}`);
  fs.cpSync(oldTree, newTree, { recursive: true });
  for (let i = 0; i < 6; i++) fs.writeFileSync(join(newTree, 'usr/lib/deep/er', `new-${i}`), `new ${i}`);
  fs.symlinkSync('new-1', join(newTree, 'usr/lib/deep/er/link'));
  fs.chownSync(join(newTree, 'usr/lib/deep/er/new-2'), 3, 4);
  setXattr(join(newTree, 'usr/lib/deep/er/new-3'), 'user.x', Buffer.from('1'));
  const pristine = initRepo(join(dir, 'pristine'), { mode });
  const { commit: oldCommit } = await commit(pristine, { branch: 'main', trees: [{ kind: 'dir', path: oldTree }] });
  const other = initRepo(join(dir, 'other'), { mode });
  const fresh = await commit(other, { branch: 'main', trees: [{ kind: 'dir', path: newTree }] });
  const path = join(dir, 'repo');
  const argv = [HACKTREE, 'commit', `--repo=${path}`, '--branch=main', '--timestamp=@2', newTree];
  return { pristine: pristine.path, path, argv, newTree, oldCommit, newRoot: loadCommit(other, fresh.commit).rootTree };
}

function reset({ pristine, path }: Ground): void {
  fs.rmSync(path, { recursive: true, force: true });
  runOk('cp', ['-a', pristine, path]);
}

/** Requires what must hold after any fault, then commits again without one. */
async function judge(ground: Ground, label: string): Promise<void> {
  const { path, oldCommit, newRoot, newTree } = ground;
  expect([label, ostreeFsck(path)]).toEqual([label, '']);
  const repo = openRepo(path);
  const now = resolveRev(repo, 'main');
  if (now !== oldCommit) expect([label, loadCommit(repo, now).rootTree]).toEqual([label, newRoot]);
  await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: newTree }] });
  expect([label, loadCommit(repo, resolveRev(repo, 'main')).rootTree]).toEqual([label, newRoot]);
  expect([label, ostreeFsck(path)]).toEqual([label, '']);
  expect([label, fs.readdirSync(join(path, 'tmp')).filter((name) => name !== 'cache')]).toEqual([label, []]);
}

describe('commit', () => {
  const kills = [
    ...KILL_CALLS.map((calls) => ({ calls, mode: 'bare' as const })),
    ...ARCHIVE_KILL_CALLS.map((calls) => ({ calls, mode: 'archive' as const })),
  ];
  for (const { calls, mode } of kills) {
    withTools(`to ${mode} killed at ${calls}`, async () => {
      const ground = await prepare(mode);
      reset(ground);
      const positions = matchingCalls(ground.argv, ground.path, calls);
      let killed = 0;
      for (const when of spread(positions, PER_CALL)) {
        reset(ground);
        const { status } = runWithFault(ground.argv, { calls, effect: 'signal=KILL', when });
        expect([calls, when, [0, 137].includes(status)]).toEqual([calls, when, true]);
        if (status === 0) continue; // it made fewer calls this time
        killed++;
        await judge(ground, `killed at ${calls} ${when}`);
      }
      expect([calls, killed > 0]).toEqual([calls, true]);
      injected += killed;
    });
  }

  for (const [calls, errors] of FAIL_CALLS) {
    for (const error of errors) {
      withTools(`${error} from ${calls}`, async () => {
        const ground = await prepare();
        reset(ground);
        const positions = matchingCalls(ground.argv, ground.path, calls);
        for (const when of spread(positions, PER_CALL)) {
          reset(ground);
          runWithFault(ground.argv, { calls, effect: `error=${error}`, when });
          injected++;
          await judge(ground, `${error} from ${calls} ${when}`);
        }
      });
    }
  }

  afterAll(() => {
    console.log(`commit: ${injected} faults injected`);
  });
});
