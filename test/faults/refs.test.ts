/**
 * Moving, making and removing refs under fire: killed at, or failed by, system calls all along. A ref is what it was or what it
 * was to become, never half written or empty; the repository is sound and the next try succeeds.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { commit, initRepo } from '../../src/repo/index.ts';
import { positionsByCalls, runWithFault, spread } from '../helpers/faults.ts';
import { ostree, ostreeFsck } from '../helpers/oracle.ts';
import { HACKTREE, requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withTools = requireTool('strace', 'ostree') && requireRoot() ? it : it.skip;

const EFFECTS: readonly (readonly [string, string])[] = [
  ...['openat', 'write', 'rename,renameat2', 'fsync,fdatasync', 'unlink,unlinkat', 'mkdir,mkdirat', 'rmdir', 'close'].map(
    (calls) => [calls, 'signal=KILL'] as const,
  ),
  ...['write', 'rename,renameat2', 'fsync,fdatasync', 'openat'].flatMap((calls) =>
    ['EIO', 'ENOSPC', 'EDQUOT'].map((error) => [calls, `error=${error}`] as const),
  ),
];
const PER_CALL = 2;

let injected = 0;

interface Change {
  readonly args: (first: string, second: string) => string[];
  /** Ref to look at. */
  readonly ref: string;
  /** Values before and after; undefined for no ref. */
  readonly before: 'second' | undefined;
  readonly after: 'first' | 'second' | undefined;
}

/** `main` points to the second of two commits. */
const CHANGES: Readonly<Record<string, Change>> = {
  'refs --create': { args: (first) => ['refs', '--create=new/deep', first], ref: 'new/deep', before: undefined, after: 'first' },
  'refs --create --force': {
    args: (first) => ['refs', '--create=main', '--force', first],
    ref: 'main',
    before: 'second',
    after: 'first',
  },
  reset: { args: (first) => ['reset', 'main', first], ref: 'main', before: 'second', after: 'first' },
  'refs --delete': { args: () => ['refs', '--delete', 'main'], ref: 'main', before: 'second', after: undefined },
};

for (const [name, change] of Object.entries(CHANGES)) {
  describe(name, () => {
    withTools('leaves the old or the new ref whatever fails', async () => {
      const dir = scratchDir();
      const [pristine, path, tree] = [join(dir, 'pristine'), join(dir, 'repo'), join(dir, 'tree')];
      fs.mkdirSync(tree);
      const repo = initRepo(pristine, { mode: 'bare' });
      const commits: string[] = [];
      for (const text of ['first', 'second']) {
        fs.writeFileSync(join(tree, 'file'), text);
        commits.push((await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: tree }] })).commit);
      }
      const [first = '', second = ''] = commits;
      const value = (which: 'first' | 'second' | undefined): string => (which && { first, second }[which]) ?? '';
      const argv = [HACKTREE, `--repo=${path}`, ...change.args(first, second)];
      const reset = (): void => {
        fs.rmSync(path, { recursive: true, force: true });
        runOk('cp', ['-a', pristine, path]);
      };
      const read = (): string => run('ostree', [`--repo=${path}`, 'rev-parse', change.ref]).stdout.trim();
      const positionsOf = positionsByCalls(() => {
        reset();
        return { argv, dir: path };
      });
      let faults = 0;
      for (const [calls, effect] of EFFECTS) {
        for (const when of spread(positionsOf(calls), PER_CALL)) {
          reset();
          const label = `${effect} at ${calls} ${when}`;
          const { status } = runWithFault(argv, { calls, effect, when });
          faults++;
          const now = read();
          expect([label, [value(change.before), value(change.after)].includes(now)]).toEqual([label, true]);
          if (status === 0) expect([label, now]).toEqual([label, value(change.after)]);
          expect([label, ostreeFsck(path)]).toEqual([label, '']);
          expect([
            label,
            ostree(path, 'refs')
              .split('\n')
              .filter((ref) => !['main', 'new/deep', ''].includes(ref)),
          ]).toEqual([label, []]);
          if (now === value(change.before)) expect([label, run(process.execPath, argv).status]).toEqual([label, 0]);
          expect([label, read()]).toEqual([label, value(change.after)]);
        }
      }
      expect(faults).toBeGreaterThan(10);
      injected += faults;
    });
  });
}

afterAll(() => {
  console.log(`refs: ${injected} faults injected`);
});
